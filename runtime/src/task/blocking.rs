//! Blocking work.

use std::future::Future;
use std::panic::Location;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::current::{self, Entered};
use super::{Id, JoinHandle, coop};
use crate::context;
use crate::runtime::{self, Handle};
use crate::sys::threading::background;

/// A closure as the future of a task.
pub(crate) struct BlockingFuture<F> {
    work: Option<F>,
}

impl<F> BlockingFuture<F> {
    pub(crate) fn new(work: F) -> Self {
        BlockingFuture { work: Some(work) }
    }
}

impl<F> Unpin for BlockingFuture<F> {}

impl<F: FnOnce() -> R, R> Future for BlockingFuture<F> {
    type Output = R;

    fn poll(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<R> {
        let work = self.work.take().expect("polled after completion");
        Poll::Ready(blocking_section(work))
    }
}

/// Runs `work` as code that may block: `Handle::block_on` is allowed in it, and no budget applies.
fn blocking_section<R>(work: impl FnOnce() -> R) -> R {
    let _blocking = may_block();
    coop::with_unconstrained(work)
}

/// Allows `block_on` until the result is dropped. On one thread, the tasks of this runtime continue to run while
/// another runtime is blocked on.
fn may_block() -> impl Sized {
    let entered = current::set_entered(Entered::No);
    (background::add_current(), entered)
}

/// Runs a future to completion on the current thread, also inside a task. The drop-ins of other executors are built on
/// it.
///
/// Their published `block_on` parks the thread until its waker is called. On WASI parking returns at once and nothing
/// else would call the waker, so it spins. This function drives the runtimes, like every other blocking call.
///
/// # Panics
///
/// On WASI, when nothing is left that could wake the future.
#[track_caller]
pub fn block_on_anywhere<F: Future>(future: F) -> F::Output {
    let _blocking = may_block();
    runtime::block_on_sync(future)
}

/// Runs a blocking closure where it does not hold up the tasks.
///
/// Natively that is a thread of a pool. The closure can be aborted only before it started.
///
/// # Panics
///
/// Panics outside of a runtime.
///
/// # On WASI
///
/// There are no threads: the closure runs from the queue, between the tasks, and nothing else runs while it computes.
/// It may wait for tasks (`Handle::block_on`, `blocking_recv`). The executor is then entered again from inside, and
/// such a wait ends only after those that began inside it. Closures that are queued when the runtime is dropped still
/// run.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let sum = wasio::task::spawn_blocking(|| (1..=100).sum::<u32>()).await?;
/// assert_eq!(sum, 5050);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn spawn_blocking<F, R>(f: F) -> JoinHandle<R>
where
    F: FnOnce() -> R + Send + 'static,
    R: Send + 'static,
{
    let at = Location::caller();
    Handle::with_current(|handle| handle.spawn_blocking_at(f, Id::next(), at))
}

/// Runs a blocking closure on the current thread.
///
/// # Panics
///
/// Panics in the tasks of a `current_thread` runtime or a `LocalSet`, as tokio does.
///
/// # On WASI
///
/// The closure runs inline, and the other tasks wait. `Handle::block_on` inside it runs them.
///
/// # Examples
///
/// ```
/// let runtime = wasio::runtime::Builder::new_multi_thread().build()?;
/// let sum = runtime.block_on(async {
///     wasio::spawn(async { wasio::task::block_in_place(|| (1..=100).sum::<u32>()) }).await.unwrap()
/// });
/// assert_eq!(sum, 5050);
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn block_in_place<F, R>(f: F) -> R
where
    F: FnOnce() -> R,
{
    if current::entered() != Entered::No && !current::in_handle_block_on() {
        let drives_alone = context::with_handle(|handle| {
            handle.is_some_and(|h| !h.is_multi_thread() && h.shared.driver_lock.is_held())
        });
        assert!(
            !drives_alone && context::local().is_none(),
            "can call blocking only when running on the multi-threaded runtime"
        );
    }
    blocking_section(f)
}
