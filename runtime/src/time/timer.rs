//! What `Sleep`, `Interval` and `Timeout` have in common: one deadline on one runtime.

use std::fmt;
use std::mem;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::Instant;
use super::queue::{KEYS, Key};
use super::timers::Timers;
use crate::runtime::Handle;
use crate::task::coop;

const DISABLED: &str = "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the \
                        runtime builder to enable timers.";
const CLOSED: &str = "A Tokio 1.x context was found, but it is being shutdown. A timer fires only while \
                      the runtime it was made on exists.";

/// A timer of the runtime it was made on. Armed when first polled, cancelled when dropped.
///
/// It is part of many futures, so it is kept small.
pub(super) struct Timer {
    deadline: Instant,
    timers: Arc<Timers>,
    /// The key of what the driver knows: armed, or fired without our having looked. Or one of the two below.
    state: Key,
}

/// Not known to the driver.
const IDLE: Key = KEYS;
/// Its time has passed; the driver has forgotten it.
const ELAPSED: Key = KEYS + 1;

impl Timer {
    /// A timer of the current runtime.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, or if its timers are not enabled.
    #[track_caller]
    pub(super) fn new(deadline: Instant) -> Timer {
        let (timers, is_enabled) = Handle::current_timers();
        assert!(is_enabled, "{DISABLED}");
        Timer { deadline, timers, state: IDLE }
    }

    /// Likewise, whether or not its timers are enabled.
    #[track_caller]
    pub(super) fn anyway(deadline: Instant) -> Timer {
        Timer { deadline, timers: Handle::current_timers().0, state: IDLE }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the timer fired. One that was not armed has not, whatever the time is.
    pub(super) fn is_elapsed(&self) -> bool {
        match self.state {
            IDLE => false,
            ELAPSED => true,
            key => self.timers.has_fired(key),
        }
    }

    /// Moves the timer to another time and arms it there.
    pub(super) fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        match self.state {
            IDLE | ELAPSED => self.state = self.timers.arm(deadline, None).unwrap_or(ELAPSED),
            key => self.timers.rearm(key, deadline),
        }
    }

    /// Moves the timer to another time, to be armed when it is polled next.
    pub(super) fn reset_idle(&mut self, deadline: Instant) {
        self.cancel();
        self.deadline = deadline;
    }

    /// Takes from the task's budget; panics if the timer's runtime was shut down.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if !coop::may_proceed(cx) {
            return Poll::Pending;
        }
        assert!(!self.timers.is_closed(), "{CLOSED}");
        match self.state {
            IDLE => {
                if let Some(key) = self.timers.arm(self.deadline, Some(cx.waker())) {
                    self.state = key;
                    return Poll::Pending;
                }
                self.state = ELAPSED;
            }
            ELAPSED => {}
            key => {
                ready!(self.timers.poll(key, cx.waker()));
                self.state = ELAPSED;
                self.timers.cancel(key);
            }
        }
        coop::spend();
        Poll::Ready(())
    }

    #[inline]
    fn cancel(&mut self) {
        let key = mem::replace(&mut self.state, IDLE);
        if key < KEYS {
            self.timers.cancel(key);
        }
    }
}

impl Drop for Timer {
    #[inline]
    fn drop(&mut self) {
        self.cancel();
    }
}

impl fmt::Debug for Timer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Timer")
            .field("deadline", &self.deadline)
            .field("is_elapsed", &self.is_elapsed())
            .finish_non_exhaustive()
    }
}
