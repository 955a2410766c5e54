//! `LocalSet`: a set of tasks that need not be `Send`, and that run wherever it is polled.

use std::cell::Cell;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::{Id, JoinHandle, Scheduler, WakeTarget, current};
use crate::context;
use crate::runtime;

/// The maximum number of task polls in one poll of the set.
const MAX_POLLS: usize = 61;

/// A set of tasks that stay on the thread that polls the set.
///
/// Await it to run its tasks until all are complete, or use [`run_until`](Self::run_until) to run them
/// beside a future. Dropping the set drops its tasks.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().build().unwrap().block_on(async {
/// use std::rc::Rc;
/// let local = wasio::task::LocalSet::new();
/// let shared = Rc::new(7);
/// let answer = local.run_until(async move {
///     wasio::task::spawn_local(async move { *shared * 6 }).await.unwrap()
/// });
/// assert_eq!(answer.await, 42);
/// # });
/// ```
pub struct LocalSet {
    id: runtime::Id,
    scheduler: Arc<Scheduler>,
    /// A set is not `Send`, because its tasks stay on its thread.
    _not_send: PhantomData<Cell<*mut ()>>,
}

impl LocalSet {
    /// Creates an empty set.
    pub fn new() -> LocalSet {
        LocalSet {
            id: runtime::Id::next(),
            scheduler: Scheduler::new(WakeTarget::local(None)),
            _not_send: PhantomData,
        }
    }

    /// Makes this the set that [`spawn_local`] spawns on, until the guard is dropped.
    pub fn enter(&self) -> LocalEnterGuard {
        LocalEnterGuard {
            _restore: context::set_local(Some(self.scheduler.clone())),
            _not_send: PhantomData,
        }
    }

    /// Starts a task on the set. It runs when the set is polled.
    #[track_caller]
    pub fn spawn_local<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.scheduler.spawn_local(future, Id::next(), Location::caller())
    }

    /// Runs a future to completion on a runtime, and the set's tasks beside it.
    ///
    /// # Panics
    ///
    /// See [`Runtime::block_on`](crate::runtime::Runtime::block_on).
    #[track_caller]
    pub fn block_on<F>(&self, rt: &runtime::Runtime, future: F) -> F::Output
    where
        F: Future,
    {
        rt.block_on(self.run_until(future))
    }

    /// Runs a future with the set's tasks beside it. Tasks that are not complete at its end stay in the set.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses the progress of `future`. The set's tasks stay.
    pub async fn run_until<F>(&self, future: F) -> F::Output
    where
        F: Future,
    {
        RunUntil { set: self, future }.await
    }

    /// Returns the ID of the set, which is unique among sets and runtimes.
    pub fn id(&self) -> runtime::Id {
        self.id
    }

    /// Runs ready tasks. Returns whether there may be more.
    fn run_some(&self) -> bool {
        let _no_task = current::set_no_task();
        self.scheduler.run_some(MAX_POLLS) == MAX_POLLS
    }
}

impl Default for LocalSet {
    fn default() -> Self {
        LocalSet::new()
    }
}

impl Future for LocalSet {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.scheduler.set_local_waker(cx.waker());
        let _entered = self.enter();
        if self.run_some() {
            cx.waker().wake_by_ref();
            Poll::Pending
        } else if self.scheduler.alive_count() == 0 {
            Poll::Ready(())
        } else {
            Poll::Pending
        }
    }
}

impl Drop for LocalSet {
    fn drop(&mut self) {
        let _entered = self.enter();
        self.scheduler.close();
    }
}

impl fmt::Debug for LocalSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalSet").field("id", &self.id).finish_non_exhaustive()
    }
}

pin_project! {
    struct RunUntil<'a, F> {
        set: &'a LocalSet,
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for RunUntil<'_, F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let this = self.project();
        this.set.scheduler.set_local_waker(cx.waker());
        let _entered = this.set.enter();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(output);
        }
        if this.set.run_some() {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }
}

/// Leaves the set when dropped.
#[must_use = "the set is left as soon as the guard is dropped"]
pub struct LocalEnterGuard {
    _restore: context::RestoreLocal,
    // Belongs to the thread on which the set was entered.
    _not_send: PhantomData<*mut ()>,
}

impl fmt::Debug for LocalEnterGuard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LocalEnterGuard").finish_non_exhaustive()
    }
}

/// Starts a task that need not be `Send`, on the [`LocalSet`] or `LocalRuntime` that is running.
///
/// # Panics
///
/// Panics outside of both.
///
/// # Examples
///
/// ```
/// use std::rc::Rc;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let local = wasio::task::LocalSet::new();
/// let value = Rc::new(42); // not `Send`
/// let sum = local.run_until(async move { wasio::task::spawn_local(async move { *value }).await });
/// assert_eq!(sum.await?, 42);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn spawn_local<F>(future: F) -> JoinHandle<F::Output>
where
    F: Future + 'static,
    F::Output: 'static,
{
    let at = Location::caller();
    match current() {
        Some(scheduler) => scheduler.spawn_local(future, Id::next(), at),
        None => panic!(
            "`spawn_local` called from outside of a `task::LocalSet` or `runtime::LocalRuntime`: call it \
             inside `LocalSet::run_until`"
        ),
    }
}

/// Returns the scheduler that local tasks go to.
#[track_caller]
fn current() -> Option<Arc<Scheduler>> {
    if let Some(scheduler) = context::local() {
        return Some(scheduler);
    }
    let handle = context::handle().filter(runtime::Handle::is_local)?;
    Some(handle.shared.scheduler.clone())
}
