//! Blocking on a future: the loop around [`Driver::step`] that parks the thread in between.
//!
//! On one thread, every blocking call drives the runtime, also from inside a blocking closure. It also drives the
//! background runtimes (`background`). With threads, the worker of the `multi_thread` flavour drives it. Of several
//! threads that block on a `current_thread` runtime, one drives it (`DriverLock`).

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Poll};

use super::root::Root;
use super::step::{Driver, Step};
use super::{Handle, Shared};
use crate::context;
use crate::reactor::PollMode;
use crate::sys::HOST;
use crate::sys::threading::background;
use crate::task::current::{self, Entered};

/// tokio's text, which its own tests expect.
const NESTED: &str = "Cannot start a runtime from within a runtime. This happens because a function (like `block_on`) \
     attempted to block the current thread while the thread is being used to drive asynchronous tasks. If you are in an \
     async function, use `.await` on the future instead of blocking on it.";

const DEADLOCK: &str =
    "deadlock: every task is waiting, and no timer, socket, stdin or signal is left to wake one";

/// Runs `future` to completion with the runtime entered.
#[track_caller]
pub(crate) fn block_on<F: Future>(handle: &Handle, future: F, by: Entered) -> F::Output {
    assert!(current::entered() == Entered::No, "{NESTED}");
    // SIZE: each guard in a variable of its own; 180 bytes less than a tuple of them.
    let _runtime = context::enter(handle.clone());
    let _entered = current::set_entered(by);
    let _task = current::set_no_task();
    if (handle.is_multi_thread() && !handle.shared.driver_lock.is_held())
        || handle.is_local_elsewhere()
    {
        return block_undriven(future);
    }
    drive_until(handle, future)
}

/// Runs `future` to completion from synchronous code, for the `blocking_*` functions.
///
/// Inside a blocking section of a runtime that this thread drives, it continues to drive it. Elsewhere it parks the
/// thread.
///
/// # Panics
///
/// Panics in an async context.
#[track_caller]
pub(crate) fn block_on_sync<F: Future>(future: F) -> F::Output {
    assert!(
        current::entered() == Entered::No,
        "Cannot block the current thread from within a runtime. This happens because a function attempted \
         to block the current thread while the thread is being used to drive asynchronous tasks."
    );
    match context::handle() {
        Some(handle) if handle.shared.driver_lock.is_held() => {
            let _entered = current::set_entered(Entered::BlockOn);
            let _task = current::set_no_task();
            drive_until(&handle, future)
        }
        _ => block_undriven(future),
    }
}

/// Drives the runtime until `future` is ready.
#[track_caller]
fn drive_until<F: Future>(handle: &Handle, future: F) -> F::Output {
    let future = pin!(future);
    let mut root = Root::new(future, Some(handle));
    let waker = root.waker();
    let mut cx = Context::from_waker(&waker);
    let shared = &*handle.shared;
    let _lock = loop {
        match shared.driver_lock.acquire(|| root.woken().get()) {
            Some(lock) => break lock,
            // Another thread drives the runtime, and the future was woken meanwhile.
            None => {
                if let Poll::Ready(output) = root.poll(&mut cx) {
                    return output;
                }
            }
        }
    };
    let _busy = shared.busy.guard();
    let mut driver = Driver::default();
    loop {
        let woken = match driver.step(shared, &mut root, &mut cx) {
            Step::Ready(output) => return output,
            Step::More => continue,
            Step::Unstalled(woken) => woken,
            Step::Stalled(timeout) => {
                let unless = &|| shared.is_stale(root.woken());
                if !HOST.has_threads && timeout.is_none() && !shared.reactor.is_waiting() {
                    assert!(shared.can_host_wake() || unless(), "{DEADLOCK}");
                }
                shared.reactor.poll(PollMode::Blocking { timeout, unless })
            }
        };
        driver.resume(shared, woken);
    }
}

/// Polls `future` on a thread that drives no runtime of its own. The thread sleeps until another thread wakes it. If
/// there is no other thread, only the tasks of background runtimes can wake it.
#[track_caller]
fn block_undriven<F: Future>(future: F) -> F::Output {
    if let Some(handle) = background::any() {
        let _runtime = context::enter(handle.clone());
        let _entered = current::set_entered(Entered::BlockOn);
        return drive_until(&handle, future);
    }
    let future = pin!(future);
    let mut root = Root::new(future, None);
    let waker = root.waker();
    let mut cx = Context::from_waker(&waker);
    loop {
        if let Poll::Ready(output) = root.poll(&mut cx) {
            return output;
        }
        while !root.woken().get() {
            if !HOST.has_threads {
                panic!("{DEADLOCK}");
            }
            std::thread::park();
        }
    }
}

impl Shared {
    /// Returns whether a task waits for something that only the host can complete, such as a signal.
    fn can_host_wake(&self) -> bool {
        self.is_host_awaited() || background::is_host_awaited()
    }
}
