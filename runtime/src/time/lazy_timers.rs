//! The interface between the executor and the timers.
//!
//! The executor asks how long it may wait, and later fires the timers that are due.
//!
//! SIZE: a guest that creates no timer and does not pause the clock does not link `timers.rs`, which is five kilobytes:
//! only code that needs timers creates the [`Timers`], and the executor calls them through a trait object.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as StdInstant};

use super::timers::Timers;
use crate::once::Once;
use crate::reactor::Unparker;
use crate::sys::HOST;

const NO_PAUSE: &str = "`time::pause()` requires the `current_thread` Tokio runtime. This is the default \
                        Runtime used by `#[tokio::test]`.";

/// The operations of the executor on timers.
pub(super) trait TimerOps: Send + Sync {
    fn timers(&self) -> &Arc<Timers>;
    fn is_paused(&self) -> bool;
    fn park_timeout(&self) -> Option<Duration>;
    fn fire(&self) -> usize;
    fn auto_advance(&self) -> bool;
    fn shutdown(&self);
}

/// The timers and the clock of one runtime, created on first use. See the module's documentation.
pub(crate) struct LazyTimers {
    enabled: bool,
    can_pause: bool,
    closed: AtomicBool,
    timers: Once<Box<dyn TimerOps>>,
    unparker: Unparker,
}

/// Makes a runtime begin with a paused clock. A function pointer, so that a program that does not ask for it does not
/// link it.
pub(crate) type StartPaused = fn(&LazyTimers);

/// Pauses the clock of a new runtime.
pub(crate) fn start_paused(timers: &LazyTimers) {
    timers.timers.get_or_init(|| timers.make(true));
}

impl LazyTimers {
    /// Creates the clock, and the timers unless `enabled` is false: timers are then refused. Without
    /// `can_pause`, as for the multi-thread flavour, `time::pause` is refused.
    pub(crate) fn new(
        enabled: bool,
        start_paused: Option<StartPaused>,
        can_pause: bool,
        unparker: Unparker,
    ) -> LazyTimers {
        let closed = AtomicBool::new(false);
        let timers = LazyTimers { enabled, can_pause, closed, timers: Once::new(), unparker };
        if let Some(pause) = start_paused {
            assert!(can_pause, "{NO_PAUSE}");
            pause(&timers);
        }
        // Another thread may arm the first timer while this one waits, and must be able to find out until when.
        if HOST.has_threads {
            timers.timers();
        }
        timers
    }

    /// Returns whether timers may be created.
    pub(crate) fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// Returns whether the clock is paused.
    pub(crate) fn is_paused(&self) -> bool {
        self.created().is_some_and(|timers| timers.is_paused())
    }

    /// Returns how long the executor may wait: `None` if no timer will fire by itself, zero if one is due.
    ///
    /// A paused clock brings no timer closer. The result is then `None` unless a timer is due: see
    /// [`auto_advance`](Self::auto_advance). Reads the clock only if a timer is armed. If one is due, the
    /// [`fire`](Self::fire) that follows uses the time that was read.
    pub(crate) fn park_timeout(&self) -> Option<Duration> {
        self.created()?.park_timeout()
    }

    /// Returns whether the last result of [`park_timeout`](Self::park_timeout) is out of date, because another thread
    /// has armed an earlier timer.
    // SIZE: not through the trait object, so that a guest, in which only this thread arms timers, does not link it.
    pub(crate) fn is_overtaken(&self) -> bool {
        self.created().is_some_and(|timers| timers.timers().is_overtaken())
    }

    /// Returns whether the clock is paused and a timer is armed to which [`auto_advance`](Self::auto_advance) would
    /// move it.
    pub(crate) fn could_advance(&self) -> bool {
        self.created().is_some_and(|timers| timers.timers().could_advance())
    }

    /// Fires every due timer and wakes its task, in the order of their deadlines. Returns the number of timers that
    /// fired. Reads the clock only if a timer is armed.
    pub(crate) fn fire(&self) -> usize {
        self.created().map_or(0, |timers| timers.fire())
    }

    /// Advances a paused clock to the next deadline. Returns whether it did, in which case `fire` has something to do.
    ///
    /// Call it only when everything waits, no blocking work is under way and the reactor has no event for the root.
    pub(crate) fn auto_advance(&self) -> bool {
        self.created().is_some_and(|timers| timers.auto_advance())
    }

    /// Shuts the timers down: wakes every timer's task. A timer that is polled from now on panics.
    pub(crate) fn shutdown(&self) {
        self.closed.store(true, Ordering::Release);
        if let Some(timers) = self.created() {
            timers.shutdown();
        }
    }

    /// Returns the time that this runtime's clock shows.
    pub(super) fn now(&self) -> StdInstant {
        self.created().map_or_else(StdInstant::now, |timers| timers.timers().now())
    }

    pub(super) fn pause(&self) -> Result<(), &'static str> {
        if !self.can_pause {
            return Err(NO_PAUSE);
        }
        self.timers().pause()
    }

    /// The timers, created on first use.
    #[inline]
    pub(crate) fn timers(&self) -> &Arc<Timers> {
        self.timers.get_or_init(|| self.make(false)).timers()
    }

    #[cold]
    #[inline(never)]
    fn make(&self, paused: bool) -> Box<dyn TimerOps> {
        let closed = self.closed.load(Ordering::Acquire);
        Box::new(Arc::new(Timers::new(closed, paused, self.unparker.clone())))
    }

    fn created(&self) -> Option<&dyn TimerOps> {
        self.timers.get().map(|timers| &**timers)
    }
}
