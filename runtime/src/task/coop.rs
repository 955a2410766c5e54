//! Cooperative scheduling: after 128 operations in one poll, the operations of a task return `Pending`.
//!
//! Without this, a task that always finds data (a flooded socket, a channel that is never empty) would keep every other
//! task waiting. Each resource of wasio calls [`poll_proceed`] before an operation.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::current;
pub use super::unconstrained::{Unconstrained, unconstrained};

/// The number of operations that the running task may still do in this poll.
///
/// Without a limit it counts down from -1, and would take centuries to overflow, so no operation has to check which
/// kind of budget it has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Budget(i64);

impl Budget {
    /// The budget of a task when its poll begins.
    pub(crate) const FULL: Budget = Budget(128);
    /// No limit.
    pub(crate) const UNLIMITED: Budget = Budget(-1);

    #[inline]
    fn is_spent(self) -> bool {
        self.0 == 0
    }

    /// Returns the budget after one more operation. The budget must not be spent.
    #[inline]
    fn less_one(self) -> Budget {
        Budget(self.0.wrapping_sub(1))
    }
}

/// Runs `f` with a full budget.
pub(crate) fn with_budget<R>(f: impl FnOnce() -> R) -> R {
    let _restore = current::set_budget(Budget::FULL);
    f()
}

/// Runs `f` without any budget.
pub(crate) fn with_unconstrained<R>(f: impl FnOnce() -> R) -> R {
    let _restore = current::set_budget(Budget::UNLIMITED);
    f()
}

/// Returns whether the running task may do another operation before it has to yield.
///
/// Always true outside of a task.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use wasio::task::coop;
///
/// let task = wasio::spawn(async {
///     assert!(coop::has_budget_remaining());
///     // Spends the whole budget, and yields then.
///     for _ in 0..1000 {
///         coop::consume_budget().await;
///     }
/// });
/// task.await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub fn has_budget_remaining() -> bool {
    !current::budget().is_spent()
}

/// Returns whether the running task may do another operation. If not, the task is woken, as by [`poll_proceed`].
#[inline]
pub(crate) fn may_proceed(cx: &Context<'_>) -> bool {
    let may = has_budget_remaining();
    if !may {
        cx.waker().wake_by_ref();
    }
    may
}

/// Spends a unit of the budget, for an operation that made progress and contains no other operation.
#[inline]
pub(crate) fn spend() {
    current::put_budget(current::budget().less_one());
}

/// Returns the unit of budget when it is dropped, unless the operation made progress.
///
/// Returned by [`poll_proceed`]. Dropped without [`made_progress`](Self::made_progress), it restores the earlier
/// budget.
#[must_use]
#[derive(Debug)]
pub struct RestoreOnPending {
    /// The budget before the operation. Unlimited if nothing has to be restored.
    before: Cell<Budget>,
    // Belongs to the thread whose budget it restores.
    _not_send: PhantomData<*mut ()>,
}

impl RestoreOnPending {
    /// Records that the operation made progress: the unit of budget is spent.
    pub fn made_progress(&self) {
        self.before.set(Budget::UNLIMITED);
    }
}

impl Drop for RestoreOnPending {
    fn drop(&mut self) {
        let before = self.before.get();
        if before != Budget::UNLIMITED {
            current::put_budget(before);
        }
    }
}

/// Takes a unit of the running task's budget.
///
/// Returns `Pending`, with the task woken, when the budget is spent: the caller returns `Pending` too and
/// is polled again after the other tasks ran.
///
/// # Examples
///
/// ```
/// use std::task::{Context, Poll, ready};
///
/// use wasio::task::coop::poll_proceed;
///
/// /// Takes the next item of a queue that other code fills.
/// fn poll_next(queue: &mut Vec<u32>, cx: &mut Context<'_>) -> Poll<Option<u32>> {
///     let coop = ready!(poll_proceed(cx));
///     let item = queue.pop();
///     if item.is_some() {
///         coop.made_progress();
///     }
///     Poll::Ready(item)
/// }
/// ```
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    if !may_proceed(cx) {
        return Poll::Pending;
    }
    let before = current::budget();
    current::put_budget(before.less_one());
    Poll::Ready(RestoreOnPending { before: Cell::new(before), _not_send: PhantomData })
}

/// Spends one unit of the budget, and yields if none was left.
///
/// # Cancel safety
///
/// Nothing is lost when the future is dropped.
pub async fn consume_budget() {
    std::future::poll_fn(|cx| {
        ready!(poll_proceed(cx)).made_progress();
        Poll::Ready(())
    })
    .await
}

pin_project! {
    /// The future of [`cooperative`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Coop<F: Future> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Coop<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let coop = ready!(poll_proceed(cx));
        let output = ready!(self.project().future.poll(cx));
        coop.made_progress();
        Poll::Ready(output)
    }
}

/// Makes a future count against the task's budget when it is ready.
///
/// For resources that are not built on wasio's: each time the future becomes ready one unit is spent, and without
/// budget it is not polled.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// use wasio::task::coop::cooperative;
///
/// // Futures that are always ready: without a budget, this loop would never let other tasks run.
/// for _ in 0..1000 {
///     cooperative(std::future::ready(())).await;
/// }
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}
