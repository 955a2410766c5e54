//! The scheduler of a set of tasks: which exist, which are ready to run, how one is run.
//!
//! A runtime has one for its tasks, every `LocalSet` has one, and natively the blocking pool has one. The
//! scheduler owns its tasks: it can abort each by key, and drops them all when it is closed. It knows
//! neither time nor the reactor; `runtime::shared` drives it.
//!
//! The task cell is `async-task`'s. Aborting marks the task's entry and wakes it; when its turn comes,
//! its future is dropped instead of polled, on the thread that runs the scheduler.

use std::collections::VecDeque;
use std::future::Future;
use std::panic::Location;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::Waker;

use async_task::Builder;
use slab::Slab;

use crate::context::{self, Running};
use crate::reactor::Unparker;
use crate::task::{AbortHandle, BUDGET, Id, JoinError, JoinHandle, TaskFuture};

/// A task that is ready to be run.
pub(crate) type Runnable = async_task::Runnable<Meta>;

/// The cell of a task whose future gives `T`.
type Cell<T> = async_task::Task<Result<T, JoinError>, Meta>;

/// What every task carries besides its future.
pub(crate) struct Meta {
    id: Id,
    key: usize,
    spawned_at: &'static Location<'static>,
    owner: Arc<Scheduler>,
}

/// A task's place in its scheduler.
#[derive(Clone)]
pub(crate) struct Place {
    pub(crate) id: Id,
    pub(crate) key: usize,
    pub(crate) owner: Arc<Scheduler>,
}

/// Who is told that a task became ready.
pub(crate) enum Target {
    /// The thread that drives a runtime.
    Runtime(Unparker),
    /// The task that polls a `LocalSet`.
    Local(Mutex<Option<Waker>>),
    /// A thread of the blocking pool, which takes the task from a queue of its own.
    #[cfg(unix)]
    Pool(Arc<crate::runtime::blocking::Pool>),
}

struct Entry {
    id: Id,
    /// Set when the task first waits: until then it is in the queue.
    waker: Option<Waker>,
    aborted: bool,
}

struct State {
    ready: VecDeque<Runnable>,
    tasks: Slab<Entry>,
    closed: bool,
}

/// See the module's documentation.
pub(crate) struct Scheduler {
    state: Mutex<State>,
    /// Entries that are marked as aborted and not yet run: lets `run` skip the look-up.
    aborts: AtomicUsize,
    target: Target,
}

/// A lock that a panicking holder leaves usable: every critical section here is a few field accesses.
#[cfg_attr(target_family = "wasm", inline(never))] // There are dozens of callers, and guests should be small.
pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    lock_inline(mutex)
}

/// The same for the path of every spawn, wake and poll.
#[inline(always)]
fn lock_inline<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Polls one task; the aborted one is told so through the context.
#[inline]
pub(crate) fn run(task: Runnable) {
    let meta = task.metadata();
    let aborted =
        meta.owner.aborts.load(Ordering::Acquire) != 0 && meta.owner.is_aborted(meta.key, meta.id);
    let running = Running { id: meta.id, spawned_at: meta.spawned_at, aborted };
    let _restore = context::set_task(running, BUDGET);
    task.run();
}

impl Scheduler {
    pub(crate) fn new(target: Target) -> Arc<Scheduler> {
        Arc::new(Scheduler {
            state: Mutex::new(State { ready: VecDeque::new(), tasks: Slab::new(), closed: false }),
            aborts: AtomicUsize::new(0),
            target,
        })
    }

    /// Adds a task and makes it ready.
    pub(crate) fn spawn<F>(
        self: &Arc<Self>,
        future: F,
        id: Id,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.insert(future, id, spawned_at, |builder, future| builder.spawn(|_| future, schedule))
    }

