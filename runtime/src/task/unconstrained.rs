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
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (sender, mut receiver) = wasio::sync::mpsc::unbounded_channel();
/// for n in 0..1000 {
///     sender.send(n).unwrap();
/// }
/// drop(sender);
/// // Receives everything in one poll: no budget makes it yield.
/// let all = wasio::task::unconstrained(async {
///     let mut count = 0;
///     while receiver.recv().await.is_some() {
///         count += 1;
///     }
///     count
/// });
/// assert_eq!(all.await, 1000);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub fn unconstrained<F>(future: F) -> Unconstrained<F> {
    Unconstrained { future }
}
