//! The `Runtime`, which owns a runtime.

use std::fmt;
use std::future::Future;
use std::io;
use std::time::Duration;

use super::{Builder, EnterGuard, Handle, RuntimeMetrics, drive};
use crate::context;
use crate::sys::threading::{self, Worker};
use crate::task::JoinHandle;
use crate::task::current::{self, Entered};

/// An async runtime. Dropping it drops its tasks.
///
/// # On WASI
///
/// It runs on the guest's one thread. Tasks of the `multi_thread` flavour run while any runtime is blocked on, those of
/// the other flavours while this one is.
///
/// # Examples
///
/// ```
/// let runtime = wasio::runtime::Runtime::new()?;
/// let answer = runtime.block_on(async { wasio::spawn(async { 42 }).await.unwrap() });
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Runtime {
    handle: Handle,
    /// Drives a `multi_thread` runtime.
    worker: Option<Worker>,
    /// How long to wait for blocking work at shutdown. `None`: without limit.
    timeout: Option<Duration>,
}

impl Runtime {
    /// Creates a runtime of the `multi_thread` flavour with everything enabled.
    ///
    /// # Errors
    ///
    /// Fails when the reactor or the worker cannot be made.
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    pub(super) fn from_parts(handle: Handle, worker: Option<Worker>) -> Runtime {
        Runtime { handle, worker, timeout: None }
    }

    /// Returns the runtime's handle.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Starts a task; see [`spawn`](crate::task::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs a closure that may block; see [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Runs a future to completion on this thread, and the runtime's tasks meanwhile.
    ///
    /// # Panics
    ///
    /// Panics inside an async context, and when the future panics.
    ///
    /// # On WASI
    ///
    /// Panics when the future and every task wait and nothing is left to wake one (a deadlock):
    /// natively the thread would sleep for ever.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        drive::block_on(&self.handle, future, Entered::BlockOn)
    }

    /// Enters the runtime without running it; see [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Shuts down, waiting at most `duration` for blocking work that has started.
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.timeout = Some(duration);
    }

    /// Shuts down without waiting for blocking work; may be called in an async context.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    /// Returns the metrics of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        threading::shut_down(&self.handle, self.worker.take(), self.timeout);
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl std::panic::UnwindSafe for Runtime {}
impl std::panic::RefUnwindSafe for Runtime {}

/// Returns the index of the worker that runs the current task, as the runtime's metrics count workers.
///
/// There is one worker, so it is 0; `None` where no worker runs the code: outside of a runtime, in a blocking
/// closure, in the future of `Handle::block_on`, and in that of `block_on` of a multi-thread runtime.
pub fn worker_index() -> Option<usize> {
    if current::entered() == Entered::No || current::in_handle_block_on() {
        return None;
    }
    context::with_handle(|handle| {
        let handle = handle.filter(|handle| {
            handle.shared.driver_lock.is_held()
                && (current::running().is_some() || !handle.is_multi_thread())
        });
        handle.map(|_| 0)
    })
}

/// Returns whether an I/O error means that the runtime of the resource has shut down.
pub fn is_rt_shutdown_err(err: &io::Error) -> bool {
    crate::reactor::is_shutdown_error(err)
}