    /// Like `spawn` for a future that stays on this thread.
    pub(crate) fn spawn_local<F>(
        self: &Arc<Self>,
        future: F,
        id: Id,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<F::Output>
    where
        F: Future + 'static,
        F::Output: 'static,
    {
        self.insert(future, id, spawned_at, |builder, future| {
            builder.spawn_local(|_| future, schedule)
        })
    }

    /// Makes the task with `cell`, adds it and makes it ready.
    #[inline]
    fn insert<F: Future>(
        self: &Arc<Self>,
        future: F,
        id: Id,
        spawned_at: &'static Location<'static>,
        cell: impl FnOnce(Builder<Meta>, TaskFuture<F>) -> (Runnable, Cell<F::Output>),
    ) -> JoinHandle<F::Output> {
        // The lock is held while the task is made: that only moves the future into its cell.
        let mut state = lock_inline(&self.state);
        if state.closed {
            drop(state);
            return self.stillborn(future, id);
        }
        let entry = state.tasks.vacant_entry();
        let key = entry.key();
        let place = Place { id, key, owner: self.clone() };
        let abort = AbortHandle::new(place.clone());
        let meta = Meta { id, key, spawned_at, owner: self.clone() };
        let (task, handle) = cell(Builder::new().metadata(meta), TaskFuture::new(future, place));
        entry.insert(Entry { id, waker: None, aborted: false });
        self.push(state, task);
        JoinHandle::new(handle.fallible(), abort)
    }

    /// A task that comes after the end: its future is dropped, its handle says cancelled.
    fn stillborn<F: Future>(self: &Arc<Self>, future: F, id: Id) -> JoinHandle<F::Output> {
        drop(future);
        JoinHandle::cancelled(AbortHandle::new(Place { id, key: usize::MAX, owner: self.clone() }))
    }

    fn push(&self, mut state: MutexGuard<'_, State>, task: Runnable) {
        match &self.target {
            Target::Runtime(unparker) => {
                state.ready.push_back(task);
                drop(state);
                unparker.unpark();
            }
            Target::Local(waker) => {
                state.ready.push_back(task);
                drop(state);
                let waker = lock(waker).clone();
                if let Some(waker) = waker {
                    waker.wake();
                }
            }
            #[cfg(unix)]
            Target::Pool(pool) => {
                drop(state);
                pool.push(task);
            }
        }
    }

    /// Keeps the waker of a task that waits for the first time, for whoever aborts it.
    pub(crate) fn set_waker(&self, key: usize, waker: &Waker) {
        let wake_now = match lock_inline(&self.state).tasks.get_mut(key) {
            Some(entry) => {
                entry.waker = Some(waker.clone());
                entry.aborted
            }
            None => false,
        };
        if wake_now {
            // Aborted while it was polled for the first time.
            waker.wake_by_ref();
        }
    }

    /// Registers who is woken when a task of a `LocalSet` becomes ready.
    pub(crate) fn set_local_waker(&self, waker: &Waker) {
        if let Target::Local(slot) = &self.target {
            let mut slot = lock(slot);
            match &mut *slot {
                Some(old) if old.will_wake(waker) => {}
                slot => *slot = Some(waker.clone()),
            }
        }
    }

    /// Runs up to `max` ready tasks; returns how many.
    pub(crate) fn run_some(&self, max: usize) -> usize {
        for count in 0..max {
            let Some(task) = lock_inline(&self.state).ready.pop_front() else { return count };
            run(task);
        }
        max
    }

    /// Whether no task is ready.
    pub(crate) fn is_idle(&self) -> bool {
        lock(&self.state).ready.is_empty()
    }

    /// How many tasks are ready.
    pub(crate) fn ready_count(&self) -> usize {
        lock(&self.state).ready.len()
    }

    /// How many tasks exist.
    pub(crate) fn alive_count(&self) -> usize {
        lock(&self.state).tasks.len()
    }

    /// Whether the task is still owned: not completed and not dropped.
    pub(crate) fn is_alive(&self, key: usize, id: Id) -> bool {
        lock(&self.state).tasks.get(key).is_some_and(|e| e.id == id)
    }

    /// Marks a task as aborted and wakes it.
    pub(crate) fn abort(&self, key: usize, id: Id) {
        let waker = {
            let mut state = lock(&self.state);
            match state.tasks.get_mut(key) {
                Some(entry) if entry.id == id && !entry.aborted => {
                    entry.aborted = true;
                    self.aborts.fetch_add(1, Ordering::Release);
                    entry.waker.clone()
                }
                _ => return,
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn is_aborted(&self, key: usize, id: Id) -> bool {
        lock(&self.state).tasks.get(key).is_some_and(|e| e.id == id && e.aborted)
    }

    /// The task is over: its entry goes. Called once by the task's future, which knows its place.
    pub(crate) fn remove(&self, key: usize) {
        let entry = lock_inline(&self.state).tasks.try_remove(key);
        if entry.is_some_and(|e| e.aborted) {
            self.aborts.fetch_sub(1, Ordering::Release);
        }
    }

    /// Aborts every task and runs what became ready until none is left; later spawns are cancelled.
    ///
    /// Must be called where the tasks' futures may be dropped.
    pub(crate) fn close(&self) {
        let wakers: Vec<Waker> = {
            let mut state = lock(&self.state);
            state.closed = true;
            let mut wakers = Vec::with_capacity(state.tasks.len());
            let mut marked = 0;
            for (_, entry) in state.tasks.iter_mut() {
                if !entry.aborted {
                    entry.aborted = true;
                    marked += 1;
                }
                wakers.extend(entry.waker.clone());
            }
            self.aborts.fetch_add(marked, Ordering::Release);
            wakers
        };
        for waker in wakers {
            waker.wake();
        }
        while let Some(task) = { lock(&self.state).ready.pop_front() } {
            run(task);
        }
    }
}

/// Called by a task's waker: puts the task in its owner's queue.
fn schedule(task: Runnable) {
    // The task holds its owner, and `push` may be the last to hold the task.
    let owner = task.metadata().owner.clone();
    owner.push(lock_inline(&owner.state), task);
}
