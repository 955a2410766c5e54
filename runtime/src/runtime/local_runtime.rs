//! A runtime that never leaves its thread, so that `spawn_local` works everywhere in it.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomData;
use std::panic::Location;
use std::time::Duration;

use super::{Builder, EnterGuard, Handle, Runtime, RuntimeMetrics};
use crate::task::{Id, JoinHandle};

/// Options of a [`LocalRuntime`]; there are none yet.
#[derive(Default, Debug)]
#[non_exhaustive]
pub struct LocalOptions {
    _not_send: PhantomData<*mut ()>,
}

/// A single-threaded runtime whose tasks need not be `Send`.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// use wasio::runtime::LocalRuntime;
///
/// let runtime = LocalRuntime::new()?;
/// let shared = Rc::new(21); // not `Send`
/// let answer = runtime.block_on(async move {
///     wasio::task::spawn_local(async move { *shared * 2 }).await.unwrap()
/// });
/// assert_eq!(answer, 42);
/// # std::io::Result::Ok(())
/// ```
pub struct LocalRuntime {
    runtime: Runtime,
    _not_send: PhantomData<*mut ()>,
}

impl LocalRuntime {
    /// Creates a local runtime with everything enabled.
    ///
    /// # Errors
    ///
    /// Fails when the reactor cannot be made.
    pub fn new() -> io::Result<LocalRuntime> {
        Builder::new_current_thread().enable_all().build_local(LocalOptions::default())
    }

    pub(crate) fn from_runtime(runtime: Runtime) -> LocalRuntime {
        LocalRuntime { runtime, _not_send: PhantomData }
    }

    /// Returns the runtime's handle.
    pub fn handle(&self) -> &Handle {
        self.runtime.handle()
    }

    /// Starts a task that need not be `Send`.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        let scheduler = &self.handle().shared.scheduler;
        scheduler.spawn_local(future, Id::next(), Location::caller())
    }

    /// Runs a closure that may block; see [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.runtime.spawn_blocking(func)
    }

    /// Runs a future to completion. See [`Runtime::block_on`].
    ///
    /// # Panics
    ///
    /// Panics inside an async context, and when the future panics.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        self.runtime.block_on(future)
    }

    /// Enters the runtime; see [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.runtime.enter()
    }

    /// Shuts down, waiting at most `duration` for blocking work that has started.
    pub fn shutdown_timeout(self, duration: Duration) {
        self.runtime.shutdown_timeout(duration);
    }

    /// Shuts down without waiting for blocking work.
    pub fn shutdown_background(self) {
        self.runtime.shutdown_background();
    }

    /// Returns the metrics of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.runtime.metrics()
    }
}

impl fmt::Debug for LocalRuntime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalRuntime").field("runtime", &self.runtime).finish()
    }
}
