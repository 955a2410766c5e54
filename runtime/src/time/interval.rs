//! Ticks at regular intervals.

use std::future::poll_fn;
use std::task::{Context, Poll, ready};

use super::timer::Timer;
use super::{Duration, FAR_FUTURE, Instant};

/// How late a tick may be taken before the following ones count as missed.
const TOLERANCE: Duration = Duration::from_millis(5);

/// Creates an interval that ticks every `period`. The first tick is immediate.
///
/// Between a tick and the next [`tick`](Interval::tick) call anything may happen: the time that takes is
/// part of the period. What follows after a tick was missed is up to [`MissedTickBehavior`].
///
/// # Panics
///
/// Panics if `period` is zero, outside a runtime, or on a runtime without timers
/// ([`Builder::enable_time`](crate::runtime::Builder::enable_time)).
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, Instant, interval};
///
/// # #[wasio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let start = Instant::now();
/// let mut heartbeat = interval(Duration::from_millis(10));
/// heartbeat.tick().await; // at once
/// heartbeat.tick().await;
/// heartbeat.tick().await;
/// assert!(start.elapsed() >= Duration::from_millis(20));
/// # }
/// ```
#[track_caller]
pub fn interval(period: Duration) -> Interval {
    assert!(!period.is_zero(), "`period` must be non-zero.");
    interval_at(Instant::now(), period)
}

/// Creates an interval that ticks every `period`. The first tick is at `start`.
///
/// # Panics
///
/// Panics if `period` is zero, outside a runtime, or on a runtime without timers, as [`interval()`] does.
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, Instant, interval_at};
///
/// # #[wasio::main(flavor = "current_thread", start_paused = true)]
/// # async fn main() {
/// let start = Instant::now() + Duration::from_millis(50);
/// let mut ticks = interval_at(start, Duration::from_millis(10));
/// assert_eq!(ticks.tick().await, start);
/// assert_eq!(ticks.tick().await, start + Duration::from_millis(10));
/// # }
/// ```
#[track_caller]
pub fn interval_at(start: Instant, period: Duration) -> Interval {
    assert!(!period.is_zero(), "`period` must be non-zero.");
    Interval {
        timer: Timer::new(start),
        period: period.min(FAR_FUTURE),
        missed: MissedTickBehavior::Burst,
    }
}

/// When an [`Interval`] ticks next after a tick was taken more than 5 ms late.
///
/// With a period of 100 ms, ticks at 0, 100, 200… and the tick of 100 taken at 250:
///
/// | behaviour | the next ticks |
/// |---|---|
/// | `Burst` | 200 (at once), 300, 400… |
/// | `Delay` | 350, 450, 550… |
/// | `Skip` | 300, 400, 500… |
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use wasio::time::{MissedTickBehavior, interval};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mut interval = interval(Duration::from_millis(10));
/// interval.set_missed_tick_behavior(MissedTickBehavior::Delay);
/// interval.tick().await; // the first tick is immediate
/// interval.tick().await;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MissedTickBehavior {
    /// The missed ticks follow at once, as many as were missed. No tick is lost, and the schedule stays. The default.
    #[default]
    Burst,
    /// The next tick comes one period after the late one, so there is always a period between two ticks.
    Delay,
    /// The missed ticks are skipped, and the schedule stays.
    Skip,
}

impl MissedTickBehavior {
    /// Returns the time of the tick after the one of `scheduled`, which was taken at `now`.
    fn next(self, scheduled: Instant, now: Instant, period: Duration) -> Instant {
        let is_missed = now > scheduled + TOLERANCE;
        match self {
            MissedTickBehavior::Delay if is_missed => now + period,
            MissedTickBehavior::Skip if is_missed => {
                let into_period = (now - scheduled).as_nanos() % period.as_nanos();
                // The value fits: it is less than a period, which is at most thirty years in nanoseconds.
                now + (period - Duration::from_nanos(into_period as u64))
            }
            _ => scheduled + period,
        }
    }
}

/// Ticks at regular intervals. [`interval()`] and [`interval_at`] create it.
#[derive(Debug)]
pub struct Interval {
    timer: Timer,
    period: Duration,
    missed: MissedTickBehavior,
}

impl Interval {
    /// Waits for the next tick and returns when it was due.
    ///
    /// # Cancel safety
    ///
    /// No tick is lost when the future is dropped before it was ready.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::time::{Duration, interval};
    ///
    /// # #[wasio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut ticks = interval(Duration::from_millis(10));
    /// let first = ticks.tick().await;
    /// assert_eq!(ticks.tick().await, first + Duration::from_millis(10));
    /// # }
    /// ```
    pub async fn tick(&mut self) -> Instant {
        poll_fn(|cx| self.poll_tick(cx)).await
    }

    /// Polls for the next tick.
    ///
    /// `Ready` carries when the tick was due. The task is woken for a tick only after this returned
    /// `Pending`: not after `Ready`, so poll on until `Pending` or wake the task.
    pub fn poll_tick(&mut self, cx: &mut Context<'_>) -> Poll<Instant> {
        ready!(self.timer.poll(cx));
        let scheduled = self.timer.deadline();
        let next = match self.missed {
            // The schedule stays whether or not the tick is late, so the time is not needed.
            MissedTickBehavior::Burst => scheduled + self.period,
            missed => missed.next(scheduled, Instant::now(), self.period),
        };
        self.timer.reset_idle(next);
        Poll::Ready(scheduled)
    }

    /// Resets the interval: the next tick is one period from now.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::time::{Duration, Instant, interval};
    ///
    /// # #[wasio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let mut ticks = interval(Duration::from_millis(100));
    /// ticks.tick().await;
    /// wasio::time::sleep(Duration::from_millis(50)).await;
    /// ticks.reset();
    /// let reset = Instant::now();
    /// ticks.tick().await;
    /// assert!(reset.elapsed() >= Duration::from_millis(100));
    /// # }
    /// ```
    pub fn reset(&mut self) {
        self.timer.reset(Instant::now() + self.period);
    }

    /// Resets the interval: the next tick is immediate.
    pub fn reset_immediately(&mut self) {
        self.timer.reset(Instant::now());
    }

    /// Resets the interval: the next tick is `after` from now, and further ones follow every period.
    pub fn reset_after(&mut self, after: Duration) {
        self.timer.reset(Instant::now() + after.min(FAR_FUTURE));
    }

    /// Resets the interval: the next tick is at `deadline`, and further ones follow every period.
    ///
    /// A `deadline` in the past lets ticks follow as if they had been missed.
    pub fn reset_at(&mut self, deadline: Instant) {
        self.timer.reset(deadline);
    }

    /// Returns what happens after a missed tick.
    pub fn missed_tick_behavior(&self) -> MissedTickBehavior {
        self.missed
    }

    /// Sets what happens after a missed tick.
    pub fn set_missed_tick_behavior(&mut self, behavior: MissedTickBehavior) {
        self.missed = behavior;
    }

    /// Returns the period of the interval.
    pub fn period(&self) -> Duration {
        self.period
    }
}
