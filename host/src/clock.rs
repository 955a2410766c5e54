//! The guest's monotonic clock. Reading it and waiting for a deadline must agree on what an instant means, so both
//! count from the same start.

use std::time::{Duration, Instant};

use wasmtime_wasi::HostMonotonicClock;

/// Counts nanoseconds since the guest was set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monotonic {
    start: Instant,
}

impl Monotonic {
    pub(crate) fn new() -> Monotonic {
        Monotonic { start: Instant::now() }
    }

    /// Returns the host's instant for a reading of this clock, or `None` if it is too far away to be represented.
    pub(crate) fn instant(&self, nanos: u64) -> Option<Instant> {
        self.start.checked_add(Duration::from_nanos(nanos))
    }
}

impl HostMonotonicClock for Monotonic {
    fn resolution(&self) -> u64 {
        1
    }

    fn now(&self) -> u64 {
        u64::try_from(self.start.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
