//! The thread-locals of the runtime: which runtime is entered, what is running, how much budget is left.
//!
//! Every function that sets a value returns a guard that restores the old value when it is dropped, in whatever order the
//! stack unwinds. This file only remembers: it knows nothing of the executor.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::Arc;

use crate::task::Scheduler;
use crate::runtime::Handle;
use crate::task::{Budget, Id};

/// What the current thread is doing on behalf of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entered {
    /// No `block_on` is on the stack, or a blocking section was declared inside one.
    No,
    /// A `block_on` is on the stack: blocking again would stop the very tasks that are waited for.
    BlockOn,
    /// The same through `Handle::block_on`: its future is not run by the runtime's worker, so it has no
    /// worker's index and may call `block_in_place`.
    HandleBlockOn,
}

/// The task that is being polled.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(crate) id: Id,
    /// Where it was spawned, for messages.
    pub(crate) spawned_at: &'static Location<'static>,
}

/// What needs no destructor, apart from the rest: an access is then a plain load, on the path of every poll.
struct Turn {
    entered: Cell<Entered>,
    running: Cell<Option<Running>>,
    budget: Cell<Budget>,
}

/// What is entered.
struct Context {
    handle: RefCell<Option<Handle>>,
    /// The `LocalSet` that is being polled or was entered.
    local: RefCell<Option<Arc<Scheduler>>>,
    /// How many runtimes are entered, one inside the other.
    depth: Cell<usize>,
}

impl Turn {
    const fn new() -> Turn {
        Turn {
            entered: Cell::new(Entered::No),
            running: Cell::new(None),
            budget: Cell::new(Budget::UNLIMITED),
        }
    }
}

#[cfg(not(all(test, loom)))]
thread_local! {
    static TURN: Turn = const { Turn::new() };
}

// The threads of a model are one thread of the OS.
#[cfg(all(test, loom))]
loom::thread_local! {
    static TURN: Turn = Turn::new();
}

thread_local! {
    static CONTEXT: Context = const {
        Context {
            handle: RefCell::new(None),
            local: RefCell::new(None),
            depth: Cell::new(0),
        }
    };
}

/// Puts a value of the turn back when dropped.
pub(crate) struct Restore<T: Copy + 'static> {
    old: T,
    cell: fn(&Turn) -> &Cell<T>,
}

impl<T: Copy> Restore<T> {
    fn set(value: T, cell: fn(&Turn) -> &Cell<T>) -> Restore<T> {
        Restore { old: TURN.with(|t| cell(t).replace(value)), cell }
    }
}

impl<T: Copy> Drop for Restore<T> {
    fn drop(&mut self) {
        TURN.with(|t| (self.cell)(t).set(self.old));
    }
}

/// The handle of the runtime that is entered on this thread, if any.
pub(crate) fn handle() -> Option<Handle> {
    with_handle(|handle| handle.cloned())
}

/// Calls `f` with the entered runtime's handle, without cloning it.
pub(crate) fn with_handle<R>(f: impl FnOnce(Option<&Handle>) -> R) -> R {
    let mut f = Some(f);
    let mut call = |h: Option<&Handle>| (f.take().expect("called once"))(h);
    // Nobody writes meanwhile: asking in this way leaves the panics of the cell out of guests.
    let called = CONTEXT.try_with(|c| c.handle.try_borrow().map(|handle| call(handle.as_ref())));
    match called {
        Ok(Ok(r)) => r,
        _ => call(None),
    }
}

/// Whether this thread's context is gone, because the thread is being torn down.
pub(crate) fn is_destroyed() -> bool {
    CONTEXT.try_with(|_| ()).is_err()
}

/// Leaves a runtime when dropped.
pub(crate) struct RestoreHandle {
    old: Option<Handle>,
    depth: usize,
}

/// Enters a runtime: `handle()` finds it until the guard is dropped.
#[inline(never)]
pub(crate) fn enter(handle: Handle) -> RestoreHandle {
    // A thread that is being torn down has no context: runtimes that are dropped then do without.
    let entered = CONTEXT.try_with(|c| {
        let depth = c.depth.get() + 1;
        c.depth.set(depth);
        RestoreHandle { old: replace(&c.handle, Some(handle)), depth }
    });
    entered.unwrap_or_else(|_| RestoreHandle { old: None, depth: 0 })
}

