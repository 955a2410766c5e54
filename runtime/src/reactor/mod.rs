//! The reactor: records which tasks wait for which sources, and asks the host about them.
//!
//! A [`Source`] is anything that tasks can wait for: a socket, standard input, natively any file descriptor that the
//! system can poll, and on WASI 0.2 any pollable. An operation on a source is attempted first. If it would block, the
//! task's waker is stored in the source, and the source is armed. When no task can run, the executor parks in the
//! reactor, which asks the host about all armed sources in one call.
//!
//! The module `sys` states what a backend must do.

pub(crate) mod io_state;
mod source;
mod speculation;

use std::io;
use std::mem::ManuallyDrop;
use std::ops::Deref;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crate::io::Ready;
use crate::lock::Mutex;
use crate::places::Places;
use crate::sys::{self, RuntimeCore};
use crate::text_error::{self, text_error};
use io_state::IoState;
use speculation::{Next, Speculation};

pub use source::{Direction, Left, Source};
pub use sys::Raw;
pub(crate) use sys::Unparker;
#[allow(unused_imports, unreachable_pub)] // Some targets have nothing of their own here.
pub use sys::public::reactor::*;

/// What a backend reports of one source.
pub(crate) struct Event {
    pub(crate) key: usize,
    pub(crate) ready: Ready,
}

/// How long the reactor may wait, and how it asks.
pub(crate) enum Parked<'a> {
    /// Do not wait. Take the events that are there, unless asking costs more than it is worth now.
    Glance,
    /// Do not wait. Take the events that are there.
    Look,
    /// Wait for up to `timeout`, unless there is something to do.
    Wait {
        /// `None`: without limit.
        timeout: Option<Duration>,
        /// Called after other threads can see that this one is parked, so that no wake is missed.
        unless: &'a dyn Fn() -> bool,
    },
}

/// The reactor of one runtime.
pub(crate) struct Reactor {
    pub(crate) enabled: bool,
    closed: AtomicBool,
    core: RuntimeCore,
}

/// The sources, and the means to ask the host about them.
pub(crate) struct Core {
    /// Every source keeps its reactor alive, and lingering sources are removed at the end of their runtime. So no
    /// source is left when the reactor is dropped, and a guest needs no code to drop one.
    sources: Mutex<Places<ManuallyDrop<Arc<IoState>>>>,
    pub(crate) selector: sys::Selector,
    speculation: Mutex<Speculation>,
    driver: Mutex<Driver>,
}

/// State that only the parking thread needs.
struct Driver {
    sys: sys::Driver,
    events: Vec<Event>,
    /// Consecutive polls that ended early and reported nothing.
    unexplained: u32,
}

impl Deref for Reactor {
    type Target = Core;

    #[inline(always)]
    fn deref(&self) -> &Core {
        &self.core
    }
}

impl Reactor {
    pub(crate) fn new(enabled: bool) -> io::Result<Reactor> {
        Ok(Reactor { enabled, closed: AtomicBool::new(false), core: RuntimeCore::new()? })
    }

    /// Identifies the runtime that owns a source.
    fn id(&self) -> usize {
        std::ptr::from_ref(self).addr()
    }

