//! Waits for a future, on a thread that may have to drive the runtimes on which the future depends.

use std::future::{Future, poll_fn};
use std::pin::pin;

use crate::enter;

const NESTED: &str = "`block_on` and `LocalPool` cannot be used within another executor";

/// Runs `future` to completion.
///
/// # Panics
///
/// Panics if an executor already runs on this thread: this one, polling a future that calls this function, or another
/// one. On WASI it also panics when nothing is left that could wake the future.
#[track_caller]
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    drop(enter().expect(NESTED));
    let mut future = pin!(future);
    wasio_runtime::task::block_on_anywhere(poll_fn(|cx| {
        // The mark covers the polls only. While this waits, other tasks of the runtime may wait in the same way.
        let _entered = enter().expect(NESTED);
        future.as_mut().poll(cx)
    }))
}
