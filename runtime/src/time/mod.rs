//! Waiting for time to pass: [`sleep`], [`timeout`], [`interval`], and a clock that tests can stop.
//!
//! Everything here belongs to the runtime on which it was created, and counts in whole milliseconds: a deadline between
//! two is rounded up, never down. Nothing here fires before its deadline. The delay after it depends on what else runs.
//!
//! # Examples
//!
//! ```
//! use wasio::time::{self, Duration};
//!
//! # #[wasio::main(flavor = "current_thread")]
//! # async fn main() {
//! let answer = time::timeout(Duration::from_secs(1), async {
//!     time::sleep(Duration::from_millis(5)).await;
//!     42
//! });
//! assert_eq!(answer.await, Ok(42));
//! # }
//! ```
//!
//! # On WASI
//!
//! Timers cost the host nothing while they are armed: only the earliest deadline is passed to it, when no task can run.
//! Polling, resetting and dropping an armed timer reads no clock.

mod clock;
pub mod error;
mod instant;
mod interval;
mod lazy_timers;
mod queue;
mod sleep;
mod ticks;
mod timeout;
mod timer;
mod timers;

#[doc(no_inline)]
pub use std::time::Duration;

pub use clock::{advance, pause, resume};
pub use instant::Instant;
pub use interval::{Interval, MissedTickBehavior, interval, interval_at};
pub(crate) use lazy_timers::{LazyTimers, StartPaused, start_paused};
#[doc(hidden)]
pub use sleep::sleep_anyway;
pub use sleep::{Sleep, sleep, sleep_until};
pub use timeout::{Timeout, timeout, timeout_at};
pub(crate) use timers::Timers;

/// The longest time that is waited for, counted from now: about thirty years, which every system's clock can represent.
const FAR_FUTURE: Duration = Duration::from_secs(60 * 60 * 24 * 365 * 30);
