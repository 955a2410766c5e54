//! The queue of armed sockets that may be ready (`armed.rs`).
//!
//! An armed socket registers a waker of its own, a [`SlotWaker`], with tokio. Waking it puts the socket's slot in the
//! queue.

use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::{AcqRel, Release};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Wake, Waker};

use tokio::io::Interest;

/// The directions of readiness of a socket.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Direction {
    Read,
    Write,
}

impl Direction {
    pub(super) const ALL: [Direction; 2] = [Direction::Read, Direction::Write];

    pub(super) fn interest(self) -> Interest {
        match self {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        }
    }
}

/// Slots whose sockets may be ready. Wakers are called on the threads of tokio's driver.
#[derive(Debug, Default)]
pub(super) struct ReadyQueue {
    queued: Mutex<Queued>,
    /// Whether the next waker is to wake the guest.
    waiting: AtomicBool,
}

#[derive(Debug, Default)]
pub(super) struct Queued {
    pub(super) slots: Vec<u32>,
    /// The guest's waker, as of its last poll.
    task: Option<Waker>,
}

impl ReadyQueue {
    fn lock(&self) -> MutexGuard<'_, Queued> {
        self.queued.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the next waker wake the task, once.
    pub(super) fn watch(&self, task: &Context<'_>) -> MutexGuard<'_, Queued> {
        let mut queued = self.lock();
        match &mut queued.task {
            Some(waker) => waker.clone_from(task.waker()),
            none => *none = Some(task.waker().clone()),
        }
        self.waiting.store(true, Release);
        queued
    }

    /// Stops waking the task.
    pub(super) fn unwatch(&self) {
        self.waiting.store(false, Release);
    }
}

/// The waker of a slot, for one socket after the other.
#[derive(Debug)]
pub(super) struct SlotWaker {
    queue: Arc<ReadyQueue>,
    slot: u32,
    /// Whether the slot is in the queue.
    pub(super) is_queued: AtomicBool,
}

impl SlotWaker {
    pub(super) fn enqueue(&self) {
        let mut queued = self.queue.lock();
        if !self.is_queued.swap(true, AcqRel) {
            queued.slots.push(self.slot);
        }
        // The task is woken even if the slot was queued before, because an ordinary poll does not examine the queue.
        let task = if self.queue.waiting.swap(false, AcqRel) { queued.task.clone() } else { None };
        drop(queued);
        if let Some(task) = task {
            task.wake();
        }
    }
}

impl Wake for SlotWaker {
    fn wake(self: Arc<SlotWaker>) {
        self.enqueue();
    }

    fn wake_by_ref(self: &Arc<SlotWaker>) {
        self.enqueue();
    }
}

/// The armed directions of one slot. They stay with the slot, for its next socket.
#[derive(Debug)]
pub(super) struct Armed {
    pub(super) slot_waker: Arc<SlotWaker>,
    pub(super) waker: Waker,
    /// The userdata of each armed direction.
    pub(super) userdata: [Option<u64>; 2],
}

impl Armed {
    pub(super) fn new(queue: &Arc<ReadyQueue>, slot: usize) -> Armed {
        let slot_waker = Arc::new(SlotWaker {
            queue: queue.clone(),
            slot: slot as u32,
            is_queued: AtomicBool::new(false),
        });
        Armed { waker: slot_waker.clone().into(), slot_waker, userdata: [None; 2] }
    }

    /// Disarms both directions, and returns their userdata.
    pub(super) fn clear(&mut self) -> [Option<u64>; 2] {
        std::mem::take(&mut self.userdata)
    }
}
