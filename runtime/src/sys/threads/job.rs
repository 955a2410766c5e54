//! With threads, a thread of the pool does blocking work.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use crate::task::JoinHandle;

/// Waits for the result of blocking work. The work is done even if this is dropped.
///
/// # Errors
///
/// Fails when the work panicked, or never ran because the runtime was shut down.
#[derive(Debug)]
pub(crate) struct Job<R>(JoinHandle<R>);

impl<R> Unpin for Job<R> {}

impl<R> Future for Job<R> {
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        Pin::new(&mut self.0).poll(cx).map_err(io::Error::from)
    }
}

/// Runs `f`, which may block, on a thread where it holds up no task.
///
/// # Panics
///
/// Panics outside of a runtime.
#[track_caller]
pub(crate) fn run<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Job<R> {
    Job(crate::task::spawn_blocking(f))
}
