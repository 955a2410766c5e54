//! The handle of a runtime, through which tasks are spawned and runtimes are entered and blocked on.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::num::NonZeroU64;
use std::panic::Location;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{RuntimeMetrics, Shared, drive};
use crate::context;
use crate::reactor::Reactor;
use crate::task::current::Entered;
use crate::task::{self, JoinHandle, Scheduler};
use crate::time::{LazyTimers, Timers};

/// The kind of a runtime.
///
/// # Examples
///
/// ```
/// use wasio::runtime::{Builder, RuntimeFlavor};
///
/// let runtime = Builder::new_current_thread().build()?;
/// assert_eq!(runtime.handle().runtime_flavor(), RuntimeFlavor::CurrentThread);
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RuntimeFlavor {
    /// Tasks run inside `block_on`.
    CurrentThread,
    /// Tasks run on a worker thread. On WASI they run inside `block_on` all the same.
    MultiThread,
}

/// Identifies a runtime among all runtimes of the program.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(NonZeroU64);

impl Id {
    pub(crate) fn next() -> Id {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        Id(NonZeroU64::MIN.saturating_add(NEXT.fetch_add(1, Ordering::Relaxed)))
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A handle to a runtime; cheap to clone.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let handle = wasio::runtime::Handle::current();
/// let sum = handle.spawn(async { 20 + 22 }).await?;
/// assert_eq!(sum, 42);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct Handle {
    pub(crate) shared: Arc<Shared>,
}

const NO_RUNTIME: &str =
    "there is no reactor running, must be called from the context of a Tokio 1.x runtime";

impl Handle {
    /// Returns the handle of the runtime that is entered.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    #[track_caller]
    pub fn current() -> Self {
        match Handle::try_current() {
            Ok(handle) => handle,
            Err(error) => panic!("{error}"),
        }
    }

    /// Returns the handle of the runtime that is entered.
    ///
    /// # Errors
    ///
    /// Fails outside of a runtime.
    pub fn try_current() -> Result<Self, TryCurrentError> {
        context::handle().ok_or(TryCurrentError { destroyed: context::is_destroyed() })
    }

    /// Calls `f` with the entered runtime's handle.
    #[track_caller]
    pub(crate) fn with_current<R>(f: impl FnOnce(&Handle) -> R) -> R {
        // The panic is here and not in a closure, so that the message names the caller's line.
        match context::handle() {
            Some(handle) => f(&handle),
            None => panic!("{NO_RUNTIME}"),
        }
    }

    /// Returns the reactor of the entered runtime.
    #[track_caller]
    pub(crate) fn current_reactor() -> Arc<Reactor> {
        match context::with_handle(|handle| handle.map(|h| h.shared.reactor.clone())) {
            Some(reactor) => reactor,
            None => panic!("{NO_RUNTIME}"),
        }
    }

    /// Returns the scheduler of the entered runtime. A spawn needs no more, and this does not clone the handle.
    #[track_caller]
    pub(crate) fn current_scheduler() -> Arc<Scheduler> {
        match context::with_handle(|handle| handle.map(|h| h.shared.scheduler.clone())) {
            Some(scheduler) => scheduler,
            None => panic!("{NO_RUNTIME}"),
        }
    }

    /// Returns the timers of the entered runtime, and whether they may be used. Creating a timer needs no more, and
    /// this does not clone the handle.
    #[track_caller]
    pub(crate) fn current_timers() -> (Arc<Timers>, bool) {
        let timers = |handle: &Handle| {
            let time = handle.time();
            (time.timers().clone(), time.is_enabled())
        };
        match context::with_handle(|handle| handle.map(timers)) {
            Some(timers) => timers,
            None => panic!("{NO_RUNTIME}"),
        }
    }

    /// Enters the runtime: `spawn`, timers and sockets of this thread belong to it until the guard drops.
    pub fn enter(&self) -> EnterGuard<'_> {
        EnterGuard { _leave: Leave(context::enter(self.clone())), _handle: PhantomData }
    }

