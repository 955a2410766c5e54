//! The thread pool for blocking closures.
//!
//! Schedulers pass the tasks of `spawn_blocking` to the pool, in order. A thread is started when none is idle, up to a
//! limit, and ends after it was idle for a while.

use std::collections::VecDeque;
use std::panic::Location;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use super::ThreadConfig;
use crate::context;
use crate::reactor::Unparker;
use crate::runtime::{Handle, Shared};
use crate::task::current::Polls;
use crate::task::{BlockingFuture, Id, JoinHandle, Runnable, Scheduler, WakeTarget};

/// The blocking closures of a runtime.
pub(crate) struct Blocking {
    scheduler: Arc<Scheduler>,
    pool: Pool,
}

impl Blocking {
    pub(crate) fn new(config: &ThreadConfig, _: &Unparker) -> Blocking {
        let pool = Pool(Arc::new(Threads {
            config: config.clone(),
            state: Mutex::default(),
            changed: Condvar::new(),
        }));
        Blocking { scheduler: Scheduler::new(WakeTarget::Pool(pool.clone())), pool }
    }

    pub(crate) fn spawn<F, R>(
        &self,
        runtime: &Handle,
        work: F,
        id: Id,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.pool.keep_entered(runtime);
        self.scheduler.spawn(BlockingFuture::new(work), id, spawned_at)
    }

    /// Returns whether closures are queued or running on other threads. Their end may make tasks ready.
    pub(crate) fn is_in_flight(&self) -> bool {
        let state = lock(&self.pool.0.state);
        state.threads > state.idle || !state.queue.is_empty()
    }

    /// Returns whether no closure waits to be run between the tasks. With threads none ever does.
    pub(crate) fn is_idle(&self) -> bool {
        true
    }

    /// Runs up to `max` closures between the tasks. With threads there are none.
    pub(crate) fn run_some(&self, _max: usize) -> usize {
        0
    }

    /// Takes no more work. Waits for the closures it has, for at most `timeout` (`None`: without limit), and aborts
    /// the rest.
    pub(crate) fn close(&self, timeout: Option<Duration>) {
        self.pool.close(timeout);
        self.scheduler.close();
    }
}

#[derive(Default)]
struct State {
    queue: VecDeque<Runnable>,
    threads: usize,
    idle: usize,
    closed: bool,
    /// The runtime that the threads enter. Weak, because the runtime owns the pool.
    runtime: Option<Weak<Shared>>,
}

/// The threads of a runtime for blocking closures.
#[derive(Clone)]
pub(crate) struct Pool(Arc<Threads>);

struct Threads {
    config: ThreadConfig,
    state: Mutex<State>,
    /// Signalled when work arrives and when a thread ends.
    changed: Condvar,
}

/// Locks a mutex of std, which a condition variable needs.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a task. If its scheduler was closed, drops the closure instead.
fn run(task: Runnable) {
    let scheduler = task.owner.clone();
    if scheduler.is_closed() {
        task.cancel(&scheduler);
    } else {
        task.run(&scheduler, &Polls::new());
    }
}

impl Pool {
    /// Sets the runtime that the threads enter.
    fn keep_entered(&self, handle: &Handle) {
        let mut state = lock(&self.0.state);
        if state.runtime.is_none() {
            state.runtime = Some(Arc::downgrade(&handle.shared));
        }
    }

    pub(crate) fn push(&self, task: Runnable) {
        let mut state = lock(&self.0.state);
        if state.closed {
            drop(state);
            // After the end only aborted tasks are pushed. This drops the closure.
            run(task);
            return;
        }
        state.queue.push_back(task);
        if state.queue.len() <= state.idle {
            self.0.changed.notify_one();
        } else if state.threads < self.0.config.max_blocking {
            state.threads += 1;
            drop(state);
            let pool = self.clone();
            if let Err(error) = self.0.config.start(move || pool.work()) {
                let threads = {
                    let mut state = lock(&self.0.state);
                    state.threads -= 1;
                    state.threads
                };
                assert!(threads > 0, "OS can't spawn worker thread: {error}");
            }
        }
    }

    fn work(&self) {
        let runtime = lock(&self.0.state).runtime.clone().and_then(|weak| weak.upgrade());
        let _entered = runtime.clone().map(|shared| context::enter(Handle { shared }));
        let mut state = lock(&self.0.state);
        loop {
            while let Some(task) = state.queue.pop_front() {
                drop(state);
                run(task);
                state = lock(&self.0.state);
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            if let Some(runtime) = &runtime {
                // A paused clock waits for blocking work before it advances.
                runtime.reactor.unparker().unpark();
            }
            let deadline = Instant::now() + self.0.config.keep_alive;
            let mut expired = false;
            while state.queue.is_empty() && !state.closed && !expired {
                let left = deadline.saturating_duration_since(Instant::now());
                expired = left.is_zero();
                state = self
                    .0
                    .changed
                    .wait_timeout(state, left)
                    .unwrap_or_else(PoisonError::into_inner)
                    .0;
            }
            state.idle -= 1;
            if expired && state.queue.is_empty() {
                break;
            }
        }
        state.threads -= 1;
        drop(state);
        self.0.changed.notify_all();
    }

    /// Takes no more work. Waits for the work it has, for at most `timeout`.
    fn close(&self, timeout: Option<Duration>) {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let mut state = lock(&self.0.state);
        state.closed = true;
        drop(state);
        self.0.changed.notify_all();
        let mut state = lock(&self.0.state);
        while state.threads > 0 {
            state = match deadline.or(timeout.map(|_| Instant::now())) {
                None => self.0.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.0
                        .changed
                        .wait_timeout(state, left)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
        }
    }
}
