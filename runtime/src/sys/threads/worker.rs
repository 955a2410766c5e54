//! The thread that drives a `multi_thread` runtime, and the shutdown of a runtime.

use std::future::poll_fn;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use crate::context;
use crate::lock::Mutex;
use crate::runtime::Handle;
use crate::task::current::{self, Entered};

/// See the module's documentation.
pub(crate) struct Worker {
    stop: Arc<Stop>,
    thread: std::thread::JoinHandle<()>,
}

/// Tells the worker to end.
#[derive(Default)]
struct Stop(Mutex<(bool, Option<Waker>)>);

impl Stop {
    fn set(&self) {
        let waker = {
            let mut state = self.0.lock();
            state.0 = true;
            state.1.take()
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        let mut state = self.0.lock();
        if state.0 {
            return Poll::Ready(());
        }
        state.1 = Some(cx.waker().clone());
        Poll::Pending
    }
}

impl Worker {
    pub(crate) fn start(handle: &Handle) -> io::Result<Worker> {
        let stop = Arc::new(Stop::default());
        let stopped = stop.clone();
        let driver = handle.clone();
        let (started, ready) = std::sync::mpsc::sync_channel(1);
        let thread = handle.shared.config.threads.start(move || {
            let _lock = driver.shared.driver_lock.acquire(|| false);
            let _ = started.send(());
            driver.block_on(poll_fn(|cx| stopped.poll(cx)));
            let _entered = driver.enter();
            driver.shared.close();
        })?;
        // From here on no other thread drives the runtime.
        let _ = ready.recv();
        Ok(Worker { stop, thread })
    }
}

/// Shuts a runtime down: drops its tasks, and waits for its blocking closures for at most `timeout` (`None`: without
/// limit).
#[track_caller]
pub(crate) fn shut_down(handle: &Handle, worker: Option<Worker>, timeout: Option<Duration>) {
    let may_wait = timeout != Some(Duration::ZERO);
    assert!(
        !may_wait || current::entered() == Entered::No || std::thread::panicking(),
        "Cannot drop a runtime in a context where blocking is not allowed. This happens when a runtime is dropped \
         from within an asynchronous context. Use `shutdown_background`, or drop it in `spawn_blocking`."
    );
    match worker {
        Some(worker) => {
            worker.stop.set();
            // A task may drop its own runtime, and a thread cannot join itself.
            let own = worker.thread.thread().id() == std::thread::current().id();
            if may_wait && !own {
                let _ = worker.thread.join();
            }
        }
        None => {
            let _entered = context::enter(handle.clone());
            handle.shared.close();
        }
    }
    handle.shared.blocking.close(timeout);
}
