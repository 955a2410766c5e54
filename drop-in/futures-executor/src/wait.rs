//! Waiting for a future, on a thread that may have to drive what the future waits for.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use wasio::runtime::{Handle, RuntimeFlavor};
use wasio::sync::mpsc;
use wasio::task::block_in_place;

use crate::enter;

/// Runs `future` to its end.
///
/// # Panics
///
/// If an executor runs on this thread already: this one, polling a future that calls this function, or another.
#[track_caller]
pub(crate) fn wait<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    // The mark is for the polls alone: while this waits, other tasks of the runtime may wait in the same way.
    let mut future = pin!(poll_fn(|cx| {
        let _entered =
            enter().expect("`block_on` and `LocalPool` cannot be used within another executor");
        future.as_mut().poll(cx)
    }));
    match Handle::try_current() {
        Ok(handle) if handle.runtime_flavor() == RuntimeFlavor::MultiThread => {
            block_in_place(|| handle.block_on(future))
        }
        // Its tasks cannot run beside this one: only another thread can wake the future.
        Ok(_) => {
            let waker =
                Arc::new(Unpark { woken: AtomicBool::new(false), thread: thread::current() });
            run(future.as_mut(), &Waker::from(waker.clone()), || {
                while !waker.woken.swap(false, Ordering::Acquire) {
                    thread::park();
                }
            })
        }
        // Whoever waits for a channel without a runtime drives those that are for everybody.
        Err(_) => {
            let (waker, mut woken) = mpsc::channel(1);
            let waker = Waker::from(Arc::new(Notify(waker)));
            run(future.as_mut(), &waker, || _ = woken.blocking_recv())
        }
    }
}

/// Polls `future` to its end; `sleep` returns when it was woken.
fn run<F: Future>(
    mut future: std::pin::Pin<&mut F>,
    waker: &Waker,
    mut sleep: impl FnMut(),
) -> F::Output {
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(waker)) {
            return output;
        }
        sleep();
    }
}

struct Unpark {
    woken: AtomicBool,
    thread: Thread,
}

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.woken.store(true, Ordering::Release);
        self.thread.unpark();
    }
}

struct Notify(mpsc::Sender<()>);

impl Wake for Notify {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        // One that is full has been told.
        let _ = self.0.try_send(());
    }
}
