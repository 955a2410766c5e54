//! The queue of tasks that are ready: linked through their cells, so that it never allocates.
//!
//! A task is in one queue at most, as the scheduler's protocol has it (`cell.rs`); its link belongs to that
//! queue, and is touched with the lock of the queue held.

use std::ptr::{self, NonNull};

use super::cell::{Header, Ready};
use crate::lock::modelled::atomic::{AtomicPtr, Ordering};

/// The place in a cell that points to the next task of the queue.
pub(crate) struct Link(AtomicPtr<Header>);

impl Default for Link {
    fn default() -> Link {
        Link(AtomicPtr::new(ptr::null_mut()))
    }
}

/// First in, first out.
#[derive(Default)]
pub(crate) struct Queue {
    first: Option<Ready>,
    /// The last one, if there is a first.
    last: Option<Ready>,
    len: usize,
}

impl Queue {
    /// Puts a task at the end.
    #[inline]
    pub(crate) fn push(&mut self, task: Ready) {
        let pointer = task.0;
        task.next.0.store(ptr::null_mut(), Ordering::Relaxed);
        match &self.last {
            Some(last) if self.first.is_some() => {
                last.next.0.store(pointer.as_ptr(), Ordering::Relaxed);
            }
            _ => self.first = Some(Ready(pointer)),
        }
        self.last = Some(task);
        self.len += 1;
    }

    /// Takes the first one.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<Ready> {
        let first = self.first.take()?;
        self.first = NonNull::new(first.next.0.load(Ordering::Relaxed)).map(Ready);
        self.len -= 1;
        Some(first)
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.first.is_none()
    }
}
