//! On WASI a panic ends the guest: say at least which task it was.

use std::panic;
use std::sync::atomic::{AtomicBool, Ordering};

use crate::context;

/// Adds to the panic message where the panicking task was spawned.
///
/// Does nothing natively, where the panic becomes the task's `JoinError`.
pub(crate) fn report_panics() {
    static DONE: AtomicBool = AtomicBool::new(false);
    if !cfg!(target_family = "wasm") || DONE.swap(true, Ordering::Relaxed) {
        return;
    }
    let earlier = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        earlier(info);
        report();
    }));
}

// Apart: a closure that becomes a hook is compiled twice.
#[inline(never)]
fn report() {
    if let Some(task) = context::running() {
        // Of types whose formatting the standard library's panics bring along anyway.
        let at = task.spawned_at;
        eprintln!(
            "the panic was in task {}, spawned at {}:{}:{}; on WASI a panic ends the whole program",
            task.id.number(),
            at.file(),
            at.line(),
            at.column()
        );
    }
}
