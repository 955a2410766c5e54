//! The thread's state that every poll of a task reads: the entered runtime, the task that is polled, and its budget.
//!
//! The values need no destructor, so an access is a plain load. Functions that set a value return a guard that restores
//! the old one when it is dropped, in whatever order the stack unwinds.

use std::cell::Cell;
use std::panic::Location;

use super::{Budget, Id};

/// What the current thread is doing on behalf of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entered {
    /// No `block_on` is on the stack, or a blocking section was declared inside one.
    No,
    /// A `block_on` is on the stack. Blocking again would stop the tasks that it waits for.
    BlockOn,
    /// Like `BlockOn`, through `Handle::block_on`. The runtime's worker does not poll this future, so it has no worker
    /// index and may call `block_in_place`.
    HandleBlockOn,
}

/// The task that is being polled.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(crate) id: Id,
    /// Where the task was spawned, for messages.
    pub(crate) spawned_at: &'static Location<'static>,
}

/// See the module's documentation.
struct Current {
    entered: Cell<Entered>,
    running: Cell<Option<Running>>,
    budget: Cell<Budget>,
}

impl Current {
    const fn new() -> Current {
        Current {
            entered: Cell::new(Entered::No),
            running: Cell::new(None),
            budget: Cell::new(Budget::UNLIMITED),
        }
    }
}

#[cfg(not(all(test, loom)))]
thread_local! {
    static CURRENT: Current = const { Current::new() };
}

// All threads of a model are one thread of the OS.
#[cfg(all(test, loom))]
loom::thread_local! {
    static CURRENT: Current = Current::new();
}

/// Restores a value when dropped.
pub(crate) struct Restore<T: Copy + 'static> {
    old: T,
    cell: fn(&Current) -> &Cell<T>,
}

impl<T: Copy> Restore<T> {
    fn set(value: T, cell: fn(&Current) -> &Cell<T>) -> Restore<T> {
        Restore { old: CURRENT.with(|current| cell(current).replace(value)), cell }
    }
}

impl<T: Copy> Drop for Restore<T> {
    fn drop(&mut self) {
        CURRENT.with(|current| (self.cell)(current).set(self.old));
    }
}

/// Returns whether a `block_on` is on this thread's stack.
pub(crate) fn entered() -> Entered {
    CURRENT.with(|current| current.entered.get())
}

/// Returns whether the running code is the future of a `Handle::block_on`, not a task.
pub(crate) fn in_handle_block_on() -> bool {
    entered() == Entered::HandleBlockOn && running().is_none()
}

/// Sets the thread's activity until the guard is dropped.
pub(crate) fn set_entered(entered: Entered) -> Restore<Entered> {
    Restore::set(entered, |current| &current.entered)
}

/// Returns the task that is polled on this thread.
pub(crate) fn running() -> Option<Running> {
    CURRENT.with(|current| current.running.get())
}

/// Covers consecutive polls of tasks. Restores the earlier state when dropped.
pub(crate) struct Polls {
    running: Option<Running>,
    budget: Budget,
}

impl Polls {
    /// Saves the current state.
    pub(crate) fn new() -> Polls {
        CURRENT
            .with(|current| Polls { running: current.running.get(), budget: current.budget.get() })
    }

    /// Sets the task that is polled, and its budget, until the next poll begins or all of them end.
    // PERF: not a method, so that the code that polls a task need not be passed values that its caller keeps.
    #[inline]
    pub(crate) fn begin(running: Running, budget: Budget) {
        CURRENT.with(|current| {
            current.running.set(Some(running));
            current.budget.set(budget);
        });
    }
}

impl Drop for Polls {
    fn drop(&mut self) {
        CURRENT.with(|current| {
            current.running.set(self.running);
            current.budget.set(self.budget);
        });
    }
}

/// Sets the task that code belongs to, without polling it, until the guard is dropped.
pub(crate) fn set_task(task: Running) -> Restore<Option<Running>> {
    Restore::set(Some(task), |current| &current.running)
}

/// Sets that no task is polled, until the guard is dropped.
pub(crate) fn set_no_task() -> Restore<Option<Running>> {
    Restore::set(None, |current| &current.running)
}

/// Returns the number of operations that the running task may do before it must yield.
pub(crate) fn budget() -> Budget {
    CURRENT.with(|current| current.budget.get())
}

/// Sets the budget without a guard; the caller restores it.
pub(crate) fn put_budget(budget: Budget) {
    CURRENT.with(|current| current.budget.set(budget));
}

/// Sets the budget until the guard is dropped.
pub(crate) fn set_budget(budget: Budget) -> Restore<Budget> {
    Restore::set(budget, |current| &current.budget)
}