/// Like `RefCell::replace`, without its panic: the handle is never borrowed beyond a function of this file.
fn replace(cell: &RefCell<Option<Handle>>, handle: Option<Handle>) -> Option<Handle> {
    match cell.try_borrow_mut() {
        Ok(mut cell) => std::mem::replace(&mut cell, handle),
        Err(_) => None,
    }
}

impl RestoreHandle {
    /// Whether what was entered later was left; true on a thread that is being torn down.
    pub(crate) fn is_innermost(&self) -> bool {
        CONTEXT.try_with(|c| c.depth.get() == self.depth).unwrap_or(true)
    }
}

impl Drop for RestoreHandle {
    #[inline(never)]
    fn drop(&mut self) {
        let _ = CONTEXT.try_with(|c| {
            if c.depth.get() != self.depth {
                return;
            }
            c.depth.set(self.depth - 1);
            let current = replace(&c.handle, self.old.take());
            // Outside of the borrow: it may be the last handle and run destructors.
            drop(current);
        });
    }
}

/// The `LocalSet` that is being polled or was entered.
pub(crate) fn local() -> Option<Arc<Scheduler>> {
    CONTEXT.try_with(|c| c.local.borrow().clone()).ok().flatten()
}

/// Leaves a `LocalSet` when dropped.
pub(crate) struct RestoreLocal {
    old: Option<Arc<Scheduler>>,
}

/// Declares which `LocalSet` local tasks go to until the guard is dropped.
pub(crate) fn set_local(local: Option<Arc<Scheduler>>) -> RestoreLocal {
    RestoreLocal { old: CONTEXT.try_with(|c| c.local.replace(local)).unwrap_or(None) }
}

impl Drop for RestoreLocal {
    fn drop(&mut self) {
        // A thread that is being torn down has no context left to restore.
        let current = CONTEXT.try_with(|c| c.local.replace(self.old.take()));
        // Outside of the borrow: it may be the last and run destructors.
        drop(current);
    }
}

/// Whether a `block_on` is on this thread's stack.
pub(crate) fn entered() -> Entered {
    TURN.with(|t| t.entered.get())
}

/// Whether the code that runs is the future of a `Handle::block_on`, not one of a task.
pub(crate) fn in_handle_block_on() -> bool {
    entered() == Entered::HandleBlockOn && running().is_none()
}

/// Declares what the thread does until the guard is dropped.
pub(crate) fn set_entered(entered: Entered) -> Restore<Entered> {
    Restore::set(entered, |t| &t.entered)
}

/// The task being polled on this thread.
pub(crate) fn running() -> Option<Running> {
    TURN.with(|t| t.running.get())
}

/// Turns of tasks, one after the other: puts back what was before them when dropped.
pub(crate) struct Turns {
    running: Option<Running>,
    budget: Budget,
}

impl Turns {
    /// Declares which task is polled, and with what budget, until the next turn or the end of all.
    ///
    /// Not a method, so that the turns need not be passed to where one begins: the code that runs a task has them.
    #[inline]
    pub(crate) fn begin(running: Running, budget: Budget) {
        TURN.with(|t| {
            t.running.set(Some(running));
            t.budget.set(budget);
        });
    }
}

impl Drop for Turns {
    fn drop(&mut self) {
        TURN.with(|t| {
            t.running.set(self.running);
            t.budget.set(self.budget);
        });
    }
}

/// Begins turns of tasks.
pub(crate) fn turns() -> Turns {
    TURN.with(|t| Turns { running: t.running.get(), budget: t.budget.get() })
}

/// Declares that code belongs to a task, without polling it, until the guard is dropped.
pub(crate) fn set_task(task: Running) -> Restore<Option<Running>> {
    Restore::set(Some(task), |t| &t.running)
}

/// Declares that no task is polled until the guard is dropped.
pub(crate) fn set_no_task() -> Restore<Option<Running>> {
    Restore::set(None, |t| &t.running)
}

/// The operations the running task may still do before it must yield.
pub(crate) fn budget() -> Budget {
    TURN.with(|t| t.budget.get())
}

/// Sets the budget without a guard (the caller puts it back).
pub(crate) fn put_budget(budget: Budget) {
    TURN.with(|t| t.budget.set(budget));
}

/// Sets the budget until the guard is dropped.
pub(crate) fn set_budget(budget: Budget) -> Restore<Budget> {
    Restore::set(budget, |t| &t.budget)
}
