//! On one thread, blocking work holds up every task.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::io::poll_budget;
use crate::runtime::Handle;

/// The result of blocking work. The work was done before this was returned.
///
/// # Errors
///
/// Fails when the work never ran because the runtime was shut down.
#[derive(Debug)]
pub(crate) struct Job<R>(Option<R>);

impl<R> Unpin for Job<R> {}

impl<R> Future for Job<R> {
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        // Nothing is waited for here, so without a budget a loop of file operations would never let other tasks run.
        ready!(poll_budget(cx));
        Poll::Ready(self.0.take().ok_or_else(|| io::Error::other("background task failed")))
    }
}

/// Runs `f`, which may block, at once.
///
/// # Panics
///
/// Panics outside of a runtime, so that code that works here also works with threads.
#[track_caller]
pub(crate) fn run<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Job<R> {
    Job((!Handle::with_current(|handle| handle.shared.reactor.is_closed())).then(f))
}
