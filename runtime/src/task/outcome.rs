//! Where the result of a task goes, and how its handle gets it.

use std::mem;
use std::task::{Context, Poll, Waker};

use super::cell::catch;
use super::current::{self, Running};
use super::{JoinError, waker};
use crate::lock::modelled::Mutex;

/// Where the result goes.
pub(crate) enum Join<T> {
    /// The handle exists; it left its waker if it waits.
    Open(Option<Waker>),
    Done(Result<T, JoinError>),
    /// The result was taken, or will never be taken.
    Over,
}

/// What a handle gets without much ado.
pub(crate) enum AtOnce<T> {
    Done(Result<T, JoinError>),
    /// The waker is kept.
    Wait,
    /// Nothing was done: it takes the long way.
    Ask,
}

impl<T> Mutex<Join<T>> {
    /// As `poll`, in the usual cases.
    #[inline(always)]
    pub(crate) fn poll_at_once(&self, cx: &Context<'_>) -> AtOnce<T> {
        let mut join = self.lock();
        match &mut *join {
            Join::Done(_) => match mem::replace(&mut *join, Join::Over) {
                Join::Done(output) => AtOnce::Done(output),
                _ => AtOnce::Ask,
            },
            Join::Open(slot @ None) => {
                waker::clone_into(slot, cx.waker());
                AtOnce::Wait
            }
            _ => AtOnce::Ask,
        }
    }

    /// Takes the result, or keeps the waker for it.
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
        // A waker's destructor may run anything: the lock goes first.
        drop(guard);
        Poll::Pending
    }

    /// Records that the result of the task will never be taken.
    pub(crate) fn detach(&self, task: Running) {
        let old = mem::replace(&mut *self.lock(), Join::Over);
        // If the task is over its result goes now: as if in the task, and a panic stays here.
        let _task = current::set_task(task);
        let _ = catch(|| drop(old));
    }
}
