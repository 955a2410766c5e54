//! A point in time on the runtime's clock.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use super::clock;

/// A point in time, of use only together with others and with [`Duration`].
///
/// It is std's monotonic [`Instant`](std::time::Instant), except that [`now`](Instant::now) follows the
/// runtime's clock, which [`pause`](super::pause) stops and [`advance`](super::advance) moves.
///
/// Subtracting an instant from an earlier one gives zero, it does not panic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: std::time::Instant,
}

impl Instant {
    /// The current time on the clock of the runtime this is called in; outside of one, the system's.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::time::Instant;
    ///
    /// let start = Instant::now();
    /// assert!(Instant::now() >= start);
    /// ```
    pub fn now() -> Instant {
        clock::now()
    }

    /// Wraps a point in time of the standard library.
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant { std }
    }

    /// Unwraps the point in time of the standard library.
    pub fn into_std(self) -> std::time::Instant {
        self.std
    }

    /// The time that passed from `earlier` to `self`; zero if `earlier` is the later one.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time that passed from `earlier` to `self`; `None` if `earlier` is the later one.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::time::{Duration, Instant};
    ///
    /// let start = Instant::now();
    /// let later = start + Duration::from_secs(2);
    /// assert_eq!(later.checked_duration_since(start), Some(Duration::from_secs(2)));
    /// assert_eq!(start.checked_duration_since(later), None);
    /// ```
    pub fn checked_duration_since(&self, earlier: Instant) -> Option<Duration> {
        self.std.checked_duration_since(earlier.std)
    }

    /// The time that passed from `earlier` to `self`; zero if `earlier` is the later one.
    ///
    /// The same as [`duration_since`](Instant::duration_since), with a name that says what happens.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// The time that passed since this instant; zero if it lies in the future.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::time::{Duration, Instant, sleep};
    ///
    /// # #[wasio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let start = Instant::now();
    /// sleep(Duration::from_secs(3)).await;
    /// assert!(start.elapsed() >= Duration::from_secs(3));
    /// # }
    /// ```
    pub fn elapsed(&self) -> Duration {
        Instant::now().duration_since(*self)
    }

    /// The instant `duration` later, or `None` if the system's clock cannot represent it.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// The instant `duration` earlier, or `None` if the system's clock cannot represent it.
    pub fn checked_sub(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_sub(duration).map(Instant::from_std)
    }
}

impl From<std::time::Instant> for Instant {
    fn from(std: std::time::Instant) -> Instant {
        Instant::from_std(std)
    }
}

impl From<Instant> for std::time::Instant {
    fn from(instant: Instant) -> std::time::Instant {
        instant.into_std()
    }
}

impl Add<Duration> for Instant {
    type Output = Instant;

    /// # Panics
    ///
    /// If the system's clock cannot represent the result.
    fn add(self, duration: Duration) -> Instant {
        Instant::from_std(self.std + duration)
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, duration: Duration) {
        self.std += duration;
    }
}

impl Sub<Duration> for Instant {
    type Output = Instant;

    /// # Panics
    ///
    /// If the system's clock cannot represent the result.
    fn sub(self, duration: Duration) -> Instant {
        Instant::from_std(self.std - duration)
    }
}

impl SubAssign<Duration> for Instant {
    fn sub_assign(&mut self, duration: Duration) {
        self.std -= duration;
    }
}

impl Sub for Instant {
    type Output = Duration;

    fn sub(self, earlier: Instant) -> Duration {
        self.duration_since(earlier)
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.std.fmt(f)
    }
}
