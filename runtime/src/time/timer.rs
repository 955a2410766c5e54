//! What `Sleep`, `Interval` and `Timeout` have in common: one deadline on one runtime.

use std::fmt;
use std::task::{Context, Poll, ready};

use super::Instant;
use super::queue::Key;
use crate::runtime::Handle;
use crate::task::coop;

const DISABLED: &str = "A Tokio 1.x context was found, but timers are disabled. Call `enable_time` on the \
                        runtime builder to enable timers.";
const CLOSED: &str = "A Tokio 1.x context was found, but it is being shutdown. A timer fires only while \
                      the runtime it was made on exists.";

/// A timer of the runtime it was made on. Armed when first polled, cancelled when dropped.
pub(super) struct Timer {
    deadline: Instant,
    handle: Handle,
    state: State,
}

#[derive(Clone, Copy)]
enum State {
    /// Not known to the driver.
    Idle,
    /// Known to the driver: armed, or fired without our having looked.
    Armed(Key),
    /// Its time has passed; the driver has forgotten it.
    Elapsed,
}

impl Timer {
    /// A timer of the current runtime.
    ///
    /// # Panics
    ///
    /// Outside of a runtime, or if its timers are not enabled.
    #[track_caller]
    pub(super) fn new(deadline: Instant) -> Timer {
        let timer = Timer::anyway(deadline);
        assert!(timer.handle.time().is_enabled(), "{DISABLED}");
        timer
    }

    /// Likewise, whether or not its timers are enabled.
    #[track_caller]
    pub(super) fn anyway(deadline: Instant) -> Timer {
        Timer { deadline, handle: Handle::current(), state: State::Idle }
    }

    pub(super) fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Whether the timer fired. One that was not armed has not, whatever the time is.
    pub(super) fn is_elapsed(&self) -> bool {
        match self.state {
            State::Idle => false,
            State::Armed(key) => self.handle.time().timers().has_fired(key),
            State::Elapsed => true,
        }
    }

    /// Moves the timer to another time and arms it there.
    pub(super) fn reset(&mut self, deadline: Instant) {
        self.deadline = deadline;
        match self.state {
            State::Armed(key) => {
                self.handle.time().timers().rearm(&self.handle, key, deadline);
            }
            State::Idle | State::Elapsed => {
                self.state = match self.handle.time().timers().arm(&self.handle, deadline, None) {
                    Some(key) => State::Armed(key),
                    None => State::Elapsed,
                };
            }
        }
    }

    /// Moves the timer to another time, to be armed when it is polled next.
    pub(super) fn reset_idle(&mut self, deadline: Instant) {
        self.cancel();
        self.deadline = deadline;
    }

    /// Takes from the task's budget; panics if the timer's runtime was shut down.
    pub(super) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let coop = ready!(coop::poll_proceed(cx));
        let driver = self.handle.time();
        assert!(!driver.is_closed(), "{CLOSED}");
        let timers = driver.timers();
        match self.state {
            State::Idle => {
                if let Some(key) = timers.arm(&self.handle, self.deadline, Some(cx.waker())) {
                    self.state = State::Armed(key);
                    return Poll::Pending;
                }
                self.state = State::Elapsed;
            }
            State::Armed(key) => {
                ready!(timers.poll(key, cx.waker()));
                self.state = State::Elapsed;
                timers.cancel(key);
            }
            State::Elapsed => {}
        }
        coop.made_progress();
        Poll::Ready(())
    }

    fn cancel(&mut self) {
        if let State::Armed(key) = std::mem::replace(&mut self.state, State::Idle) {
            self.handle.time().timers().cancel(key);
        }
    }
}

impl Drop for Timer {
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
