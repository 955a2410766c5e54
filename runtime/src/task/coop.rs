//! Cooperative scheduling: a task may do 128 operations per poll, then its operations return `Pending`.
//!
//! Without it, a task that always finds data (a flooded socket, a channel that is never empty) would keep
//! every other task waiting. Each resource of wasio asks [`poll_proceed`] before it does an operation.

use std::cell::Cell;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use crate::context;

pub use super::unconstrained::{Unconstrained, unconstrained};

/// Operations a task may do in one poll.
pub(crate) const BUDGET: u8 = 128;

/// Runs `f` with a full budget.
pub(crate) fn with_budget<R>(f: impl FnOnce() -> R) -> R {
    let _restore = context::set_budget(Some(BUDGET));
    f()
}

/// Runs `f` without any budget.
pub(crate) fn with_unconstrained<R>(f: impl FnOnce() -> R) -> R {
    let _restore = context::set_budget(None);
    f()
}

/// Whether the running task may do another operation before it has to yield.
///
/// Always true outside of a task.
pub fn has_budget_remaining() -> bool {
    context::budget() != Some(0)
}

/// Gives the unit of budget back if the operation did not make progress.
///
/// Returned by [`poll_proceed`]. Dropped without [`made_progress`](Self::made_progress), it restores the
/// budget to what it was.
#[must_use]
#[derive(Debug)]
pub struct RestoreOnPending {
    before: Cell<Option<u8>>,
    // Belongs to the thread whose budget it restores.
    _not_send: PhantomData<*mut ()>,
}

impl RestoreOnPending {
    /// Says that the operation made progress: the unit of budget is spent.
    pub fn made_progress(&self) {
        self.before.set(None);
    }
}

impl Drop for RestoreOnPending {
    fn drop(&mut self) {
        if let Some(before) = self.before.get() {
            context::put_budget(Some(before));
        }
    }
}

/// Takes a unit of the running task's budget.
///
/// Returns `Pending`, with the task woken, when the budget is spent: the caller returns `Pending` too and
/// is polled again after the other tasks had their turn.
#[inline]
pub fn poll_proceed(cx: &mut Context<'_>) -> Poll<RestoreOnPending> {
    match context::budget() {
        Some(0) => {
            cx.waker().wake_by_ref();
            Poll::Pending
        }
        budget => {
            context::put_budget(budget.map(|b| b - 1));
            Poll::Ready(RestoreOnPending { before: Cell::new(budget), _not_send: PhantomData })
        }
    }
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

/// Makes a future that is ready count against the task's budget.
///
/// For resources of one's own that are not built on wasio's: each time the future becomes ready one unit
/// is spent, and without budget it is not polled.
pub fn cooperative<F: Future>(future: F) -> Coop<F> {
    Coop { future }
}
