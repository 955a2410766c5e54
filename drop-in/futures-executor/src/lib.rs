//! futures' executor, over wasio's runtime.
//!
//! In the published crate, `block_on` parks its thread until another thread wakes it. A guest has one thread, so the
//! event that the future waits for never happens, and the guest panics. Here `block_on` drives wasio's runtimes while
//! it waits, so that tasks, timers and sockets make progress.
//!
//! # On WASI
//!
//! - [`block_on`] and [`LocalPool`] panic when nothing is left that could wake the future.
//! - A wait of one task in `block_on` ends only after the waits that began meanwhile in other tasks. The future of the
//!   runtime's own `block_on` does not run meanwhile.
//! - `ThreadPool` (feature `thread-pool`) is a runtime of wasio: its tasks run during every blocking call.

#[cfg(feature = "std")]
mod enter;
#[cfg(feature = "std")]
mod local_pool;
#[cfg(all(feature = "std", feature = "thread-pool"))]
mod thread_pool;
#[cfg(feature = "std")]
mod wait;

#[cfg(feature = "std")]
pub use enter::{Enter, EnterError, enter};
#[cfg(feature = "std")]
pub use local_pool::{BlockingStream, LocalPool, LocalSpawner, block_on, block_on_stream};
#[cfg(all(feature = "std", feature = "thread-pool"))]
pub use thread_pool::{ThreadPool, ThreadPoolBuilder};
