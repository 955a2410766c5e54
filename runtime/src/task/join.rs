//! The handles of a task, for waiting and aborting.

use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::cell::Task;
use super::outcome::{FastPoll, Join};
use super::{Id, JoinError, coop};
use crate::lock::modelled::Mutex;

/// Waits for the result of a task. Dropping it detaches the task, which continues to run.
///
/// # Cancel safety
///
/// `&mut JoinHandle` can be polled and dropped at any time: the result stays with the handle.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let task = wasio::spawn(async { 42 });
/// assert_eq!(task.await?, 42);
///
/// let endless = wasio::spawn(std::future::pending::<()>());
/// endless.abort();
/// assert!(endless.await.unwrap_err().is_cancelled());
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct JoinHandle<T> {
    task: Task,
    /// The result was taken.
    over: bool,
    _result: PhantomData<T>,
}

impl<T> JoinHandle<T> {
    /// # Safety
    ///
    /// `T` is the output of the task's future.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn new(task: Task) -> Self {
        JoinHandle { task, over: false, _result: PhantomData }
    }

    fn join(&self) -> &Mutex<Join<T>> {
        #[allow(unsafe_code)]
        // SAFETY: `T` is the output, as the constructor's caller promised.
        unsafe {
            self.task.join()
        }
    }

    /// Aborts the task: its future is dropped instead of polled, and awaiting the handle gives a cancelled
    /// [`JoinError`] unless the task was already complete.
    ///
    /// A closure of `spawn_blocking` can be aborted only before it started.
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Returns whether the task has finished.
    pub fn is_finished(&self) -> bool {
        self.task.is_complete()
    }

    /// Returns a handle that can abort the task but not wait for it.
    pub fn abort_handle(&self) -> AbortHandle {
        AbortHandle { task: self.task.clone() }
    }

    /// Returns the ID of the task.
    pub fn id(&self) -> Id {
        self.task.id()
    }
}

// SAFETY: a task is `Send` and `Sync`. Its result is moved to the code that awaits or drops the handle, and never
// shared.
#[allow(unsafe_code)]
unsafe impl<T: Send> Send for JoinHandle<T> {}
// SAFETY: as above; nothing reaches the result through `&JoinHandle`.
#[allow(unsafe_code)]
unsafe impl<T: Send> Sync for JoinHandle<T> {}

impl<T> Unpin for JoinHandle<T> {}

impl<T> Future for JoinHandle<T> {
    type Output = Result<T, JoinError>;

    // PERF: the rare paths come last, so that there are no registers to save.
    #[inline]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        if coop::has_budget_remaining() {
            match self.join().poll_fast(cx) {
                FastPoll::Done(output) => {
                    coop::spend();
                    self.over = true;
                    return Poll::Ready(output);
                }
                FastPoll::Wait => return Poll::Pending,
                FastPoll::Slow => {}
            }
        }
        self.poll_slow(cx)
    }
}

impl<T> JoinHandle<T> {
    #[cold]
    #[inline(never)]
    fn poll_slow(&mut self, cx: &mut Context<'_>) -> Poll<Result<T, JoinError>> {
        let coop = ready!(coop::poll_proceed(cx));
        let output = ready!(self.join().poll(cx));
        coop.made_progress();
        self.over = true;
        Poll::Ready(output)
    }

    #[inline(never)]
    fn detach(&self) {
        self.join().detach(self.task.running());
    }
}

impl<T> Drop for JoinHandle<T> {
    fn drop(&mut self) {
        if !self.over {
            self.detach();
        }
    }
}

impl<T> fmt::Debug for JoinHandle<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("JoinHandle").field("id", &self.id()).finish()
    }
}

/// Aborts a task.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let task = wasio::spawn(std::future::pending::<()>());
/// let abort = task.abort_handle();
/// abort.abort();
/// assert!(task.await.unwrap_err().is_cancelled());
/// assert!(abort.is_finished());
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct AbortHandle {
    task: Task,
}

impl AbortHandle {
    /// Aborts the task. See [`JoinHandle::abort`].
    pub fn abort(&self) {
        self.task.abort();
    }

    /// Returns whether the task has finished.
    pub fn is_finished(&self) -> bool {
        self.task.is_complete()
    }

    /// Returns the ID of the task.
    pub fn id(&self) -> Id {
        self.task.id()
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
