//! The scheduler of a set of tasks. It keeps the waiting tasks and the queue of ready ones.
//!
//! A runtime has one for its tasks, every `LocalSet` has one, and natively the blocking pool has one. The scheduler
//! owns its tasks, and drops all of them when it is closed. It knows neither time nor the reactor; `runtime/step.rs`
//! drives it.

use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::panic::Location;
use std::sync::Arc;
use std::task::Waker;

use super::current::Polls;
use super::{Id, JoinHandle, Queue, Runnable, Task, waker};
use crate::lock::modelled::atomic::{AtomicBool, AtomicUsize, Ordering};
use crate::lock::modelled::{Leaf, Mutex, yield_now};
use crate::reactor::Unparker;
use crate::sys::HOST;
use crate::sys::threading::Pool;

/// The target to notify when a task becomes ready.
pub(crate) enum WakeTarget {
    /// The thread that drives a runtime.
    Runtime(Unparker),
    /// The task that polls a `LocalSet`.
    Local(LocalWakeTarget),
    /// A thread of the blocking pool, which takes the task from a queue of its own.
    #[allow(dead_code)] // Constructed where there are threads.
    Pool(Pool),
}

impl WakeTarget {
    /// Returns the target of a `LocalSet`.
    pub(crate) fn local(waker: Option<Waker>) -> WakeTarget {
        WakeTarget::Local(LocalWakeTarget { waker: Mutex::new(waker), wake: wake_set })
    }
}

/// The task that polls a `LocalSet`, and the function that wakes it.
// SIZE: a pointer, so that a program without such sets has no code for it.
pub(crate) struct LocalWakeTarget {
    waker: Mutex<Option<Waker>>,
    wake: fn(&Mutex<Option<Waker>>),
}

/// Wakes the task that polls a `LocalSet`.
fn wake_set(waker: &Mutex<Option<Waker>>) {
    let waker = waker.lock().as_ref().map(waker::clone);
    waker::wake_any(waker);
}

/// See the module's documentation.
pub(crate) struct Scheduler {
    ready: Leaf<Queue>,
    /// Tasks that waited at least once and are not complete. A task that never waits has no place here. Every task
    /// keeps its scheduler alive, so no task is left when the scheduler is dropped.
    // SIZE: `ManuallyDrop`, so that a guest has no code to drop one.
    waiting: Mutex<Vec<ManuallyDrop<Task>>>,
    /// The number of tasks that are not complete.
    alive: AtomicUsize,
    /// Set with both locks held.
    closed: AtomicBool,
    target: WakeTarget,
}

