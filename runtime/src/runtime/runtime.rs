//! The runtime as its owner sees it.

use std::fmt;
use std::future::Future;
#[cfg(unix)]
use std::future::poll_fn;
use std::io;
#[cfg(unix)]
use std::sync::Arc;
#[cfg(unix)]
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use super::{Builder, EnterGuard, Handle, RuntimeMetrics, drive};
use crate::context;
#[cfg(unix)]
use crate::lock::Mutex;
use crate::task::JoinHandle;
use crate::task::current::{self, Entered};

/// An async runtime. Dropping it drops its tasks.
///
/// # On WASI
///
/// It runs on the guest's one thread: tasks run while something blocks. Those of the `multi_thread` flavour run whichever
/// runtime is blocked on, those of the others while it is this one.
///
/// # Examples
///
/// ```
/// let runtime = wasio::runtime::Runtime::new()?;
/// let answer = runtime.block_on(async { wasio::spawn(async { 42 }).await.unwrap() });
/// assert_eq!(answer, 42);
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Runtime {
    handle: Handle,
    /// Natively, the thread that drives a `multi_thread` runtime.
    #[cfg(unix)]
    worker: Option<Worker>,
    /// `None`: wait for blocking work without limit.
    patience: Option<Duration>,
}

/// Tells the worker to end.
#[cfg(unix)]
#[derive(Default)]
struct Stop(Mutex<(bool, Option<Waker>)>);

#[cfg(unix)]
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

#[cfg(unix)]
struct Worker {
    stop: Arc<Stop>,
    thread: std::thread::JoinHandle<()>,
}

impl Runtime {
    /// Creates a runtime of the `multi_thread` flavour with everything enabled.
    ///
    /// # Errors
    ///
    /// Fails when the reactor or the worker cannot be made.
    pub fn new() -> io::Result<Runtime> {
        Builder::new_multi_thread().enable_all().build()
    }

    pub(crate) fn start(handle: Handle) -> io::Result<Runtime> {
        #[cfg(unix)]
        let worker = if handle.is_multi_thread() { Some(Worker::start(&handle)?) } else { None };
        Ok(Runtime {
            handle,
            #[cfg(unix)]
            worker,
            patience: None,
        })
    }

    /// Returns the runtime's handle.
    pub fn handle(&self) -> &Handle {
        &self.handle
    }

    /// Starts a task; see [`spawn`](crate::task::spawn).
    #[track_caller]
    pub fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.handle.spawn(future)
    }

    /// Runs a closure that may block; see [`spawn_blocking`](crate::task::spawn_blocking).
    #[track_caller]
    pub fn spawn_blocking<F, R>(&self, func: F) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.handle.spawn_blocking(func)
    }

    /// Runs a future to completion on this thread, and the runtime's tasks meanwhile.
    ///
    /// # Panics
    ///
    /// Panics inside an async context, and when the future panics.
    ///
    /// # On WASI
    ///
    /// Panics when the future and every task wait and nothing is left to wake one (a deadlock):
    /// natively the thread would sleep for ever.
    #[track_caller]
    pub fn block_on<F: Future>(&self, future: F) -> F::Output {
        drive::block_on(&self.handle, future, Entered::BlockOn)
    }

    /// Enters the runtime without running it; see [`Handle::enter`].
    pub fn enter(&self) -> EnterGuard<'_> {
        self.handle.enter()
    }

    /// Shuts down, waiting at most `duration` for blocking work that has started.
    pub fn shutdown_timeout(mut self, duration: Duration) {
        self.patience = Some(duration);
    }

    /// Shuts down without waiting for blocking work; may be called in an async context.
    pub fn shutdown_background(self) {
        self.shutdown_timeout(Duration::ZERO);
    }

    /// Numbers about the runtime.
    pub fn metrics(&self) -> RuntimeMetrics {
        self.handle.metrics()
    }
}

#[cfg(unix)]
impl Worker {
    fn start(handle: &Handle) -> io::Result<Worker> {
        let stop = Arc::new(Stop::default());
        let stopped = stop.clone();
        let driver = handle.clone();
        let (started, ready) = std::sync::mpsc::sync_channel(1);
        let thread = handle.shared.config.threads.start(move || {
            let _turn = driver.shared.turn.take(|| false);
            let _ = started.send(());
            driver.block_on(poll_fn(|cx| stopped.poll(cx)));
            let _entered = driver.enter();
            driver.shared.close();
        })?;
        // From here on the worker drives, and nobody else.
        let _ = ready.recv();
        Ok(Worker { stop, thread })
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        #[cfg(unix)]
        {
            let may_wait = self.patience != Some(Duration::ZERO);
            assert!(
                !may_wait || current::entered() == Entered::No || std::thread::panicking(),
                "Cannot drop a runtime in a context where blocking is not allowed. This happens when a \
                 runtime is dropped from within an asynchronous context. Use `shutdown_background`, or drop \
                 it in `spawn_blocking`."
            );
            match self.worker.take() {
                Some(worker) => {
                    worker.stop.set();
                    // A runtime may be dropped by one of its own tasks: nobody joins itself.
                    let own = worker.thread.thread().id() == std::thread::current().id();
                    if may_wait && !own {
                        let _ = worker.thread.join();
                    }
                }
                None => self.close_here(),
            }
            // What is queued still runs, as far as the patience goes; the rest is aborted.
            self.handle.shared.pool.close(self.patience);
            self.handle.shared.blocking.close();
        }
        #[cfg(not(unix))]
        {
            if let (true, Some(peers)) = (self.handle.is_multi_thread(), super::peers::get()) {
                peers.leave(&self.handle.shared);
            }
            let _entered = context::enter(self.handle.clone());
            self.handle.shared.close();
            self.finish_blocking();
        }
    }
}

#[cfg(unix)]
impl Runtime {
    fn close_here(&self) {
        let _entered = context::enter(self.handle.clone());
        self.handle.shared.close();
    }
}

#[cfg(not(unix))]
impl Runtime {
    /// Runs the closures of `spawn_blocking` that are queued, as far as the patience goes, and drops the rest.
    ///
    /// With the runtime entered.
    fn finish_blocking(&self) {
        let blocking = &self.handle.shared.blocking;
        // Only who is impatient has the clock linked.
        let limit = self.patience.map(|limit| (std::time::Instant::now(), limit));
        let in_time = || limit.is_none_or(|(started, limit)| started.elapsed() < limit);
        while in_time() && blocking.run_some(1) == 1 {}
        blocking.close();
    }
}

impl fmt::Debug for Runtime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Runtime").field("handle", &self.handle).finish_non_exhaustive()
    }
}

impl std::panic::UnwindSafe for Runtime {}
impl std::panic::RefUnwindSafe for Runtime {}

/// Returns the index of the worker that runs the current task, as the runtime's metrics count workers.
///
/// There is one worker, so it is 0; `None` where no worker runs the code: outside of a runtime, in a blocking
/// closure, in the future of `Handle::block_on`, and in that of `block_on` of a multi-thread runtime.
pub fn worker_index() -> Option<usize> {
    if current::entered() == Entered::No || current::in_handle_block_on() {
        return None;
    }
    context::with_handle(|handle| {
        let handle = handle.filter(|handle| {
            #[cfg(unix)]
            if !handle.shared.turn.is_mine() {
                return false;
            }
            current::running().is_some() || !handle.is_multi_thread()
        });
        handle.map(|_| 0)
    })
}

/// Whether an I/O error says that the runtime of the resource is gone.
pub fn is_rt_shutdown_err(err: &io::Error) -> bool {
    crate::reactor::is_shutdown_error(err)
}
