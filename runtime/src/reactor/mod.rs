//! The reactor: records which tasks wait for which sources, and polls the host for them.
//!
//! A [`Source`] is anything that tasks can wait for: a socket, standard input, natively any file descriptor that the
//! system can poll, and on WASI 0.2 any pollable. An operation on a source is attempted first. If it would block, the
//! task's waker is stored in the source, and the source is armed. When no task can run, the executor parks in the
//! reactor, which polls the host for all armed sources in one call.
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
use crate::slab::Slab;
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

/// Whether the reactor may block while it polls the host.
pub(crate) enum PollMode<'a> {
    /// Do not block. Take pending events, and skip the poll if the last one cost too much (`front.rs`).
    Throttled,
    /// Do not block. Take pending events.
    NonBlocking,
    /// Block for up to `timeout`, unless there is something to do.
    Blocking {
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

/// The registered sources, and the backend that polls them.
pub(crate) struct Core {
    /// Every source keeps its reactor alive, and lingering sources are removed at the end of their runtime, so no
    /// source is left when the reactor is dropped.
    // SIZE: `ManuallyDrop`, so that a guest has no code to drop one.
    sources: Mutex<Slab<ManuallyDrop<Arc<IoState>>>>,
    pub(crate) selector: sys::Selector,
    speculation: Mutex<Speculation>,
    poll_state: Mutex<PollState>,
}

/// The state of the thread that polls.
struct PollState {
    poller: sys::Poller,
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

    /// Marks every source of the runtime as shut down, and wakes its tasks.
    pub(crate) fn shutdown(&self) {
        self.closed.store(true, Ordering::Release);
        // No source is added any more. No lock is held, because a waker may run any code.
        let end = self.sources.lock().end();
        for key in 0..end {
            let Some(state) = self.source(key).filter(|state| state.owner == self.id()) else {
                continue;
            };
            if !sys::end_lingering(self, &state) {
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
        let (selector, poller) = sys::new()?;
        Ok(Core {
            sources: Mutex::new(Slab::new()),
            selector,
            speculation: Mutex::default(),
            poll_state: Mutex::new(PollState { poller, events: Vec::new(), unexplained: 0 }),
        })
    }

    /// Returns the handle that makes `poll` return early.
    pub(crate) fn unparker(&self) -> Unparker {
        self.selector.unparker()
    }

    /// Calls `f` with the backend of the polling thread.
    #[cfg(all(test, not(loom)))]
    #[allow(dead_code)] // Only natively a test needs it.
    pub(crate) fn with_poller<R>(&self, f: impl FnOnce(&sys::Poller) -> R) -> R {
        f(&self.poll_state.lock().poller)
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
    #[cfg_attr(small_code, inline(never))] // SIZE: called after a poll of the host.
    fn source(&self, key: usize) -> Option<Arc<IoState>> {
        self.sources.lock().get(key).map(|state| Arc::clone(state))
    }

    /// Polls the host, and wakes the tasks whose sources are ready. With speculation, it may first wake the tasks whose
    /// sources were ready recently, and not poll. Returns the number of wakers woken.
    pub(crate) fn poll(&self, mode: PollMode<'_>) -> usize {
        let (mut woken, mut polls_first) = (0, false);
        if sys::HOST.speculates {
            match self.next(&mode) {
                Next::Try => {
                    woken = self.guess();
                    if woken > 0 {
                        return woken;
                    }
                }
                Next::Pause => return 0,
                Next::Poll => polls_first = true,
                Next::Wait => {}
            }
        }
        let mode = if polls_first { PollMode::NonBlocking } else { mode };
        let mut poll_state = self.poll_state.lock();
        let PollState { poller, events, unexplained } = &mut *poll_state;
        *unexplained = match poller.poll(&self.selector, mode, *unexplained, events) {
            sys::Outcome::Done => 0,
            // Something happened that the host cannot name: report every armed source once. If that repeats, the
            // backend waits longer and longer before it polls again.
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
        drop(poll_state);
        // A poll without blocking that found nothing does not end the iteration.
        if sys::HOST.speculates && !(polls_first && events.is_empty()) {
            self.end_iteration(polls_first);
        }
        for event in &events {
            woken += self.dispatch(event.key, Some(event.ready));
        }
        // Keep the allocation for the next time.
        events.clear();
        if let Some(mut poll_state) = self.poll_state.try_lock() {
            poll_state.events = events;
        }
        woken
    }

    /// Delivers an event to its source, or with `None` a guess that a read is worthwhile. Returns the number of wakers
    /// woken.
    #[cfg_attr(small_code, inline(never))] // SIZE: called after a poll of the host.
    fn dispatch(&self, key: usize, ready: Option<Ready>) -> usize {
        let Some(state) = self.source(key) else { return 0 };
        if sys::drop_if_done(self, &state) {
            return 0;
        }
        let Some(ready) = ready else { return state.guess() };
        // Reads on a source that was readable are attempted before the next poll of the host.
        if sys::HOST.speculates && ready.is_readable() && state.mark_active() {
            self.speculation.lock().recent.push(key);
        }
        state.set_ready(ready)
    }

    /// Returns what to do before a blocking poll of the host.
    fn next(&self, mode: &PollMode<'_>) -> Next {
        match mode {
            PollMode::Blocking { unless, .. } if !unless() => {
                let sources = self.sources.lock();
                let mut speculation = self.speculation.lock();
                let lone = speculation.lone().and_then(|key| sources.get(key));
                speculation.next(lone.map_or(0, |state| state.bulk_reads()), sys::now)
            }
            _ => Next::Wait,
        }
    }

    /// Wakes the tasks for which an attempt may find data. Returns the number of wakers woken.
    fn guess(&self) -> usize {
        let recent = |place| self.speculation.lock().recent.get(place).copied();
        let (mut place, mut woken) = (0, 0);
        while let Some(key) = recent(place) {
            woken += self.dispatch(key, None);
            place += 1;
        }
        self.speculation.lock().tries(woken);
        woken
    }

    /// Records that an attempt on a guess found data.
    pub(crate) fn record_hit(&self) {
        self.speculation.lock().found();
    }

    /// Ends an iteration of the speculation. Sources that were active in it are tried in the next one.
    fn end_iteration(&self, polled: bool) {
        let sources = self.sources.lock();
        let mut speculation = self.speculation.lock();
        speculation.end_iteration(polled, sys::now);
        let recent = &mut speculation.recent;
        // SIZE: not `retain`, which takes twice as much code in a guest.
        let (mut place, mut kept) = (0, 0);
        while let Some(&key) = recent.get(place) {
            if sources.get(key).is_some_and(|state| state.end_iteration()) {
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
