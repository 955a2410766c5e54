//! The handles of a task: to wait for it, to abort it.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Mutex;
use std::task::{Context, Poll, ready};

use super::future::catch;
use super::{Id, JoinError, coop};
use crate::context;
use crate::executor::{Meta, Place};

/// Waits for a task's result; dropped, it lets the task go on alone.
///
/// # Cancel safety
///
/// `&mut JoinHandle` can be polled and dropped at any time: the result stays with the handle.
pub struct JoinHandle<T> {
    /// `None`: the result was taken, or the task never started.
    task: Option<async_task::FallibleTask<Result<T, JoinError>, Meta>>,
    abort: AbortHandle,
    cancelled: bool,
    // The result is moved to whoever awaits: the handle is `Send` and `Sync` only if the result is `Send`.
    _result: PhantomData<Mutex<T>>,
}

impl<T> JoinHandle<T> {
    pub(crate) fn new(
        task: async_task::FallibleTask<Result<T, JoinError>, Meta>,
        abort: AbortHandle,
    ) -> Self {
        JoinHandle { task: Some(task), abort, cancelled: false, _result: PhantomData }
    }

    pub(crate) fn cancelled(abort: AbortHandle) -> Self {
        JoinHandle { task: None, abort, cancelled: true, _result: PhantomData }
    }

    /// Aborts the task: its future is dropped at its next turn, and awaiting the handle gives a cancelled
    /// [`JoinError`] unless the task was already complete.
    ///
    /// A closure of `spawn_blocking` can be aborted only before it started.
    pub fn abort(&self) {
        self.abort.abort();
    }

    /// Whether the task is over.
    pub fn is_finished(&self) -> bool {
        self.task.as_ref().is_none_or(|task| task.is_finished()) || self.abort.is_finished()
    }

    /// A handle that can abort the task but not wait for it.
    pub fn abort_handle(&self) -> AbortHandle {
        self.abort.clone()
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.abort.id()
    }
}

impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let coop = ready!(coop::poll_proceed(cx));
        let id = self.id();
        if self.cancelled {
            self.cancelled = false;
            coop.made_progress();
            return Poll::Ready(Err(JoinError::cancelled(id)));
        }
        let task = self.task.as_mut().expect("JoinHandle polled after completion");
        let output = ready!(Pin::new(task).poll(cx));
        coop.made_progress();
        self.task = None;
        // Without an output the task was dropped with its runtime.
        Poll::Ready(output.unwrap_or_else(|| Err(JoinError::cancelled(id))))
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if let Some(task) = self.task.take() {
            // If the task is over its result goes now: as if in the task, and a panic stays here.
            let _task = context::set_task_id(self.id());
            let _ = catch(|| task.detach());
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish()
    }
}

/// Aborts a task.
#[derive(Clone)]
pub struct AbortHandle {
    place: Place,
}

impl AbortHandle {
    pub(crate) fn new(place: Place) -> Self {
        AbortHandle { place }
    }

    /// Aborts the task; see [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.place.owner.abort(self.place.key, self.place.id);
    }

    /// Whether the task is over.
    pub fn is_finished(&self) -> bool {
        !self.place.owner.is_alive(self.place.key, self.place.id)
    }

    /// The task's id.
    pub fn id(&self) -> Id {
        self.place.id
    }
}

impl std::panic::UnwindSafe for AbortHandle {}
impl std::panic::RefUnwindSafe for AbortHandle {}
impl<T> std::panic::UnwindSafe for JoinHandle<T> {}
impl<T> std::panic::RefUnwindSafe for JoinHandle<T> {}

impl fmt::Debug for AbortHandle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AbortHandle").field("id", &self.id()).finish()
    }
}
