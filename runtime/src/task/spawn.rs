//! Spawning tasks.

use std::future::Future;
use std::panic::Location;

use super::{Id, JoinHandle};
use crate::runtime::Handle;

/// Starts a task on the current runtime. It runs whether or not the handle is awaited.
///
/// # Panics
///
/// Panics outside of a runtime.
///
/// # On WASI
///
/// There is one thread: the task runs when the caller waits. A panic in it ends the guest.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// let handle = wasio::spawn(async { 6 * 7 });
/// assert_eq!(handle.await.unwrap(), 42);
/// # });
/// ```
#[track_caller]
pub fn spawn<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let at = Location::caller();
    Handle::current_scheduler().spawn(future, Id::next(), at)
}
