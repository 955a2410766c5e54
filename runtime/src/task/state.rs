//! The state of a task, and its transitions.
//!
//! - `SCHEDULED`: it is in the queue, or was woken while it was polled and returns there afterwards.
//! - `RUNNING`: it is being polled. The future is accessed only then.
//! - `ABORTED`: the future is dropped instead of polled.
//! - `COMPLETE`: the future is gone, and the result is available to the handle.

use crate::lock::modelled::atomic::{AtomicUsize, Ordering};

const SCHEDULED: usize = 1;
const RUNNING: usize = 2;
const ABORTED: usize = 4;
const COMPLETE: usize = 8;
/// A flag, not a state: the scheduler does not belong to a runtime, so a wake has more to do than to put the task in
/// the queue.
const OTHER_SCHEDULER: usize = 16;

/// See the module's documentation.
pub(super) struct State(AtomicUsize);

/// The next step after a poll in which the future was not ready.
pub(super) enum AfterPoll {
    /// It waits to be woken.
    Wait,
    /// It was woken during the poll: put it in the queue.
    Reschedule,
    /// It was aborted during the poll: drop its future.
    Cancel,
}

/// The action that waking a task requires.
pub(super) enum Wake {
    /// None: the task is in the queue, running, or complete.
    Nothing,
    /// Put the task in the queue of its runtime.
    Push,
    /// Put the task in the queue of its scheduler, which does not belong to a runtime.
    PushElsewhere,
}

impl State {
    /// The state of a new task, which the caller puts in a queue.
    pub(super) fn new(belongs_to_runtime: bool) -> State {
        let other = if belongs_to_runtime { 0 } else { OTHER_SCHEDULER };
        State(AtomicUsize::new(SCHEDULED | other))
    }

    pub(super) fn is_complete(&self) -> bool {
        self.0.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Returns whether the future is gone, or is being polled further up the stack or by another thread.
    pub(super) fn is_running_or_complete(&self) -> bool {
        self.0.load(Ordering::Acquire) & (RUNNING | COMPLETE) != 0
    }

    /// Schedules the task. Returns whether the caller has to put it in the queue.
    pub(super) fn schedule(&self) -> bool {
        self.schedule_as(0)
    }

    /// Like `schedule`, but the future is dropped instead of polled.
    pub(super) fn abort(&self) -> bool {
        self.schedule_as(ABORTED)
    }

    fn schedule_as(&self, why: usize) -> bool {
        let old = self.0.fetch_or(SCHEDULED | why, Ordering::AcqRel);
        old & (SCHEDULED | RUNNING | COMPLETE) == 0
    }

    /// Like `schedule`, for the path of every wake.
    #[inline(always)]
    pub(super) fn wake(&self) -> Wake {
        let old = self.0.fetch_or(SCHEDULED, Ordering::AcqRel);
        if old & (SCHEDULED | RUNNING | COMPLETE | OTHER_SCHEDULER) == 0 {
            Wake::Push
        } else if old & (SCHEDULED | RUNNING | COMPLETE) == 0 {
            Wake::PushElsewhere
        } else {
            Wake::Nothing
        }
    }

    /// Marks a task that is in the queue, or was just taken from it, as aborted.
    pub(super) fn cancel(&self) {
        self.0.fetch_or(ABORTED, Ordering::AcqRel);
    }

    /// Begins a poll. Returns false if the future must be dropped instead.
    pub(super) fn begin_poll(&self) -> bool {
        let old = self.0.fetch_xor(SCHEDULED | RUNNING, Ordering::AcqRel);
        old & ABORTED == 0
    }

    /// Ends a poll in which the future was not ready.
    pub(super) fn end_poll(&self) -> AfterPoll {
        let old = self.0.fetch_xor(RUNNING, Ordering::AcqRel);
        if old & SCHEDULED == 0 {
            AfterPoll::Wait
        } else if old & ABORTED == 0 {
            AfterPoll::Reschedule
        } else {
            // It stays scheduled, so no waker puts it in the queue.
            AfterPoll::Cancel
        }
    }

    /// Marks the task as complete.
    pub(super) fn complete(&self) {
        self.0.fetch_or(COMPLETE, Ordering::AcqRel);
    }
}
