//! The place of a task's result, and how its handle takes it.

use std::mem;
use std::task::{Context, Poll, Waker};

use super::cell::catch;
use super::current::{self, Running};
use super::{JoinError, waker};
use crate::lock::modelled::Mutex;

/// The state of the result.
pub(crate) enum Join<T> {
    /// There is no result yet. The handle exists, and has left its waker if it waits.
    Open(Option<Waker>),
    Done(Result<T, JoinError>),
    /// The result was taken, or will never be taken.
    Over,
}

/// The outcome of the short path.
pub(crate) enum FastPoll<T> {
    Done(Result<T, JoinError>),
    /// The waker was stored.
    Wait,
    /// Nothing was done: the caller takes the long path.
    Slow,
}

impl<T> Mutex<Join<T>> {
    /// Like `poll`, in the usual cases.
    #[inline(always)]
    pub(crate) fn poll_fast(&self, cx: &Context<'_>) -> FastPoll<T> {
        let mut join = self.lock();
        match &mut *join {
            Join::Done(_) => match mem::replace(&mut *join, Join::Over) {
                Join::Done(output) => FastPoll::Done(output),
                _ => FastPoll::Slow,
            },
            Join::Open(slot @ None) => {
                waker::clone_into(slot, cx.waker());
                FastPoll::Wait
            }
            _ => FastPoll::Slow,
        }
    }

    /// Takes the result, or stores the waker.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Result<T, JoinError>> {
        let mut guard = self.lock();
        let _old = match &mut *guard {
            Join::Open(Some(waker)) if waker.will_wake(cx.waker()) => return Poll::Pending,
            Join::Open(waker) => waker.replace(waker::clone(cx.waker())),
            join => match mem::replace(join, Join::Over) {
                Join::Done(output) => return Poll::Ready(output),
                _ => panic!("JoinHandle polled after completion"),
            },
        };
        // A waker's destructor may run any code, so the lock is released first.
        drop(guard);
        Poll::Pending
    }

    /// Records that the result of the task will never be taken.
    pub(crate) fn detach(&self, task: Running) {
        let old = mem::replace(&mut *self.lock(), Join::Over);
        // If the task is over, its result is dropped now, as if in the task. A panic does not propagate.
        let _task = current::set_task(task);
        let _ = catch(|| drop(old));
    }
}