impl Scheduler {
    // SIZE: every runtime makes two: 6 bytes.
    #[inline(never)]
    pub(crate) fn new(target: WakeTarget) -> Arc<Scheduler> {
        Arc::new(Scheduler {
            ready: Leaf::new(Queue::default()),
            waiting: Mutex::new(Vec::new()),
            alive: AtomicUsize::new(0),
            closed: AtomicBool::new(false),
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
        self.spawn_local(future, id, spawned_at)
    }

    /// Like `spawn`, for a future that need not be `Send`. The caller makes sure that this scheduler runs and is closed
    /// on this thread only.
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
        let (task, handle) = Task::new(future, id, spawned_at, self.clone());
        self.alive.fetch_add(1, Ordering::Relaxed);
        self.admit(task);
        #[allow(unsafe_code)]
        // SAFETY: the task is the one of this future.
        unsafe {
            JoinHandle::new(handle)
        }
    }

    /// Calls `f` with the queue of ready tasks.
    ///
    /// # Safety
    ///
    /// `f` accesses the queue and flags, and calls no other code.
    #[inline(always)]
    #[allow(unsafe_code)]
    unsafe fn with_ready<R>(&self, f: impl FnOnce(&mut Queue) -> R) -> R {
        // SAFETY: the queue's functions call no other code, so none comes back here.
        unsafe { self.ready.with(f) }
    }

    /// Puts a new task in the queue. If the scheduler is closed, drops the task's future instead.
    #[inline(never)]
    fn admit(&self, task: Runnable) {
        if matches!(self.target, WakeTarget::Pool(_)) && !self.is_closed() {
            return self.push(task);
        }
        let put = |ready: &mut Queue| {
            if self.is_closed() {
                return Some(task);
            }
            ready.push(task);
            None
        };
        #[allow(unsafe_code)]
        // SAFETY: the closure only accesses the queue.
        match unsafe { self.with_ready(put) } {
            None => self.notify(),
            Some(task) => task.cancel(self),
        }
    }

    /// Puts a task in the queue.
    #[inline(never)]
    pub(crate) fn push(&self, task: Runnable) {
        if let WakeTarget::Pool(pool) = &self.target {
            return pool.push(task);
        }
        #[allow(unsafe_code)]
        // SAFETY: the closure only accesses the queue.
        unsafe {
            self.with_ready(|ready| ready.push(task));
        }
        self.notify();
    }

    /// Returns whether this is the scheduler of a runtime's tasks.
    pub(crate) fn belongs_to_runtime(&self) -> bool {
        matches!(self.target, WakeTarget::Runtime(_))
    }

    /// Like `push`, for the tasks of a runtime, where it is called most.
    #[inline(always)]
    pub(crate) fn push_fast(&self, task: Runnable) {
        #[allow(unsafe_code)]
        // SAFETY: the closure only accesses the queue.
        unsafe {
            self.with_ready(|ready| ready.push(task));
        }
        // On one thread no thread is parked, so there is nothing left to do, whatever the target is.
        if let WakeTarget::Runtime(unparker) = &self.target {
            unparker.unpark();
        }
    }

    /// Notifies the target that a task is ready.
    #[inline(always)]
    fn notify(&self) {
        match &self.target {
            WakeTarget::Runtime(unparker) => unparker.unpark(),
            WakeTarget::Local(local) => (local.wake)(&local.waker),
            WakeTarget::Pool(_) => {}
        }
    }

    /// Keeps a task that waits for the first time. Returns false if the scheduler is closed.
    #[cold]
    #[inline(never)]
    pub(crate) fn adopt(&self, task: &Runnable) -> bool {
        let mut waiting = self.waiting.lock();
        let open = !self.is_closed();
        if open {
            let place = waiting.len();
            waiting.push(ManuallyDrop::new(task.stay_at(place)));
        }
        open
    }

    /// Counts a task as complete that has never waited.
    pub(crate) fn leave(&self) {
        self.alive.fetch_sub(1, Ordering::Relaxed);
    }

    /// Removes a complete task from the waiting ones. Returns the scheduler's reference to it.
    #[inline(never)]
    pub(crate) fn leave_place(&self, task: &Runnable) -> Task {
        self.leave();
        let mut waiting = self.waiting.lock();
        let place = task.place();
        // SIZE: not `swap_remove`, which would link a message that formats numbers.
        let Some(last) = waiting.pop() else { std::process::abort() };
        let gone = match waiting.get_mut(place) {
            Some(gone) => {
                last.move_to(place);
                mem::replace(gone, last)
            }
            None => last,
        };
        ManuallyDrop::into_inner(gone)
    }

    /// Returns whether the scheduler was closed, so that its tasks have to be dropped.
    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Registers the waker to call when a task of a `LocalSet` becomes ready.
    pub(crate) fn set_local_waker(&self, waker: &Waker) {
        if let WakeTarget::Local(local) = &self.target {
            let mut slot = local.waker.lock();
            match &mut *slot {
                Some(old) if old.will_wake(waker) => {}
                slot => *slot = Some(waker.clone()),
            }
        }
    }

    /// Runs up to `max` ready tasks. Returns the number that ran.
    // PERF: a separate function, so that its values stay in registers from task to task.
    #[inline(never)]
    pub(crate) fn run_some(&self, max: usize) -> usize {
        let polls = Polls::new();
        let mut left = max;
        while left > 0 {
            let Some(task) = self.pop() else { break };
            task.run(self, &polls);
            left -= 1;
        }
        max - left
    }

    fn pop(&self) -> Option<Runnable> {
        #[allow(unsafe_code)]
        // SAFETY: the closure only accesses the queue.
        unsafe {
            self.with_ready(Queue::pop)
        }
    }

    /// Returns whether no task is ready.
    pub(crate) fn is_idle(&self) -> bool {
        #[allow(unsafe_code)]
        // SAFETY: the closure only accesses the queue.
        unsafe {
            self.with_ready(|ready| ready.is_empty())
        }
    }

    /// Returns the number of ready tasks, at most `most`.
    pub(crate) fn ready_count(&self, most: usize) -> usize {
        #[allow(unsafe_code)]
        // SAFETY: the closure only accesses the queue.
        unsafe {
            self.with_ready(|ready| ready.count(most))
        }
    }

    /// Returns the number of tasks that are not complete.
    pub(crate) fn alive_count(&self) -> usize {
        self.alive.load(Ordering::Relaxed)
    }

    fn waiting_at(&self, place: usize) -> Option<Task> {
        self.waiting.lock().get(place).map(|task| Task::clone(task))
    }

    /// Drops the future of every task, until none is left. Later spawns are cancelled.
    ///
    /// A task that is being polled, further up the stack or on a thread of the pool, is dropped when that poll ends.
    /// Must be called where the tasks' futures may be dropped.
    pub(crate) fn close(&self) {
        {
            let _waiting = self.waiting.lock();
            #[allow(unsafe_code)]
            // SAFETY: the closure only sets a flag.
            unsafe {
                self.with_ready(|_| self.closed.store(true, Ordering::Release));
            }
        }
        loop {
            let mut place = 0;
            while let Some(task) = self.waiting_at(place) {
                task.abort();
                place += 1;
            }
            while let Some(task) = self.pop() {
                task.cancel(self);
            }
            // Only another thread can have woken a task and be about to put it in the queue.
            if !HOST.has_threads
                || self.waiting.lock().iter().all(|task| task.is_running_or_complete())
            {
                return;
            }
            yield_now();
        }
    }
}
