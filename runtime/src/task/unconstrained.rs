//! A future that is polled without a budget.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::coop;

pin_project! {
    /// The future of [`unconstrained`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Unconstrained<F> {
        #[pin]
        future: F,
    }
}

impl<F: Future> Future for Unconstrained<F> {
    type Output = F::Output;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.project().future;
        coop::with_unconstrained(|| future.poll(cx))
    }
}

/// Turns cooperative scheduling off for a future.
///
/// Its operations are never held back to let other tasks run; use it where something else bounds the work.
pub fn unconstrained<F>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}
