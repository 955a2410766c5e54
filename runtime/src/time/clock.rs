//! The clock of a runtime. It is the system's, unless a test pauses it.
//!
//! [`pause`] pauses the clock of the current runtime, and [`advance`] moves a paused one. While the clock is paused and
//! no task can run, the runtime itself moves it to the next deadline, so tests neither wait nor depend on the speed of
//! the machine.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as StdInstant};

use super::{Instant, LazyTimers};
use crate::context;

/// Whether any clock of this process was ever paused. Until then the time is read without looking for a runtime.
static EVER_PAUSED: AtomicBool = AtomicBool::new(false);

const NO_RUNTIME: &str = "time cannot be frozen from outside the Tokio runtime: call it in a task, or in \
                          the future that is passed to `block_on`";

/// Reads the clock of the current runtime, or the system's clock outside of a runtime.
pub(super) fn now() -> Instant {
    let now = if EVER_PAUSED.load(Ordering::Relaxed) {
        context::with_handle(|handle| handle.map(|handle| handle.time().now()))
    } else {
        None
    };
    Instant::from_std(now.unwrap_or_else(StdInstant::now))
}

/// Pauses the clock of the current runtime.
///
/// [`Instant::now`] does not advance by itself. It changes only through [`advance`] and through the runtime: when every
/// task waits and a timer is armed, the clock jumps to the earliest deadline. So `sleep` takes no real time, and
/// everything happens in the order of the deadlines. The clock does not jump while work of `spawn_blocking` is under
/// way. The standard library's clock is not affected.
///
/// `#[wasio::test(start_paused = true)]` and [`Builder::start_paused`](crate::runtime::Builder::start_paused)
/// start a runtime with a stopped clock.
///
/// # Panics
///
/// Panics if the clock is stopped already, outside of a runtime, or on a multi-thread runtime.
///
/// # Examples
///
/// ```
/// use wasio::time::{self, Duration, Instant};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// time::pause();
/// let start = Instant::now();
/// time::sleep(Duration::from_secs(3600)).await; // returns at once
/// assert!(start.elapsed() >= Duration::from_secs(3600));
/// # }
/// ```
#[track_caller]
pub fn pause() {
    if let Err(message) = with_timers(LazyTimers::pause) {
        panic!("{message}");
    }
}

/// Resumes the clock of the current runtime from where it was paused.
///
/// # Panics
///
/// Panics if the clock is not stopped, or outside of a runtime.
///
/// # Examples
///
/// ```
/// use wasio::time::{self, Duration, Instant};
///
/// # #[wasio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// time::sleep(Duration::from_secs(3600)).await; // returns at once
/// time::resume();
/// let start = Instant::now();
/// time::sleep(Duration::from_millis(1)).await; // waits
/// assert!(start.elapsed() >= Duration::from_millis(1));
/// # }
/// ```
#[track_caller]
pub fn resume() {
    if let Err(message) = with_timers(|timers| timers.timers().resume()) {
        panic!("{message}");
    }
}

/// Moves the paused clock of the current runtime forward, and lets other tasks run once.
///
/// The clock jumps: timers with a deadline in between fire together, and those tasks may not have run yet
/// when this returns. To pass through the deadlines one by one, `sleep` for that time instead: the runtime
/// moves the clock from deadline to deadline.
///
/// # Panics
///
/// Panics if the clock is not stopped, outside of a runtime, or if the system's clock cannot represent the result.
///
/// # Cancel safety
///
/// The clock is moved when the future is first polled; dropping it later changes nothing.
///
/// # Examples
///
/// ```
/// use wasio::time::{self, Duration, Instant};
///
/// # #[wasio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let start = Instant::now();
/// time::advance(Duration::from_micros(1500)).await;
/// assert_eq!(start.elapsed(), Duration::from_micros(1500));
/// # }
/// ```
pub async fn advance(duration: Duration) {
    if let Err(message) = with_timers(|timers| timers.timers().advance(duration)) {
        panic!("{message}");
    }
    // The caller is a running task, and while tasks are ready the executor checks the timers only now and then.
    if let Some(handle) = context::handle() {
        handle.time().fire();
    }
    crate::task::yield_now().await;
}

fn with_timers(
    f: impl FnOnce(&LazyTimers) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    context::with_handle(|handle| match handle {
        Some(handle) => f(handle.time()),
        None => Err(NO_RUNTIME),
    })
}

/// A clock that can be paused.
pub(super) struct Clock {
    /// The time that the clock showed when it was last started or paused.
    base: StdInstant,
    /// When the clock was last started. `None` while it is paused.
    running_since: Option<StdInstant>,
}

impl Clock {
    pub(super) fn new(now: StdInstant) -> Clock {
        Clock { base: now, running_since: Some(now) }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.running_since.is_none()
    }

    /// Reads the clock. Asks the host only if the clock is running.
    pub(super) fn now(&self) -> StdInstant {
        match self.running_since {
            // A clock that was never paused shows the system's time, because `base` equals `since`.
            Some(since) => self.base + since.elapsed(),
            None => self.base,
        }
    }

    pub(super) fn pause(&mut self) -> Result<(), &'static str> {
        if self.is_paused() {
            return Err("time is already frozen");
        }
        self.base = self.now();
        self.running_since = None;
        EVER_PAUSED.store(true, Ordering::Relaxed);
        Ok(())
    }

    pub(super) fn resume(&mut self) -> Result<(), &'static str> {
        if !self.is_paused() {
            return Err("time is not frozen");
        }
        self.running_since = Some(StdInstant::now());
        Ok(())
    }

    /// Advances a paused clock. Panics if the system's clock cannot represent the result.
    pub(super) fn advance(&mut self, duration: Duration) -> Result<(), &'static str> {
        if !self.is_paused() {
            return Err("time is not frozen");
        }
        self.base =
            self.base.checked_add(duration).ok_or("overflow when advancing the paused clock")?;
        Ok(())
    }
}
