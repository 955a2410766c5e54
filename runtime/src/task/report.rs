//! On WASI a panic ends the guest: say at least which task it was.

use std::fmt::Arguments;
use std::io::{self, Write as _};
use std::mem::ManuallyDrop;
use std::panic::{self, PanicHookInfo};

use super::current;
use crate::once::Once;
use crate::sys::HOST;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// How the standard library's panic begins when the one thread would wait for another on a condition variable.
const NO_WAIT: &str = "condvar ";

/// The hook that was there before.
static EARLIER: Once<Hook> = Once::new();

/// Adds to the panic message where the panicking task was spawned.
///
/// Does nothing natively, where the panic becomes the task's `JoinError`.
pub(crate) fn report_panics() {
    if !HOST.aborts_on_panic || EARLIER.get().is_some() {
        return;
    }
    EARLIER.get_or_init(panic::take_hook);
    // A function, which unlike a closure has nothing to be kept and dropped.
    panic::set_hook(Box::new(report));
}

/// Writes buffered output, calls the earlier hook, and adds what the standard library does not know: advice for a panic
/// that comes from having one thread, and the task that panicked.
///
/// Buffered output is written here because the program is aborted, not ended.
fn report(info: &PanicHookInfo<'_>) {
    // SIZE: neither the lock is given back nor an error dropped, since the program ends here: 250 bytes.
    let mut stdout = ManuallyDrop::new(io::stdout().lock());
    let _ = ManuallyDrop::new(stdout.flush());
    if let Some(earlier) = EARLIER.get() {
        earlier(info);
    }
    if info.payload().downcast_ref::<&str>().is_some_and(|text| text.starts_with(NO_WAIT)) {
        write(format_args!(
            "the guest has one thread: use `.await`, or `Handle::block_on` in `spawn_blocking`\n"
        ));
    }
    if let Some(task) = current::running() {
        write(format_args!(
            "the panic was in task {}, spawned at {}; it ends the guest\n",
            task.id.number(),
            task.spawned_at
        ));
    }
}

// SIZE: one copy, and `write_fmt` alone, which the panics of the standard library bring along.
#[inline(never)]
fn write(text: Arguments<'_>) {
    // An error of standard error has nowhere to go.
    let _ = ManuallyDrop::new(io::stderr().write_fmt(text));
}
