//! The queue of ready tasks. They are linked through their cells, so the queue never allocates.
//!
//! A task is in one queue at most, by the scheduler's protocol (`cell.rs`). Its link belongs to that queue, and is
//! accessed with the lock of the queue held.

use std::ptr::{self, NonNull};

use super::cell::{Header, Runnable};
use crate::lock::modelled::atomic::{AtomicPtr, Ordering};

/// The pointer in a cell to the next task of the queue.
pub(crate) struct Link(AtomicPtr<Header>);

impl Default for Link {
    fn default() -> Link {
        Link(AtomicPtr::new(ptr::null_mut()))
    }
}

/// First in, first out. A ring, stored as a pointer to its last task.
#[derive(Default)]
pub(crate) struct Queue {
    last: Option<Runnable>,
}

impl Queue {
    /// Appends a task.
    pub(crate) fn push(&mut self, task: Runnable) {
        let pointer = task.0.as_ptr();
        let first = match &self.last {
            Some(last) => {
                let first = last.next.0.load(Ordering::Relaxed);
                last.next.0.store(pointer, Ordering::Relaxed);
                first
            }
            None => pointer,
        };
        task.next.0.store(first, Ordering::Relaxed);
        self.last = Some(task);
    }

    /// Removes the first task.
    pub(crate) fn pop(&mut self) -> Option<Runnable> {
        let last = self.last.as_ref()?;
        let first = Runnable(NonNull::new(last.next.0.load(Ordering::Relaxed))?);
        if first.0 == last.0 {
            self.last = None;
        } else {
            last.next.0.store(first.next.0.load(Ordering::Relaxed), Ordering::Relaxed);
        }
        Some(first)
    }

    /// Returns the number of tasks, at most `most`. It takes as many steps, because the queue keeps no count.
    pub(crate) fn count(&self, most: usize) -> usize {
        let Some(last) = &self.last else { return 0 };
        let mut count = 1;
        let mut next = last.next.0.load(Ordering::Relaxed);
        while let Some(task) = NonNull::new(next).filter(|&task| task != last.0 && count < most) {
            next = Runnable(task).next.0.load(Ordering::Relaxed);
            count += 1;
        }
        count.min(most)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_none()
    }
}
