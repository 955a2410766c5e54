//! Time: sleeping, timeouts, intervals, and a clock that tests can stop.
//!
//! ```
//! use wasio::time::{Duration, sleep, timeout};
//!
//! # #[wasio::main(flavor = "current_thread")]
//! # async fn main() {
//! let slow = sleep(Duration::from_secs(60));
//! assert!(timeout(Duration::from_millis(5), slow).await.is_err());
//! # }
//! ```

pub use wasio_runtime::time::{
    Duration, Instant, Interval, MissedTickBehavior, Sleep, Timeout, interval, interval_at, sleep,
    sleep_until, timeout, timeout_at,
};

#[cfg(feature = "test-util")]
pub use wasio_runtime::time::{advance, pause, resume};

/// The errors of this module.
pub mod error {
    pub use wasio_runtime::time::error::{Elapsed, Error};
}