    /// Starts a task on the runtime. See [`spawn`](crate::task::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.spawn_at(future, task::Id::next(), Location::caller())
    }

    /// Runs a closure that may block. See [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.spawn_blocking_at(func, task::Id::next(), Location::caller())
    }

    pub(crate) fn spawn_at<F>(
        &self,
        future: F,
        id: task::Id,
        at: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.shared.scheduler.spawn(future, id, at)
    }

    pub(crate) fn spawn_blocking_at<F, R>(
        &self,
        func: F,
        id: task::Id,
        at: &'static Location<'static>,
    ) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.shared.blocking.spawn(self, func, id, at)
    }

    /// Runs a future to completion on this thread.
    ///
    /// # Panics
    ///
    /// Panics inside an async context, and when the future panics.
    ///
    /// # On WASI
    ///
    /// May be called inside `spawn_blocking`: the executor is entered again, and the tasks go on.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        drive::block_on(self, future, Entered::HandleBlockOn)
    }

    /// Returns the kind of the runtime.
    pub fn runtime_flavor(&self) -> RuntimeFlavor {
        self.shared.config.flavor
    }

    /// Returns the runtime's id.
    pub fn id(&self) -> Id {
        self.shared.id
    }

    /// Returns the runtime's name, if it was given one.
    pub fn name(&self) -> Option<&str> {
        self.shared.config.name.as_deref()
    }

    /// Returns the metrics of the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        RuntimeMetrics::new(self.clone())
    }

    pub(crate) fn is_multi_thread(&self) -> bool {
        self.shared.config.flavor == RuntimeFlavor::MultiThread
    }

    /// Returns whether this is a `LocalRuntime`'s handle.
    ///
    /// # Panics
    ///
    /// Panics if it belongs to a `LocalRuntime` of another thread.
    #[track_caller]
    pub(crate) fn is_local(&self) -> bool {
        assert!(
            !self.is_local_elsewhere(),
            "Local tasks can only be spawned on a LocalRuntime from the thread the runtime was created on"
        );
        self.shared.config.local
    }

    /// Returns whether this is a `LocalRuntime`'s handle on another thread, where its tasks must not run.
    pub(crate) fn is_local_elsewhere(&self) -> bool {
        self.shared.config.local && !self.shared.config.owner_thread.is_current()
    }

    pub(crate) fn time(&self) -> &LazyTimers {
        &self.shared.time
    }
}

impl fmt::Debug for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Handle")
            .field("id", &self.shared.id)
            .field("flavor", &self.shared.config.flavor)
            .finish_non_exhaustive()
    }
}

impl std::panic::UnwindSafe for Handle {}
impl std::panic::RefUnwindSafe for Handle {}

/// Leaves the runtime when dropped.
#[must_use = "the runtime is left as soon as the guard is dropped"]
pub struct EnterGuard<'a> {
    _leave: Leave,
    // Like the guard of a lock, it may be shared with another thread but not dropped there.
    _handle: PhantomData<(&'a Handle, std::sync::MutexGuard<'static, ()>)>,
}

/// Leaves the runtime, if it was entered last. Separate from the guard, which may live longer than what it borrows.
struct Leave(context::RestoreHandle);

impl Drop for Leave {
    #[track_caller]
    fn drop(&mut self) {
        assert!(
            self.0.is_innermost() || std::thread::panicking(),
            "`EnterGuard` values dropped out of order. Guards returned by `Handle::enter()` must be dropped in \
             the reverse order as they were acquired."
        );
    }
}

impl fmt::Debug for EnterGuard<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterGuard").finish_non_exhaustive()
    }
}

/// The error of [`Handle::try_current`]: no runtime is entered on this thread.
pub struct TryCurrentError {
    destroyed: bool,
}

impl TryCurrentError {
    /// Returns whether no runtime was entered.
    pub fn is_missing_context(&self) -> bool {
        !self.destroyed
    }

    /// Returns whether the thread is ending and its thread-locals are gone.
    pub fn is_thread_local_destroyed(&self) -> bool {
        self.destroyed
    }
}

impl fmt::Debug for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.destroyed { "ThreadLocalDestroyed" } else { "NoContext" })
    }
}

impl fmt::Display for TryCurrentError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.destroyed {
            "The Tokio context thread-local variable has been destroyed."
        } else {
            NO_RUNTIME
        })
    }
}

impl std::error::Error for TryCurrentError {}
