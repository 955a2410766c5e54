//! The cell of a task: its state, its future and its result, in one allocation.
//!
//! The scheduler, the wakers, the `JoinHandle` and the `AbortHandle`s share the cell by counting references. Scheduling
//! a task puts it into the queue of its scheduler, where tasks are linked to each other and not counted. The code that
//! takes it from the queue runs it. `state.rs` defines the transitions.
//!
//! The scheduler has one reference to a task that is not complete. The reference travels with the task until the task
//! waits for the first time, and then stays among the waiting tasks. The last reference to go therefore never holds a
//! future.

use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::Scheduler;
use super::current::{Polls, Running};
use super::error::Panic;
use super::outcome::Join;
use super::queue::Link;
use super::state::{AfterPoll, State, Wake};
use super::{Budget, Id, JoinError, waker};
use crate::lock::modelled::Mutex;
use crate::lock::modelled::atomic::{AtomicUsize, Ordering, fence};
use crate::sys::memory;

/// The task has never waited: it has no place among the waiting tasks.
const NO_PLACE: usize = usize::MAX;

/// The part of a cell that does not depend on the future's type.
pub(crate) struct Header {
    refs: AtomicUsize,
    state: State,
    /// The place among its scheduler's waiting tasks. Changed with the lock of their list held.
    place: AtomicUsize,
    /// The next task in the queue.
    pub(super) next: Link,
    id: PackedId,
    spawned_at: &'static Location<'static>,
    /// The scheduler whose queue the task is in when it is ready.
    pub(crate) owner: Arc<Scheduler>,
    /// Polls the task once. The function of this future's type; the scheduler is the one that had the task in its
    /// queue.
    run: unsafe fn(Runnable, &Scheduler),
    /// Drops the remaining fields and frees the memory. No reference is left.
    destroy: unsafe fn(NonNull<Header>),
}

/// An id with four bytes' alignment.
// SIZE: a small task takes 16 bytes less of a guest's memory.
#[derive(Clone, Copy)]
#[repr(Rust, packed(4))]
struct PackedId(Id);

impl Header {
    pub(crate) fn id(&self) -> Id {
        self.id.0
    }

    /// Returns the task as messages name it.
    pub(crate) fn running(&self) -> Running {
        Running { id: self.id(), spawned_at: self.spawned_at }
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state.is_complete()
    }

    /// Returns whether the future is gone, or will be dropped when the current poll ends.
    pub(crate) fn is_running_or_complete(&self) -> bool {
        self.state.is_running_or_complete()
    }

    /// Returns the place among its scheduler's waiting tasks.
    pub(crate) fn place(&self) -> usize {
        self.place.load(Ordering::Relaxed)
    }

    /// Sets the place.
    pub(crate) fn move_to(&self, place: usize) {
        self.place.store(place, Ordering::Relaxed);
    }
}

/// A reference to a task of any future.
pub(crate) struct Task(pub(super) NonNull<Header>);

/// A scheduled task. The owner of this value runs the task, or puts it into the queue of its scheduler.
///
/// It is not a counted reference: see the module's documentation.
pub(crate) struct Runnable(pub(super) NonNull<Header>);

#[allow(unsafe_code)]
// SAFETY: everything but `run` goes through the header's atomics. `run` is called by the thread that drives the
// scheduler. A future or result that is not `Send` came through `Scheduler::spawn_local`, whose scheduler runs on one
// thread, and it is gone before the last reference is (see the module's documentation). The handle, which may take or
// drop the result, is `Send` only if the result is.
unsafe impl Send for Task {}
#[allow(unsafe_code)]
// SAFETY: as above.
unsafe impl Sync for Task {}
#[allow(unsafe_code)]
// SAFETY: as above.
unsafe impl Send for Runnable {}

impl Deref for Runnable {
    type Target = Header;

    fn deref(&self) -> &Header {
        #[allow(unsafe_code)]
        // SAFETY: the task is not complete, so its scheduler's reference keeps it alive.
        unsafe {
            self.0.as_ref()
        }
    }
}

impl Deref for Task {
    type Target = Header;

    fn deref(&self) -> &Header {
        #[allow(unsafe_code)]
        // SAFETY: the reference is counted, so the cell is alive.
        unsafe {
            self.0.as_ref()
        }
    }
}

impl Clone for Task {
    fn clone(&self) -> Task {
        let old = self.refs.fetch_add(1, Ordering::Relaxed);
        if old > isize::MAX as usize {
            // Only forgotten wakers get the count this high.
            std::process::abort();
        }
        Task(self.0)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.release() {
            #[allow(unsafe_code)]
            // SAFETY: this was the last reference.
            unsafe {
                Task::free(self.0);
            }
        }
    }
}

impl Runnable {
    /// Polls the task once. Must be called only with a task from the queue of `scheduler`.
    pub(crate) fn run(self, scheduler: &Scheduler, _polls: &Polls) {
        #[allow(unsafe_code)]
        // SAFETY: the function is the one of the task's future.
        unsafe {
            (self.run)(self, scheduler);
        }
    }

