//! The one thread-local of the runtime: which runtime is entered, what is running, how much budget is left.
//!
//! Every function that sets something returns a guard that puts the old value back when it is dropped, in
//! whatever order the stack unwinds. Nothing here knows the executor: it only remembers.

use std::cell::{Cell, RefCell};
use std::panic::Location;
use std::sync::Arc;

use crate::executor::Scheduler;
use crate::runtime::Handle;
use crate::task::Id;

/// What the current thread is doing on behalf of a runtime.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Entered {
    /// No `block_on` is on the stack, or a blocking section was declared inside one.
    No,
    /// A `block_on` is on the stack: blocking again would stop the very tasks that are waited for.
    BlockOn,
}

/// The task that is being polled.
#[derive(Clone, Copy)]
pub(crate) struct Running {
    pub(crate) id: Id,
    /// Where it was spawned, for messages.
    pub(crate) spawned_at: &'static Location<'static>,
    /// Set when the task was aborted: its future is dropped instead of polled.
    pub(crate) aborted: bool,
}

struct Context {
    handle: RefCell<Option<Handle>>,
    entered: Cell<Entered>,
    running: Cell<Option<Running>>,
    budget: Cell<Option<u8>>,
    /// The `LocalSet` that is being polled or was entered.
    local: RefCell<Option<Arc<Scheduler>>>,
    /// How many runtimes are entered, one inside the other.
    depth: Cell<usize>,
}

thread_local! {
    static CONTEXT: Context = const {
        Context {
            handle: RefCell::new(None),
            entered: Cell::new(Entered::No),
            running: Cell::new(None),
            budget: Cell::new(None),
            local: RefCell::new(None),
            depth: Cell::new(0),
        }
    };
}

/// Puts a value of the context back when dropped.
pub(crate) struct Restore<T: 'static> {
    old: Option<T>,
    put: fn(&Context, T),
}

impl<T> Drop for Restore<T> {
    fn drop(&mut self) {
        if let Some(old) = self.old.take() {
            // A thread that is being torn down has no context left to restore.
            let _ = CONTEXT.try_with(|c| (self.put)(c, old));
        }
    }
}

/// The handle of the runtime that is entered on this thread, if any.
pub(crate) fn handle() -> Option<Handle> {
    CONTEXT.try_with(|c| c.handle.borrow().clone()).ok().flatten()
}

/// Calls `f` with the entered runtime's handle, without cloning it.
pub(crate) fn with_handle<R>(f: impl FnOnce(Option<&Handle>) -> R) -> R {
    let mut f = Some(f);
    let mut call = |h: Option<&Handle>| (f.take().expect("called once"))(h);
    match CONTEXT.try_with(|c| call(c.handle.borrow().as_ref())) {
        Ok(r) => r,
        Err(_) => call(None),
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
pub(crate) fn enter(handle: Handle) -> RestoreHandle {
    CONTEXT.with(|c| {
        let depth = c.depth.get() + 1;
        c.depth.set(depth);
        RestoreHandle { old: c.handle.replace(Some(handle)), depth }
    })
}

impl Drop for RestoreHandle {
    #[track_caller]
    fn drop(&mut self) {
        let _ = CONTEXT.try_with(|c| {
            if c.depth.get() != self.depth {
                assert!(
                    std::thread::panicking(),
                    "`EnterGuard` values dropped out of order. Guards returned by `Handle::enter()` must be \
                     dropped in the reverse order as they were acquired."
                );
                return;
            }
            c.depth.set(self.depth - 1);
            let current = c.handle.replace(self.old.take());
            // Outside of the borrow: it may be the last handle and run destructors.
            drop(current);
        });
    }
}

/// The `LocalSet` that is being polled or was entered.
pub(crate) fn local() -> Option<Arc<Scheduler>> {
    CONTEXT.try_with(|c| c.local.borrow().clone()).ok().flatten()
}

/// Declares which `LocalSet` local tasks go to until the guard is dropped.
pub(crate) fn set_local(local: Option<Arc<Scheduler>>) -> Restore<Option<Arc<Scheduler>>> {
    let old = CONTEXT.with(|c| c.local.replace(local));
    Restore {
        old: Some(old),
        put: |c, old| {
            let current = c.local.replace(old);
            drop(current);
        },
    }
}

/// Whether a `block_on` is on this thread's stack.
pub(crate) fn entered() -> Entered {
    CONTEXT.try_with(|c| c.entered.get()).unwrap_or(Entered::No)
}

/// Declares what the thread does until the guard is dropped.
pub(crate) fn set_entered(entered: Entered) -> Restore<Entered> {
    let old = CONTEXT.with(|c| c.entered.replace(entered));
    Restore { old: Some(old), put: |c, old| c.entered.set(old) }
}

/// The task being polled on this thread.
pub(crate) fn running() -> Option<Running> {
    CONTEXT.try_with(|c| c.running.get()).ok().flatten()
}

/// Whether the task being polled was aborted.
pub(crate) fn is_aborted() -> bool {
    running().is_some_and(|r| r.aborted)
}

/// What `set_task` puts back.
pub(crate) struct RestoreTask {
    running: Option<Running>,
    budget: Option<u8>,
}

impl Drop for RestoreTask {
    fn drop(&mut self) {
        let _ = CONTEXT.try_with(|c| {
            c.running.set(self.running);
            c.budget.set(self.budget);
        });
    }
}

/// Declares which task is polled, and with what budget, until the guard is dropped.
pub(crate) fn set_task(running: Running, budget: u8) -> RestoreTask {
    CONTEXT.with(|c| RestoreTask {
        running: c.running.replace(Some(running)),
        budget: c.budget.replace(Some(budget)),
    })
}

/// Declares that no task is polled until the guard is dropped.
pub(crate) fn set_no_task() -> Restore<Option<Running>> {
    let old = CONTEXT.with(|c| c.running.replace(None));
    Restore { old: Some(old), put: |c, old| c.running.set(old) }
}

/// The operations the running task may still do before it must yield; `None`: no limit.
pub(crate) fn budget() -> Option<u8> {
    CONTEXT.try_with(|c| c.budget.get()).ok().flatten()
}

/// Sets the budget without a guard (the caller puts it back).
pub(crate) fn put_budget(budget: Option<u8>) {
    let _ = CONTEXT.try_with(|c| c.budget.set(budget));
}

/// Sets the budget until the guard is dropped.
pub(crate) fn set_budget(budget: Option<u8>) -> Restore<Option<u8>> {
    let old = CONTEXT.with(|c| c.budget.replace(budget));
    Restore { old: Some(old), put: |c, old| c.budget.set(old) }
}
