//! `clock_time_get`.
//!
//! PERF: it is implemented here because programs read the clock very often. wasmtime-wasi's implementation opens a span
//! of `tracing` and goes through its table of clocks each time.

use std::time::SystemTime;

use wasmtime_wasi::HostMonotonicClock as _;

use crate::p1::errno::Errno;
use crate::p1::poll::subscription::{MONOTONIC, REALTIME};
use crate::p1::state::{Cx, parts};

/// These clocks count processor time, which is not disclosed to guests.
const CPUTIMES: std::ops::RangeInclusive<u32> = 2..=3;

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
