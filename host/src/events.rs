//! Events of `tracing` about guests.
//!
//! | level | message | fields |
//! |---|---|---|
//! | debug | guest started | |
//! | info | guest ended | `outcome`, `code`, and the numbers of [`Snapshot`](crate::Snapshot) |
//! | debug | guest refused | `action`, `rule` |
//! | trace | guest suspended | |
//!
//! Events occur while the guest's future is polled or dropped. Instrument the future with a span to identify its guest.
//! An event without a subscriber costs one comparison.

use tracing::{debug, info, trace};

use crate::error::Error;
use crate::exit::Exit;
use crate::stats::Stats;

/// Spans a guest's life from its start to its end, however it ends.
#[derive(Debug)]
pub(crate) struct Life {
    stats: Stats,
    outcome: &'static str,
    code: Option<i32>,
}

impl Life {
    pub(crate) fn begin(stats: &Stats) -> Life {
        debug!("guest started");
        Life { stats: stats.clone(), outcome: "dropped", code: None }
    }

    pub(crate) fn ended(&mut self, result: Result<Exit, &Error>) {
        self.outcome = match result {
            Ok(_) => "exited",
            Err(Error::Exited(_)) => "exited",
            Err(Error::Trap(_)) => "trapped",
            Err(Error::TimedOut(_)) => "timed out",
            Err(Error::OutOfFuel) => "out of fuel",
            Err(_) => "not started",
        };
        self.code = match result {
            Ok(exit) | Err(&Error::Exited(exit)) => Some(exit.code()),
            Err(_) => None,
        };
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        if !tracing::enabled!(tracing::Level::INFO) {
            return;
        }
        let s = self.stats.snapshot();
        info!(
            outcome = self.outcome,
            code = self.code,
            host_calls = s.total_calls(),
            polls = s.polls(),
            bytes_in = s.bytes_in,
            bytes_out = s.bytes_out,
            suspensions = s.suspensions,
            running_ns = s.running.as_nanos() as u64,
            suspended_ns = s.suspended.as_nanos() as u64,
            peak_memory = s.peak_memory,
            fuel = s.fuel,
            "guest ended"
        );
    }
}

#[inline]
pub(crate) fn suspended() {
    trace!("guest suspended");
}
