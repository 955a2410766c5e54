//! A point in time on the runtime's clock.

use std::fmt;
use std::ops::{Add, AddAssign, Sub, SubAssign};
use std::time::Duration;

use super::clock;

/// A point in time on the runtime's clock, for use with other instants and with [`Duration`].
///
/// It is std's monotonic [`Instant`](std::time::Instant), except that [`now`](Instant::now) follows the
/// runtime's clock, which [`pause`](super::pause) stops and [`advance`](super::advance) moves.
///
/// Subtracting an instant from an earlier one gives zero, it does not panic.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use wasio::time::{Instant, sleep};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build()?.block_on(async {
/// let start = Instant::now();
/// sleep(Duration::from_secs(3600)).await; // the clock is paused: no time passes
/// assert_eq!(start.elapsed().as_secs(), 3600);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant {
    std: std::time::Instant,
}

impl Instant {
    /// Returns the current time: on the runtime's clock inside a runtime, and on the system's clock outside.
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

    /// Converts an instant of the standard library.
    pub fn from_std(std: std::time::Instant) -> Instant {
        Instant { std }
    }

    /// Converts into an instant of the standard library.
    pub fn into_std(self) -> std::time::Instant {
        self.std
    }

    /// Returns the time from `earlier` to `self`, or zero if `earlier` is later.
    pub fn duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// Returns the time from `earlier` to `self`, or `None` if `earlier` is later.
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

    /// Returns the time from `earlier` to `self`, or zero if `earlier` is later.
    ///
    /// The same as [`duration_since`](Instant::duration_since), with a name that says what happens.
    pub fn saturating_duration_since(&self, earlier: Instant) -> Duration {
        self.std.saturating_duration_since(earlier.std)
    }

    /// Returns the time since this instant, or zero if it is in the future.
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

    /// Returns the instant `duration` later, or `None` if the system's clock cannot represent it.
    pub fn checked_add(&self, duration: Duration) -> Option<Instant> {
        self.std.checked_add(duration).map(Instant::from_std)
    }

    /// Returns the instant `duration` earlier, or `None` if the system's clock cannot represent it.
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
    /// Panics if the system's clock cannot represent the result.
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
    /// Panics if the system's clock cannot represent the result.
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
