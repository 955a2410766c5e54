//! The guest's clocks.
//!
//! `clock_time_get` and `poll_oneoff` must agree on what an absolute deadline
//! means, so both count from the same instant.
//!
//! `clock_time_get` is ours because programs ask for the time very often: wasmtime-wasi's opens a span of `tracing`
//! and goes through its table of clocks each time.

use std::time::{Duration, Instant, SystemTime};

use wasmtime_wasi::HostMonotonicClock;

use crate::p1::errno::Errno;
use crate::state::{Cx, parts};

/// Preview 1's `clockid`s. The others count processor time, which guests are not told.
pub(crate) const REALTIME: u32 = 0;
pub(crate) const MONOTONIC: u32 = 1;
const CPUTIMES: std::ops::RangeInclusive<u32> = 2..=3;

/// Counts nanoseconds since the guest was set up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Monotonic {
    start: Instant,
}

impl Monotonic {
    pub(crate) fn new() -> Monotonic {
        Monotonic { start: Instant::now() }
    }

    /// The host's instant for a reading of this clock; `None` when it is too
    /// far away to name.
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

pub(crate) fn time_get(cx: &mut Cx<'_>, id: i32, _precision: i64, out: i32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    let now = match id as u32 {
        REALTIME => {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
            now.ok().and_then(|now| u64::try_from(now.as_nanos()).ok()).ok_or(Errno::OVERFLOW)?
        }
        MONOTONIC => state.clock.now(),
        id if CPUTIMES.contains(&id) => return Err(Errno::BADF),
        _ => return Err(Errno::INVAL),
    };
    memory.write(out as u32, 8, &now.to_le_bytes())
}
