//! The runtime and the `LocalSet` that this thread has entered.
//!
//! Every function that sets a value returns a guard that restores the old value when it is dropped, in whatever order
//! the stack unwinds. `task/current.rs` has the state that every poll of a task reads.

use std::cell::{Cell, RefCell};
use std::sync::Arc;

use crate::runtime::Handle;
use crate::task::Scheduler;

/// The entered runtime and `LocalSet`.
struct Context {
    handle: RefCell<Option<Handle>>,
    /// The `LocalSet` that is being polled or was entered.
    local: RefCell<Option<Arc<Scheduler>>>,
    /// The number of runtimes that are entered, one inside the other.
    depth: Cell<usize>,
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

/// The handle of the runtime that is entered on this thread, if any.
pub(crate) fn handle() -> Option<Handle> {
    with_handle(|handle| handle.cloned())
}

/// Calls `f` with the entered runtime's handle, without cloning it.
pub(crate) fn with_handle<R>(f: impl FnOnce(Option<&Handle>) -> R) -> R {
    let mut f = Some(f);
    let mut call = |h: Option<&Handle>| (f.take().expect("called once"))(h);
    // Nothing writes meanwhile. Asking in this way leaves the panics of the cell out of guests.
    let called = CONTEXT.try_with(|c| c.handle.try_borrow().map(|handle| call(handle.as_ref())));
    match called {
        Ok(Ok(r)) => r,
        _ => call(None),
    }
}

/// Returns whether this thread's context is gone, because the thread is being torn down.
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
    // A thread that is being torn down has no context. Runtimes that are dropped then do without one.
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
    /// Returns whether every runtime that was entered later has been left. True on a thread that is being torn down.
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
            // Outside the borrow: this may be the last handle and run destructors.
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

/// Sets the `LocalSet` that local tasks go to until the guard is dropped.
pub(crate) fn set_local(local: Option<Arc<Scheduler>>) -> RestoreLocal {
    RestoreLocal { old: CONTEXT.try_with(|c| c.local.replace(local)).unwrap_or(None) }
}

impl Drop for RestoreLocal {
    fn drop(&mut self) {
        // A thread that is being torn down has no context left to restore.
        let current = CONTEXT.try_with(|c| c.local.replace(self.old.take()));
        // Outside the borrow: this may be the last reference and run destructors.
        drop(current);
    }
}
