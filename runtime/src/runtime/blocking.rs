//! Native threads for work that blocks.
//!
//! Tasks of `spawn_blocking` come here from their scheduler, in order. A thread is started when none is
//! idle, up to a limit, and ends after it had nothing to do for a while.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::thread;
use std::time::{Duration, Instant};

use super::shared::ThreadConfig;
use super::{Handle, Shared};
use crate::context;
use crate::task::Ready;
use crate::task::current::Polls;

#[derive(Default)]
struct State {
    queue: VecDeque<Ready>,
    threads: usize,
    idle: usize,
    closed: bool,
    /// The runtime that the threads enter; weak, since the runtime owns the pool.
    runtime: Option<Weak<Shared>>,
}

/// See the module's documentation.
pub(crate) struct Pool {
    config: ThreadConfig,
    state: Mutex<State>,
    /// Signalled when work came, and when a thread ended.
    changed: Condvar,
}

impl ThreadConfig {
    /// A thread with this name and stack that calls the hooks.
    pub(crate) fn start(
        &self,
        f: impl FnOnce() + Send + 'static,
    ) -> std::io::Result<thread::JoinHandle<()>> {
        let mut builder = thread::Builder::new().name((self.name)());
        if let Some(size) = self.stack_size {
            builder = builder.stack_size(size);
        }
        let (on_start, on_stop) = (self.on_start.clone(), self.on_stop.clone());
        builder.spawn(move || {
            if let Some(hook) = on_start {
                hook();
            }
            f();
            if let Some(hook) = on_stop {
                hook();
            }
        })
    }
}

/// A condition variable needs std's mutex.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Runs a task, or drops its closure after the end of its scheduler.
fn run(task: Ready) {
    let scheduler = task.owner().clone();
    if scheduler.is_closed() {
        task.cancel(&scheduler);
    } else {
        task.run(&scheduler, &Polls::new());
    }
}

impl Pool {
    pub(crate) fn new(config: ThreadConfig) -> Arc<Pool> {
        Arc::new(Pool { config, state: Mutex::default(), changed: Condvar::new() })
    }

    /// Says which runtime the threads enter.
    pub(crate) fn keep_entered(&self, handle: &Handle) {
        let mut state = lock(&self.state);
        if state.runtime.is_none() {
            state.runtime = Some(Arc::downgrade(&handle.shared));
        }
    }

    /// Whether work is queued or running.
    pub(crate) fn is_busy(&self) -> bool {
        let state = lock(&self.state);
        state.threads > state.idle || !state.queue.is_empty()
    }

    pub(crate) fn push(self: &Arc<Self>, task: Ready) {
        let mut state = lock(&self.state);
        if state.closed {
            drop(state);
            // Only aborted tasks come after the end: this drops the closure.
            run(task);
            return;
        }
        state.queue.push_back(task);
        if state.queue.len() <= state.idle {
            self.changed.notify_one();
        } else if state.threads < self.config.max {
            state.threads += 1;
            drop(state);
            let pool = self.clone();
            if let Err(error) = self.config.start(move || pool.work()) {
                let threads = {
                    let mut state = lock(&self.state);
                    state.threads -= 1;
                    state.threads
                };
                assert!(threads > 0, "OS can't spawn worker thread: {error}");
            }
        }
    }

    fn work(&self) {
        let runtime = lock(&self.state).runtime.clone().and_then(|weak| weak.upgrade());
        let _entered = runtime.clone().map(|shared| context::enter(Handle { shared }));
        let mut state = lock(&self.state);
        loop {
            while let Some(task) = state.queue.pop_front() {
                drop(state);
                run(task);
                state = lock(&self.state);
            }
            if state.closed {
                break;
            }
            state.idle += 1;
            if let Some(runtime) = &runtime {
                // A stopped clock waits for blocking work before it moves.
                runtime.reactor.unparker().unpark();
            }
            let deadline = Instant::now() + self.config.keep_alive;
            let mut expired = false;
            while state.queue.is_empty() && !state.closed && !expired {
                let left = deadline.saturating_duration_since(Instant::now());
                expired = left.is_zero();
                state = self
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
        self.changed.notify_all();
    }

    /// Takes no more work and waits, at most for `timeout`, for what there is.
    pub(crate) fn close(&self, timeout: Option<Duration>) {
        let deadline = timeout.and_then(|t| Instant::now().checked_add(t));
        let mut state = lock(&self.state);
        state.closed = true;
        drop(state);
        self.changed.notify_all();
        let mut state = lock(&self.state);
        while state.threads > 0 {
            state = match deadline.or(timeout.map(|_| Instant::now())) {
                None => self.changed.wait(state).unwrap_or_else(PoisonError::into_inner),
                Some(deadline) => {
                    let left = deadline.saturating_duration_since(Instant::now());
                    if left.is_zero() {
                        return;
                    }
                    self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }
}