    /// Makes sure that the task is among the waiting ones. Returns false if the scheduler was closed while the task
    /// ran.
    fn is_kept_by(&self, scheduler: &Scheduler) -> bool {
        self.place() != NO_PLACE || scheduler.adopt(self)
    }

    /// Sets the task's place among the waiting ones. Returns the scheduler's reference, which stays there.
    pub(crate) fn stay_at(&self, place: usize) -> Task {
        self.move_to(place);
        Task(self.0)
    }

    /// Drops the future instead of polling it.
    #[cold]
    #[inline(never)]
    pub(crate) fn cancel(self, scheduler: &Scheduler) {
        self.state.cancel();
        self.run(scheduler, &Polls::new());
    }
}

impl Task {
    /// Creates a task, which its scheduler has to put in the queue, and a reference for the handle.
    #[allow(unsafe_code)]
    pub(crate) fn new<F: Future>(
        future: F,
        id: Id,
        spawned_at: &'static Location<'static>,
        owner: Arc<Scheduler>,
    ) -> (Runnable, Task) {
        let join = Mutex::new(Join::Open(None));
        let cell = memory::allocate::<Cell<F>>();
        let header = Header {
            refs: AtomicUsize::new(2),
            state: State::new(owner.belongs_to_runtime()),
            place: AtomicUsize::new(NO_PLACE),
            next: Link::default(),
            id: PackedId(id),
            spawned_at,
            owner,
            run: Cell::<F>::run,
            destroy: Cell::<F>::destroy,
        };
        // SAFETY: the memory is a block for a `Cell<F>`.
        unsafe {
            let future = UnsafeCell::new(ManuallyDrop::new(future));
            cell.write(Cell { header, join, future });
        }
        (Runnable(cell.cast()), Task(cell.cast()))
    }

    /// Aborts the task: schedules it, so that its future is dropped instead of polled.
    pub(crate) fn abort(&self) {
        if self.state.abort() {
            // The reference is held until this is done. The task holds its owner, and may be complete as soon as it is
            // in the queue.
            self.owner.push(Runnable(self.0));
        }
    }

    /// Schedules the task. If it is running, it runs again.
    pub(super) fn wake_by_ref(&self) {
        if self.state.schedule() {
            // As above.
            self.owner.push(Runnable(self.0));
        }
    }

    /// Like `wake_by_ref`, and drops the reference.
    // PERF: the call to other code comes last, so that there are no registers to save.
    #[inline(always)]
    pub(super) fn wake(self) {
        match self.state.wake() {
            Wake::Push => self.owner.push_fast(Runnable(self.0)),
            Wake::PushElsewhere => return self.push_and_drop(),
            Wake::Nothing => {}
        }
        let task = ManuallyDrop::new(self);
        if task.release() {
            #[allow(unsafe_code)]
            // SAFETY: this was the last reference.
            unsafe {
                Task::free_cold(task.0);
            }
        }
    }

    /// Decrements the reference count. The caller must forget the reference. Returns whether it was the last.
    fn release(&self) -> bool {
        self.refs.fetch_sub(1, Ordering::Release) == 1
    }

    /// # Safety
    ///
    /// The caller gave up the last reference.
    #[allow(unsafe_code)]
    unsafe fn free(task: NonNull<Header>) {
        fence(Ordering::Acquire);
        // SAFETY: no reference is left, so the cell is alive until this frees it.
        unsafe { (task.as_ref().destroy)(task) }
    }

    /// # Safety
    ///
    /// The same as for `free`.
    #[cold]
    #[inline(never)]
    #[allow(unsafe_code)]
    unsafe fn free_cold(task: NonNull<Header>) {
        // SAFETY: promised by the caller.
        unsafe { Task::free(task) }
    }

    #[cold]
    #[inline(never)]
    fn push_and_drop(self) {
        self.owner.push(Runnable(self.0));
    }

    /// Returns the place of the result.
    ///
    /// # Safety
    ///
    /// `T` is the output of the task's future.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn join<T>(&self) -> &Mutex<Join<T>> {
        // SAFETY: by `repr(C)`, a cell begins like a `Joinable` of its future's output.
        &unsafe { self.0.cast::<Joinable<T>>().as_ref() }.join
    }
}

/// The beginning of every cell whose result is a `T`.
#[repr(C)]
struct Joinable<T> {
    header: Header,
    join: Mutex<Join<T>>,
}

#[repr(C)]
struct Cell<F: Future> {
    header: Header,
    join: Mutex<Join<F::Output>>,
    /// The code that runs the task drops the future before the task is complete.
    future: UnsafeCell<ManuallyDrop<F>>,
}

