//! A future, or its output once it is done. `join!` keeps one for each of its arguments.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::join::{All, Failed, Part, UntilError};

pin_project! {
    /// A future that keeps its output.
    #[project = Projected]
    #[project_replace = Replaced]
    #[derive(Debug)]
    // The tag has memory of its own: put into a niche of the future, looking at it would look into a future
    // that may hold references to itself.
    #[repr(C)]
    pub enum MaybeDone<F: Future> {
        /// The future is not done.
        Running { #[pin] future: F },
        /// The future is done, and the output has not been taken.
        Done { output: F::Output },
        /// The output was taken.
        Taken,
    }
}

/// A future that was not polled yet.
pub fn maybe_done<F: IntoFuture>(future: F) -> MaybeDone<F::IntoFuture> {
    MaybeDone::Running { future: future.into_future() }
}

impl<F: Future> MaybeDone<F> {
    /// Takes the output.
    ///
    /// # Panics
    ///
    /// Panics if the future is not done, or the output was taken before.
    #[track_caller]
    pub fn output(self: Pin<&mut Self>) -> F::Output {
        match self.project_replace(MaybeDone::Taken) {
            Replaced::Done { output } => output,
            _ => panic!("expected completed future"),
        }
    }

    /// Polls the future unless it is done.
    #[inline]
    fn poll_future(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        match self.as_mut().project() {
            Projected::Running { future } => {
                let output = ready!(future.poll(cx));
                self.set(MaybeDone::Done { output });
                Poll::Ready(())
            }
            Projected::Done { .. } => Poll::Ready(()),
            Projected::Taken => panic!("`join!` polled after completion"),
        }
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> MaybeDone<F> {
    /// Takes the value of an output that is `Ok`.
    #[track_caller]
    pub fn ok(self: Pin<&mut Self>) -> T {
        match self.output() {
            Ok(value) => value,
            Err(_) => panic!("expected Ok(_)"),
        }
    }

    /// Takes the error, if the future is done with one; as a result of any type, so that it can be
    /// returned without ever naming an error that may be uninhabited.
    pub fn error<U>(mut self: Pin<&mut Self>) -> Option<Result<U, E>> {
        match self.as_mut().project() {
            Projected::Done { output: Err(_) } => self.output().err().map(Err),
            _ => None,
        }
    }
}

impl<F: Future> Part<All> for MaybeDone<F> {
    fn poll_part(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        self.poll_future(cx).map(Ok)
    }
}

impl<T, E, F: Future<Output = Result<T, E>>> Part<UntilError> for MaybeDone<F> {
    fn poll_part(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Failed>> {
        ready!(self.as_mut().poll_future(cx));
        match self.project() {
            Projected::Done { output: Err(_) } => Poll::Ready(Err(Failed)),
            _ => Poll::Ready(Ok(())),
        }
    }
}
