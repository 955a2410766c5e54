//! On WASI a panic ends the guest: say at least which task it was.

use std::io::{self, Write as _};
use std::panic::{self, PanicHookInfo};

use crate::context;
use crate::once::Once;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// How std's panic begins when a thread cannot be started.
const NO_THREAD: &str = "failed to spawn thread";
const INSTEAD: &[u8] = b"a guest has one thread, and WASI cannot start another: use tokio's tasks, `spawn_blocking` for what \
blocks, or switch off what starts the thread\n";

/// The hook that was there before.
static EARLIER: Once<Hook> = Once::new();

/// Adds to the panic message where the panicking task was spawned.
///
/// Does nothing natively, where the panic becomes the task's `JoinError`.
pub(crate) fn report_panics() {
    if !cfg!(target_family = "wasm") || EARLIER.get().is_some() {
        return;
    }
    EARLIER.get_or_init(panic::take_hook);
    // A function, which unlike a closure has nothing to be kept and dropped.
    panic::set_hook(Box::new(report));
}

/// What the standard library says when the one thread is to wait for another by a condition variable.
const NO_WAIT: &str = "condvar wait not supported";

/// Calls the earlier hook, says which task it was, and what a wait for another thread would have been. What was printed and
/// not written yet is written first: natively it is when the program ends, and here the program is never asked.
fn report(info: &PanicHookInfo<'_>) {
    let _ = io::stdout().flush();
    if let Some(earlier) = EARLIER.get() {
        earlier(info);
    }
    if info.payload().downcast_ref::<&str>() == Some(&NO_WAIT) {
        let _ = io::stderr().write_all(
            b"the guest has one thread, and what it was to wait for would have to run on it: such a wait, as of another \
              executor's `block_on` or of a blocking channel, never ends. Await the future instead, or block in a way \
              that runs the tasks: `Handle::block_on` and the `blocking_` functions of channels, in `spawn_blocking`\n",
        );
    }
    // `std::thread::spawn` does not say what to do.
    if info.payload().downcast_ref::<String>().is_some_and(|said| said.starts_with(NO_THREAD)) {
        let _ = io::stderr().write_all(INSTEAD);
    }
    if let Some(task) = context::running() {
        // Of types whose formatting the standard library's panics bring along anyway.
        // That nobody can be told is no panic more.
        let _ = writeln!(
            io::stderr(),
            "the panic was in task {}, spawned at {}; on WASI a panic ends the whole program",
            task.id.number(),
            task.spawned_at
        );
    }
}
