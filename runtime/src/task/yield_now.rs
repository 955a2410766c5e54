//! Letting the others run.

use std::future::poll_fn;
use std::task::Poll;

/// Gives the turn to the other tasks; the caller continues after every task that was ready had its own.
///
/// # Cancel safety
///
/// Nothing is lost when the future is dropped.
pub async fn yield_now() {
    let mut yielded = false;
    poll_fn(|cx| {
        if yielded {
            return Poll::Ready(());
        }
        yielded = true;
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await
}
