//! The timer inside `Sleep`, `Interval` and `Timeout`: one deadline on one runtime.

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
                      the runtime it was created on exists.";

/// A timer of the runtime on which it was created. Armed when first polled, cancelled when dropped.
///
/// It is part of many futures, so it is kept small.
pub(super) struct Timer {
    deadline: Instant,
    timers: Arc<Timers>,
    /// The key of the timer among the runtime's timers: it is armed, or has fired and was not polled since. Or one of
    /// the two constants below.
    state: Key,
}

/// The timer is not among the runtime's timers.
const IDLE: Key = KEYS;
/// The deadline has passed, and the timer was removed from the runtime's timers.
const ELAPSED: Key = KEYS + 1;

impl Timer {
    /// Creates a timer of the current runtime.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime, or if its timers are not enabled.
    #[track_caller]
    pub(super) fn new(deadline: Instant) -> Timer {
        let (timers, is_enabled) = Handle::current_timers();
        assert!(is_enabled, "{DISABLED}");
        Timer { deadline, timers, state: IDLE }
    }

    /// Like `new`, whether or not the runtime's timers are enabled.
    #[track_caller]
    pub(super) fn new_even_if_disabled(deadline: Instant) -> Timer {
        Timer { deadline, timers: Handle::current_timers().0, state: IDLE }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Returns whether the timer fired. A timer that was never armed has not fired, even if its deadline has passed.
    pub(super) fn is_elapsed(&self) -> bool {
        match self.state {
            IDLE => false,
            ELAPSED => true,
            key => self.timers.has_fired(key),
        }
    }

    /// Moves the timer to another time and arms it.
    pub(super) fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        match self.state {
            IDLE | ELAPSED => self.state = self.timers.arm(deadline, None).unwrap_or(ELAPSED),
            key => self.timers.rearm(key, deadline),
        }
    }

    /// Moves the timer to another time. It is armed at the next poll.
    pub(super) fn reset_idle(&mut self, deadline: Instant) {
        self.cancel();
        self.deadline = deadline;
    }

    /// Polls the timer, which costs budget. Panics if the timer's runtime was shut down.
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