impl<F: Future> Cell<F> {
    /// # Safety
    ///
    /// No reference to the task is left; it is a `Cell<F>`.
    #[allow(unsafe_code)]
    unsafe fn destroy(header: NonNull<Header>) {
        let cell = header.cast::<Cell<F>>();
        // SAFETY: nothing else refers to the cell, and its memory came from `allocate::<Cell<F>>`.
        unsafe {
            cell.drop_in_place();
            memory::free(cell);
        }
    }

    /// # Safety
    ///
    /// The task is a `Cell<F>` of this scheduler and came from its queue, so that no other code runs it.
    #[allow(unsafe_code)]
    unsafe fn run(task: Runnable, scheduler: &Scheduler) {
        // SAFETY: the cell is a `Cell<F>`, and is alive until it is complete.
        let cell = unsafe { task.0.cast::<Cell<F>>().as_ref() };
        // PERF: read again when needed, so that no register keeps it while the future runs.
        let id = || cell.header.id();
        Polls::begin(cell.header.running(), Budget::FULL);
        let cancelled = || Err(JoinError::cancelled(id()));
        // PERF: made for each poll, so that the compiler knows which waker it is where the future is inlined.
        let waker = waker::of(&task);
        let mut cx = Context::from_waker(&waker);
        let _last = if !cell.header.state.begin_poll() {
            cell.finish(task, scheduler, cancelled())
        } else {
            match catch(|| FutureGuard(&cell.future).poll(&mut cx)) {
                Ok(Poll::Ready(output)) => cell.finish(task, scheduler, Ok(output)),
                Ok(Poll::Pending) if !task.is_kept_by(scheduler) => {
                    cell.finish(task, scheduler, cancelled())
                }
                Ok(Poll::Pending) => match cell.header.state.end_poll() {
                    // From here on another thread may run the task.
                    AfterPoll::Wait => None,
                    AfterPoll::Reschedule => {
                        scheduler.push(task);
                        None
                    }
                    AfterPoll::Cancel => cell.finish(task, scheduler, cancelled()),
                },
                Err(panic) => cell.leave(task, scheduler, Err(JoinError::panicked(id(), panic))),
            }
        };
    }

    /// Drops the future, which has not been dropped yet, and stores the result. See `leave`.
    fn finish(
        &self,
        task: Runnable,
        scheduler: &Scheduler,
        output: Result<F::Output, JoinError>,
    ) -> Option<Task> {
        // The future is dropped before any code can see that the task is over.
        let output = match (output, catch(|| drop(FutureGuard(&self.future)))) {
            (Err(e), Err(panic)) if e.is_cancelled() => {
                Err(JoinError::panicked(self.header.id(), panic))
            }
            (output, _) => output,
        };
        self.leave(task, scheduler, output)
    }

    /// Stores the result of the task, whose future was dropped.
    ///
    /// Returns the scheduler's reference to the code that runs the task. Dropping it may free the cell.
    fn leave(
        &self,
        task: Runnable,
        scheduler: &Scheduler,
        output: Result<F::Output, JoinError>,
    ) -> Option<Task> {
        let task = if task.place() == NO_PLACE {
            scheduler.leave();
            Task(task.0)
        } else {
            scheduler.leave_place(&task)
        };
        complete(&self.header, &self.join, output);
        Some(task)
    }
}

/// Passes the result to the handle, which is woken, or drops it.
fn complete<T>(header: &Header, join: &Mutex<Join<T>>, output: Result<T, JoinError>) {
    let mut join = join.lock();
    // With the lock held: code that sees the bit finds the result, and code that has the result sees the bit.
    header.state.complete();
    if let Join::Open(waker) = &mut *join {
        let waker = waker.take();
        *join = Join::Done(output);
        drop(join);
        if let Some(waker) = waker {
            waker::wake(waker);
        }
    } else {
        drop(join);
        // A panic does not propagate: the task is over, and there is nothing to report it to.
        let _ = catch(|| drop(output));
    }
}

/// Drops a task's future, which is not accessed afterwards. Also used while its panic unwinds, so that its destructors
/// can tell.
struct FutureGuard<'a, F>(&'a UnsafeCell<ManuallyDrop<F>>);

impl<F: Future> FutureGuard<'_, F> {
    fn poll(self, cx: &mut Context<'_>) -> Poll<F::Output> {
        #[allow(unsafe_code)]
        // SAFETY: only the runner accesses the future, and it owns this value. The future exists until this or `finish`
        // drops it, and is not polled after that. It is never moved: the cell does not move, and nothing takes the
        // future out.
        let future = unsafe { Pin::new_unchecked(&mut **self.0.get()) };
        let output = future.poll(cx);
        mem::forget(self);
        output
    }
}

impl<F> Drop for FutureGuard<'_, F> {
    fn drop(&mut self) {
        #[allow(unsafe_code)]
        // SAFETY: as above.
        unsafe {
            ManuallyDrop::drop(&mut *self.0.get());
        }
    }
}

#[cfg(panic = "unwind")]
pub(super) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
}

#[cfg(not(panic = "unwind"))]
pub(super) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    Ok(f())
}
