//! pollster, over wasio's runtime.
//!
//! In the published crate, `block_on` parks its thread until another thread wakes it. A guest has one thread, on which
//! parking returns at once, so `block_on` never ends. Here it drives wasio's runtimes while it waits, so that tasks,
//! timers and sockets make progress.

use std::future::IntoFuture;

#[cfg(feature = "macro")]
pub use pollster_macro::{main, test};

/// `block_on` as a method of futures.
pub trait FutureExt: IntoFuture {
    /// Runs the future to completion, as [`block_on`] does.
    ///
    /// # Panics
    ///
    /// See [`block_on`].
    #[track_caller]
    fn block_on(self) -> Self::Output
    where
        Self: Sized,
    {
        block_on(self)
    }
}

impl<F: IntoFuture> FutureExt for F {}

/// Runs `future` to completion, also inside tasks.
///
/// # Panics
///
/// *On WASI* it panics when nothing is left that could wake the future.
///
/// # Examples
///
/// ```
/// assert_eq!(pollster::block_on(async { 1 + 2 }), 3);
/// ```
#[track_caller]
pub fn block_on<F: IntoFuture>(future: F) -> F::Output {
    wasio_runtime::task::block_on_anywhere(future.into_future())
}
