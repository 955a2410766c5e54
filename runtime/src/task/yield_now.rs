//! Yielding to other tasks.

use std::future::poll_fn;
use std::task::Poll;

/// Yields to other tasks. The caller continues after every task that was ready has run.
///
/// # Cancel safety
///
/// Nothing is lost when the future is dropped.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use std::sync::atomic::{AtomicBool, Ordering};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let ran = Arc::new(AtomicBool::new(false));
/// let other = ran.clone();
/// wasio::spawn(async move { other.store(true, Ordering::Relaxed) });
/// wasio::task::yield_now().await;
/// assert!(ran.load(Ordering::Relaxed), "the other task has run");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
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
