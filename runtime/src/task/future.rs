//! The future of a task: the user's, plus what the scheduler needs to know of it.
//!
//! It catches the panic (where panics unwind), obeys an abort by dropping the user's future instead of
//! polling it, and takes the task off its owner's list when it is over.

use std::any::Any;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::JoinError;
use crate::context;
use crate::executor::Place;

type Panic = Box<dyn Any + Send + 'static>;

pin_project! {
    pub(crate) struct TaskFuture<F> {
        #[pin]
        future: Option<F>,
        place: Place,
        stage: Stage,
    }

    impl<F> PinnedDrop for TaskFuture<F> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            leave(this.place, this.stage);
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Not polled, or never had to wait.
    New,
    /// Its owner has its waker.
    Waiting,
    /// Its owner has forgotten it.
    Left,
}

fn leave(place: &Place, stage: &mut Stage) {
    if *stage != Stage::Left {
        *stage = Stage::Left;
        place.owner.remove(place.key);
    }
}

impl<F: Future> TaskFuture<F> {
    pub(crate) fn new(future: F, place: Place) -> Self {
        TaskFuture { future: Some(future), place, stage: Stage::New }
    }
}

impl<F: Future> Future for TaskFuture<F> {
    type Output = Result<F::Output, JoinError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let mut this = self.project();
        let id = this.place.id;
        let output = if context::is_aborted() {
            Err(JoinError::cancelled(id))
        } else {
            match catch(|| DropOnPanic(this.future.as_mut()).poll(cx)) {
                Ok(Poll::Pending) => {
                    if *this.stage == Stage::New {
                        *this.stage = Stage::Waiting;
                        this.place.owner.set_waker(this.place.key, cx.waker());
                    }
                    return Poll::Pending;
                }
                Ok(Poll::Ready(output)) => Ok(output),
                Err(panic) => Err(JoinError::panicked(id, panic)),
            }
        };
        // The future goes before anybody can see that the task is over.
        let dropped = catch(|| this.future.set(None));
        leave(this.place, this.stage);
        Poll::Ready(match (output, dropped) {
            (Err(e), Err(panic)) if e.is_cancelled() => Err(JoinError::panicked(id, panic)),
            (output, _) => output,
        })
    }
}

/// Drops the future while its panic unwinds, so that its destructors know.
struct DropOnPanic<'a, F>(Pin<&'a mut Option<F>>);

impl<F: Future> DropOnPanic<'_, F> {
    fn poll(mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.0.as_mut().as_pin_mut().expect("polled after completion");
        let output = future.poll(cx);
        std::mem::forget(self);
        output
    }
}

impl<F> Drop for DropOnPanic<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

#[cfg(panic = "unwind")]
pub(super) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
}

#[cfg(not(panic = "unwind"))]
pub(super) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    Ok(f())
}
