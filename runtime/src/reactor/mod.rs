//! The reactor: who waits for what, and how the host is asked.
//!
//! A [`Source`] is anything that can be waited for: a socket, stdin, natively any file descriptor that the
//! OS can poll, on WASI 0.2 any pollable. An operation on it is tried first; when it would block, the task's waker is left with the
//! source and the source is armed. When no task can run, the executor parks in the reactor, which asks the
//! host once for all armed sources.
//!
//! `sys/mod.rs` states what a backend does.

mod io_state;
#[cfg(unix)]
pub(crate) mod park_flag;
mod source;
mod speculation;
mod sys;

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::Waker;
use std::time::Duration;

use slab::Slab;

use crate::io::Ready;
use crate::lock::Mutex;
use crate::text_error::{self, text_error};
use io_state::IoState;
#[cfg(unix)]
pub(crate) use io_state::Seen;
use speculation::{Next, Speculation};

pub use source::{Direction, Left, Source};
pub use sys::Raw;
pub(crate) use sys::Unparker;
#[cfg(all(target_os = "wasi", target_env = "p2"))]
pub use sys::{Subscribe, wait_for};

/// What a backend reports of one source.
pub(crate) struct Event {
    pub(crate) key: usize,
    pub(crate) ready: Ready,
}

/// How long the reactor may wait.
pub(crate) enum Parked<'a> {
    /// Not at all: take what is there, unless a look costs more than it is worth now.
    Glance,
    /// Not at all: take what is there.
    Look,
    /// Up to a time, unless there turns out to be something to do.
    Wait {
        /// `None`: until something happens.
        timeout: Option<Duration>,
        /// Asked after others can see that the thread is parked, so that no wake is missed.
        unless: &'a dyn Fn() -> bool,
    },
}

/// The reactor of one runtime.
pub(crate) struct Reactor {
    enabled: bool,
    closed: AtomicBool,
    sources: Mutex<Slab<Arc<IoState>>>,
    selector: sys::Selector,
    speculation: Mutex<Speculation>,
    driver: Mutex<Driver>,
}

/// A look at so many sources costs little.
const FEW: usize = 16;

/// What only the thread that parks needs.
struct Driver {
    sys: sys::Driver,
    events: Vec<Event>,
    wakers: Vec<Waker>,
    /// Polls in a row that ended early and reported nothing.
    barren: u32,
}

impl Reactor {
    pub(crate) fn new(enabled: bool) -> io::Result<Reactor> {
        let (selector, sys) = sys::new()?;
        Ok(Reactor {
            enabled,
            closed: AtomicBool::new(false),
            sources: Mutex::new(Slab::new()),
            selector,
            speculation: Mutex::default(),
            driver: Mutex::new(Driver { sys, events: Vec::new(), wakers: Vec::new(), barren: 0 }),
        })
    }

    /// Whether the runtime was built with I/O.
    #[cfg(unix)]
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// What makes `poll` return early.
    pub(crate) fn unparker(&self) -> Unparker {
        self.selector.unparker()
    }

    /// Whether something is armed, so that waiting without a timeout can end.
    #[cfg(not(unix))]
    pub(crate) fn is_waiting(&self) -> bool {
        self.selector.is_armed()
    }

    /// Whether anything is registered.
    pub(crate) fn has_sources(&self) -> bool {
        !self.sources.lock().is_empty()
    }

    /// Asks the host, wakes the tasks whose sources became ready; or wakes those whose sources may be. Returns how
    /// many were woken.
    pub(crate) fn poll(&self, parked: Parked<'_>) -> usize {
        let mut driver = self.driver.lock();
        let Driver { sys, events, wakers, barren } = &mut *driver;
        let next = if sys::SPECULATES { self.speculate(&parked, wakers) } else { Next::Wait };
        if next != Next::Try {
            let looks = next == Next::Look;
            let parked = match looks {
                true if self.sources.lock().len() <= FEW => Parked::Look,
                true => Parked::Glance,
                false => parked,
            };
            let outcome = sys.poll(&self.selector, parked, *barren, events);
            let sources = self.sources.lock();
            *barren = match outcome {
                sys::Outcome::Done => 0,
                // Something happened that the host cannot name: look at every armed source once; if that
                // repeats, the backend waits longer and longer before it asks again.
                sys::Outcome::Barren => {
                    for (key, _) in sources.iter() {
                        let ready = self.selector.disarm(key);
                        if !ready.is_empty() {
                            events.push(Event { key, ready });
                        }
                    }
                    barren.saturating_add(1)
                }
            };
            // A look in between that found nothing ends no turn.
            if sys::SPECULATES && !(looks && events.is_empty()) {
                self.end_turn(&sources, looks, events);
            }
            for event in events.drain(..) {
                if let Some(state) = sources.get(event.key) {
                    state.set_ready(event.ready, wakers);
                }
            }
        }
        let mut wakers = std::mem::take(wakers);
        drop(driver);
        let count = wakers.len();
        // No lock is held: a waker may run anything.
        for waker in wakers.drain(..) {
            waker.wake();
        }
        // Keep the allocation for the next time.
        if let Some(mut driver) = self.driver.try_lock() {
            std::mem::swap(&mut driver.wakers, &mut wakers);
        }
        count
    }

    /// What to do before the host is asked to wait. Collects the wakers of those who may find something if they try.
    fn speculate(&self, parked: &Parked<'_>, wakers: &mut Vec<Waker>) -> Next {
        let Parked::Wait { unless, .. } = parked else { return Next::Wait };
        let mut speculation = self.speculation.lock();
        if unless() {
            return Next::Wait;
        }
        let next = speculation.next(sys::now);
        if next != Next::Try {
            return next;
        }
        let sources = self.sources.lock();
        let recent = speculation.recent.iter().filter_map(|&key| sources.get(key));
        let count = recent.filter(|state| state.guess(wakers)).count();
        speculation.tries(count);
        if count > 0 { Next::Try } else { Next::Wait }
    }

    /// An attempt on a guess found something.
    pub(crate) fn guessed_right(&self) {
        self.speculation.lock().found();
    }

    /// What was active in the turn, and what the host reported at its end, is worth trying in the next.
    fn end_turn(&self, sources: &Slab<Arc<IoState>>, looked: bool, events: &[Event]) {
        let mut speculation = self.speculation.lock();
        speculation.end_turn(looked, sys::now);
        let recent = &mut speculation.recent;
        recent.retain(|&key| sources.get(key).is_some_and(|state| state.goes_on()));
        for event in events.iter().filter(|event| event.ready.is_readable()) {
            if sources.get(event.key).is_some_and(|state| state.begin_activity()) {
                recent.push(event.key);
            }
        }
    }

    /// Tells every source that the runtime is gone.
    pub(crate) fn shutdown(&self) {
        self.closed.store(true, Ordering::Release);
        let mut wakers = Vec::new();
        for (_, state) in self.sources.lock().iter() {
            state.shutdown(&mut wakers);
        }
        while let Some(waker) = wakers.pop() {
            waker.wake();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }
}

const SHUTDOWN: &str = "A Tokio 1.x context was found, but it is being shutdown.";

#[cold]
#[inline(never)]
pub(crate) fn shutdown_error() -> io::Error {
    text_error(io::ErrorKind::Other, SHUTDOWN)
}

/// Whether the error is ours for a runtime that is gone.
pub(crate) fn is_shutdown_error(error: &io::Error) -> bool {
    text_error::says(error, SHUTDOWN)
}
