//! Counts time in ticks: whole milliseconds since the timers were created.
//!
//! A deadline is rounded up to the next tick and the current time down to the last one, so that no timer fires early
//! and timers of one millisecond fire together.

use std::time::{Duration, Instant};

/// See the module's documentation.
#[derive(Clone, Copy)]
pub(super) struct Ticks {
    start: Instant,
}

impl Ticks {
    /// Tick zero is at `start`.
    pub(super) fn new(start: Instant) -> Ticks {
        Ticks { start }
    }

    /// Returns the last tick that `now` has reached.
    pub(super) fn floor(self, now: Instant) -> u64 {
        millis(now.saturating_duration_since(self.start)).0
    }

    /// Returns the first tick that is not before `deadline`.
    pub(super) fn ceil(self, deadline: Instant) -> u64 {
        let (millis, rest) = millis(deadline.saturating_duration_since(self.start));
        millis + u64::from(rest)
    }

    /// Returns the time of a tick. A deadline is due at `tick` or before if it is not later than this time.
    pub(super) fn time(self, tick: u64) -> Instant {
        self.start + Duration::from_millis(tick)
    }

    /// Returns the duration from `now` until `tick`.
    pub(super) fn until(self, tick: u64, now: Instant) -> Duration {
        Duration::from_millis(tick).saturating_sub(now.saturating_duration_since(self.start))
    }
}

/// Returns the whole milliseconds of a duration, and whether there is a remainder.
fn millis(duration: Duration) -> (u64, bool) {
    // Limited instead of saturating: to see that a product overflowed, wasm needs a 128-bit multiplication. The limit
    // is half a million years.
    let seconds = duration.as_secs().min(u64::MAX >> 20);
    let nanos = duration.subsec_nanos();
    let millis = nanos / 1_000_000;
    (seconds * 1000 + u64::from(millis), nanos != millis * 1_000_000)
}
