//! Adds information to panic messages on WASI, where a panic ends the guest.

use std::fmt::Arguments;
use std::io::{self, Write as _};
use std::mem::ManuallyDrop;
use std::panic::{self, PanicHookInfo};

use super::current;
use crate::once::Once;
use crate::sys::HOST;

type Hook = Box<dyn Fn(&PanicHookInfo<'_>) + Send + Sync>;

/// The beginning of the standard library's panic when the only thread would wait on a condition variable.
const NO_WAIT: &str = "condvar ";

/// The hook that was installed before.
static PREVIOUS_HOOK: Once<Hook> = Once::new();

/// Adds the place where the panicking task was spawned to the panic message.
///
/// Does nothing natively, where the panic becomes the task's `JoinError`.
pub(crate) fn report_panics() {
    if !HOST.aborts_on_panic || PREVIOUS_HOOK.get().is_some() {
        return;
    }
    PREVIOUS_HOOK.get_or_init(panic::take_hook);
    // A function, which unlike a closure has no data to keep and drop.
    panic::set_hook(Box::new(report));
}

/// Writes buffered output, calls the previous hook, and adds information that the standard library does not have:
/// advice for a panic whose cause is the single thread, and the task that panicked.
///
/// Buffered output is written here because the program is aborted and does not exit.
fn report(info: &PanicHookInfo<'_>) {
    // SIZE: the lock is not released and no error is dropped, because the program ends here: 250 bytes.
    let mut stdout = ManuallyDrop::new(io::stdout().lock());
    let _ = ManuallyDrop::new(stdout.flush());
    if let Some(previous) = PREVIOUS_HOOK.get() {
        previous(info);
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

// SIZE: one copy, and `write_fmt` alone, which the panics of the standard library already link.
#[inline(never)]
fn write(text: Arguments<'_>) {
    // There is nowhere to report an error of the standard error stream.
    let _ = ManuallyDrop::new(io::stderr().write_fmt(text));
}