    /// Tells every source of the runtime that the runtime has shut down.
    pub(crate) fn shutdown(&self) {
        self.closed.store(true, Ordering::Release);
        // No source is added any more. No lock is held, because a waker may run any code.
        let end = self.sources.lock().end();
        for key in 0..end {
            let Some(state) = self.source(key).filter(|state| state.owner == self.id()) else {
                continue;
            };
            if !sys::end(self, &state) {
                state.shutdown();
            }
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

impl Core {
    pub(crate) fn new() -> io::Result<Core> {
        let (selector, sys) = sys::new()?;
        Ok(Core {
            sources: Mutex::new(Places::new()),
            selector,
            speculation: Mutex::default(),
            driver: Mutex::new(Driver { sys, events: Vec::new(), unexplained: 0 }),
        })
    }

    /// Returns the handle that makes `poll` return early.
    pub(crate) fn unparker(&self) -> Unparker {
        self.selector.unparker()
    }

    /// Calls `f` with the backend of the polling thread.
    #[cfg(all(test, not(loom)))]
    #[allow(dead_code)] // Only natively a test needs it.
    pub(crate) fn with_driver<R>(&self, f: impl FnOnce(&sys::Driver) -> R) -> R {
        f(&self.driver.lock().sys)
    }

    /// Returns whether something is armed, so that a wait without a timeout can end.
    pub(crate) fn is_waiting(&self) -> bool {
        self.selector.is_armed()
    }

    /// Returns whether any source is registered.
    pub(crate) fn has_sources(&self) -> bool {
        !self.sources.lock().is_empty()
    }

    /// Removes a source.
    #[cfg_attr(small_code, inline(never))] // SIZE: every future with a socket in it drops one.
    pub(crate) fn remove(&self, raw: &Raw, key: usize) {
        self.selector.deregister(raw, key);
        let state = self.sources.lock().remove(key);
        // Wakers are dropped outside the lock.
        drop(state.map(ManuallyDrop::into_inner));
    }

    /// Returns the state of a source, if it is still registered.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after the host was asked.
    fn source(&self, key: usize) -> Option<Arc<IoState>> {
        self.sources.lock().get(key).map(|state| Arc::clone(state))
    }

    /// Asks the host, and wakes the tasks whose sources are ready. Or, before it asks, wakes the tasks whose sources
    /// may be ready. Returns the number of wakers woken.
    pub(crate) fn poll(&self, parked: Parked<'_>) -> usize {
        let (mut woken, mut looks) = (0, false);
        if sys::HOST.speculates {
            match self.next(&parked) {
                Next::Try => {
                    woken = self.guess();
                    if woken > 0 {
                        return woken;
                    }
                }
                Next::Pause => return 0,
                Next::Look => looks = true,
                Next::Wait => {}
            }
        }
        let parked = if looks { Parked::Look } else { parked };
        let mut driver = self.driver.lock();
        let Driver { sys, events, unexplained } = &mut *driver;
        *unexplained = match sys.poll(&self.selector, parked, *unexplained, events) {
            sys::Outcome::Done => 0,
            // Something happened that the host cannot name: report every armed source once. If that repeats, the
            // backend waits longer and longer before it asks again.
            sys::Outcome::Unexplained => {
                for key in 0..self.sources.lock().end() {
                    let ready = self.selector.disarm(key);
                    if !ready.is_empty() {
                        events.push(Event { key, ready });
                    }
                }
                unexplained.saturating_add(1)
            }
        };
        let mut events = std::mem::take(events);
        // No lock is held from here on, because a waker may run any code.
        drop(driver);
        // A look that found nothing does not end the turn of the speculation.
        if sys::HOST.speculates && !(looks && events.is_empty()) {
            self.end_turn(looks);
        }
        for event in &events {
            woken += self.tell(event.key, Some(event.ready));
        }
        // Keep the allocation for the next time.
        events.clear();
        if let Some(mut driver) = self.driver.try_lock() {
            driver.events = events;
        }
        woken
    }

    /// Passes on what the host reported about a source, or with `None` a guess that a read is worth trying. Returns the
    /// number of wakers woken.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after the host was asked.
    fn tell(&self, key: usize, ready: Option<Ready>) -> usize {
        let Some(state) = self.source(key) else { return 0 };
        if sys::look_after(self, &state) {
            return 0;
        }
        let Some(ready) = ready else { return state.guess() };
        // A source that the host reported as readable is worth trying before the next question to the host.
        if sys::HOST.speculates && ready.is_readable() && state.begin_activity() {
            self.speculation.lock().recent.push(key);
        }
        state.set_ready(ready)
    }

    /// Returns what to do before the host is asked to wait.
    fn next(&self, parked: &Parked<'_>) -> Next {
        match parked {
            Parked::Wait { unless, .. } if !unless() => {
                let sources = self.sources.lock();
                let mut speculation = self.speculation.lock();
                let lone = speculation.lone().and_then(|key| sources.get(key));
                speculation.next(lone.map_or(0, |state| state.streamed()), sys::now)
            }
            _ => Next::Wait,
        }
    }

    /// Wakes the tasks for which an attempt may find data. Returns the number of wakers woken.
    fn guess(&self) -> usize {
        let recent = |place| self.speculation.lock().recent.get(place).copied();
        let (mut place, mut woken) = (0, 0);
        while let Some(key) = recent(place) {
            woken += self.tell(key, None);
            place += 1;
        }
        self.speculation.lock().tries(woken);
        woken
    }

    /// Records that an attempt on a guess found data.
    pub(crate) fn guessed_right(&self) {
        self.speculation.lock().found();
    }

    /// Ends a turn of the speculation. Sources that were active in it are worth trying in the next one.
    fn end_turn(&self, looked: bool) {
        let sources = self.sources.lock();
        let mut speculation = self.speculation.lock();
        speculation.end_turn(looked, sys::now);
        let recent = &mut speculation.recent;
        // Not `retain`, which takes twice as much code in a guest.
        let (mut place, mut kept) = (0, 0);
        while let Some(&key) = recent.get(place) {
            if sources.get(key).is_some_and(|state| state.goes_on()) {
                if let Some(kept) = recent.get_mut(kept) {
                    *kept = key;
                }
                kept += 1;
            }
            place += 1;
        }
        recent.truncate(kept);
    }
}

const SHUTDOWN: &str = "A Tokio 1.x context was found, but it is being shutdown.";

#[cold]
#[inline(never)]
pub(crate) fn shutdown_error() -> io::Error {
    text_error(io::ErrorKind::Other, SHUTDOWN)
}

/// Returns whether the error is the one of a runtime that has shut down.
pub(crate) fn is_shutdown_error(error: &io::Error) -> bool {
    text_error::says(error, SHUTDOWN)
}
