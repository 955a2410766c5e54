//! The cell of a task: its state, its future and its result, in one allocation.
//!
//! The scheduler's queue, the wakers, the `JoinHandle` and the `AbortHandle`s share it by counting
//! references. Whoever schedules a task hands a reference to its scheduler's queue; whoever takes it from
//! there runs it. Four bits say what may be done with it:
//!
//! - `SCHEDULED`: it is in the queue, or was woken while it ran and goes back when its turn ends,
//! - `RUNNING`: it is being polled; only then the future is touched,
//! - `ABORTED`: at its next turn the future is dropped instead of polled,
//! - `COMPLETE`: the future is gone and the result is there for the handle.
//!
//! A task that is not complete has a reference in the queue, on the stack of its runner, or among its
//! scheduler's waiting tasks. So the last reference to go never holds a future.

use std::any::Any;
use std::cell::UnsafeCell;
use std::future::Future;
use std::mem::{self, ManuallyDrop};
use std::panic::Location;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use super::{BUDGET, Id, JoinError};
use crate::context::{self, Running};
use crate::executor::Scheduler;
use crate::lock::Mutex;

const SCHEDULED: usize = 1;
const RUNNING: usize = 2;
const ABORTED: usize = 4;
const COMPLETE: usize = 8;

/// The task never waited: it has no place among the waiting tasks.
const NOWHERE: usize = usize::MAX;

/// What is known of a task without knowing its future.
pub(crate) struct Header {
    state: AtomicUsize,
    /// Its place among its scheduler's waiting tasks; changed by its runner only.
    place: AtomicUsize,
    id: Id,
    spawned_at: &'static Location<'static>,
    owner: Arc<Scheduler>,
}

/// What a turn ends with when the future is still pending.
enum TurnEnd {
    Wait,
    Again,
    Cancel,
}

impl Header {
    pub(crate) fn id(&self) -> Id {
        self.id
    }

    pub(crate) fn is_complete(&self) -> bool {
        self.state.load(Ordering::Acquire) & COMPLETE != 0
    }

    /// Notes that the task is to run; whether the caller has to put it in the queue.
    fn schedule(&self, why: usize) -> bool {
        let old = self.state.fetch_or(SCHEDULED | why, Ordering::AcqRel);
        old & (SCHEDULED | RUNNING | COMPLETE) == 0
    }

    /// Begins a turn; false if the future is to be dropped instead.
    fn begin(&self) -> bool {
        let old = self.state.fetch_xor(SCHEDULED | RUNNING, Ordering::AcqRel);
        old & ABORTED == 0 && !self.owner.is_closed()
    }

    /// Ends a turn in which the future was not ready.
    fn end(&self) -> TurnEnd {
        let old = self.state.fetch_xor(RUNNING, Ordering::AcqRel);
        if old & SCHEDULED == 0 {
            TurnEnd::Wait
        } else if old & ABORTED == 0 {
            TurnEnd::Again
        } else {
            // It stays scheduled, so nobody puts it in the queue.
            TurnEnd::Cancel
        }
    }
}

/// A task, whatever its future.
pub(crate) trait Task: Send + Sync {
    fn header(&self) -> &Header;

    /// Polls the task once. Called with what the queue gave, and only with that.
    fn run(self: Arc<Self>);
}

/// Aborts a task: it is scheduled, and its turn drops the future.
pub(crate) fn abort(task: Arc<dyn Task>) {
    let header = task.header();
    if header.schedule(ABORTED) {
        let owner = header.owner.clone();
        owner.push(task);
    }
}

/// Where the result goes.
pub(crate) enum Join<T> {
    /// The handle exists; it left its waker if it waits.
    Open(Option<Waker>),
    Done(Result<T, JoinError>),
    /// The result was taken, or nobody will take it.
    Over,
}

pub(crate) struct Cell<F: Future> {
    header: Header,
    future: UnsafeCell<Option<F>>,
    join: Mutex<Join<F::Output>>,
}

// SAFETY: `future` is touched by the runner alone: `RUNNING` is set by one who took the one reference that
// the queue had. A future that is not `Send` comes from `Scheduler::spawn_local`, whose scheduler runs on
// one thread, and it is gone before the last reference is (see the module's documentation). The result is
// moved or dropped by the runner or by the `JoinHandle`, which is `Send` and `Sync` only if the result is
// `Send`. The rest is `Send` and `Sync` by itself.
#[allow(unsafe_code)]
unsafe impl<F: Future> Send for Cell<F> {}
// SAFETY: as above.
#[allow(unsafe_code)]
unsafe impl<F: Future> Sync for Cell<F> {}

impl<F: Future + 'static> Cell<F> {
    /// A task that its scheduler has to put in the queue.
    pub(crate) fn new(
        future: F,
        id: Id,
        spawned_at: &'static Location<'static>,
        owner: Arc<Scheduler>,
    ) -> Arc<Cell<F>> {
        Arc::new(Cell {
            header: Header {
                state: AtomicUsize::new(SCHEDULED),
                place: AtomicUsize::new(NOWHERE),
                id,
                spawned_at,
                owner,
            },
            future: UnsafeCell::new(Some(future)),
            join: Mutex::new(Join::Open(None)),
        })
    }

    /// The future's place.
    ///
    /// # Safety
    ///
    /// The caller is the task's runner, and uses one at a time.
    #[allow(unsafe_code)]
    #[allow(clippy::mut_from_ref)]
    unsafe fn future(&self) -> Pin<&mut Option<F>> {
        // SAFETY: only the runner touches it. It is never moved: an `Arc` does not move what it holds, and
        // nothing takes the future out.
        unsafe { Pin::new_unchecked(&mut *self.future.get()) }
    }

    /// Where the result will be.
    pub(crate) fn join(&self) -> &Mutex<Join<F::Output>> {
        &self.join
    }

    fn requeue(self: Arc<Self>) {
        // The task holds its owner, and may be gone as soon as it is in the queue.
        let owner = self.header.owner.clone();
        owner.push(self);
    }

    /// Drops the future without polling it again. Called by the runner, or instead of a first turn.
    #[cold]
    pub(crate) fn cancel(&self) {
        self.finish(Err(JoinError::cancelled(self.header.id)));
    }

    /// Drops the future and leaves the result.
    fn finish(&self, output: Result<F::Output, JoinError>) {
        // The future goes before anybody can see that the task is over.
        #[allow(unsafe_code)]
        // SAFETY: called by the runner.
        let dropped = catch(|| unsafe { self.future() }.set(None));
        let output = match (output, dropped) {
            (Err(e), Err(panic)) if e.is_cancelled() => {
                Err(JoinError::panicked(self.header.id, panic))
            }
            (output, _) => output,
        };
        complete(&self.header, &self.join, output);
    }

    const WAKER: RawWakerVTable = RawWakerVTable::new(
        // SAFETY (all four): the pointer is `Arc::into_raw`'s of an `Arc<Cell<F>>`, and a waker that exists
        // stands for one reference, which cloning adds and which waking by value and dropping consume.
        |cell| {
            #[allow(unsafe_code)]
            // SAFETY: see above.
            unsafe {
                Arc::increment_strong_count(cell.cast::<Cell<F>>());
            }
            RawWaker::new(cell, &Self::WAKER)
        },
        |cell| {
            #[allow(unsafe_code)]
            // SAFETY: see above.
            let cell = unsafe { Arc::from_raw(cell.cast::<Cell<F>>()) };
            if cell.header.schedule(0) {
                cell.requeue();
            }
        },
        |cell| {
            #[allow(unsafe_code)]
            // SAFETY: see above; the reference stays with the waker.
            let cell = ManuallyDrop::new(unsafe { Arc::from_raw(cell.cast::<Cell<F>>()) });
            if cell.header.schedule(0) {
                Arc::<Cell<F>>::clone(&cell).requeue();
            }
        },
        |cell| {
            #[allow(unsafe_code)]
            // SAFETY: see above.
            drop(unsafe { Arc::from_raw(cell.cast::<Cell<F>>()) });
        },
    );

    /// A waker that borrows the runner's reference instead of counting one more.
    fn waker(self: &Arc<Self>) -> ManuallyDrop<Waker> {
        let data = Arc::as_ptr(self).cast::<()>();
        #[allow(unsafe_code)]
        // SAFETY: the table keeps the contract of wakers, see there. This one is never dropped or woken by
        // value, and lives while `self` is borrowed.
        ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(data, &Self::WAKER)) })
    }
}

impl<F: Future + 'static> Task for Cell<F> {
    fn header(&self) -> &Header {
        &self.header
    }

    fn run(self: Arc<Self>) {
        let Header { id, spawned_at, .. } = self.header;
        let _restore = context::set_task(Running { id, spawned_at }, BUDGET);
        if !self.header.begin() {
            return self.cancel();
        }
        let waker = self.waker();
        let mut cx = Context::from_waker(&waker);
        #[allow(unsafe_code)]
        // SAFETY: this is the runner.
        let future = unsafe { self.future() };
        let polled = catch(|| DropOnPanic(future).poll(&mut cx));
        match polled {
            Ok(Poll::Ready(output)) => self.finish(Ok(output)),
            Ok(Poll::Pending) => {
                if self.header.place.load(Ordering::Relaxed) == NOWHERE && !adopt(self.clone()) {
                    return self.cancel();
                }
                match self.header.end() {
                    TurnEnd::Wait => {}
                    TurnEnd::Again => self.requeue(),
                    TurnEnd::Cancel => self.cancel(),
                }
            }
            Err(panic) => self.finish(Err(JoinError::panicked(id, panic))),
        }
    }
}

/// Gives the task a place among those that wait; false if its scheduler was closed while it ran.
fn adopt(task: Arc<dyn Task>) -> bool {
    let owner = task.header().owner.clone();
    owner.adopt(task, |header, place| header.place.store(place, Ordering::Relaxed))
}

/// Leaves the result to the handle, which is woken, or drops it.
fn complete<T>(header: &Header, join: &Mutex<Join<T>>, output: Result<T, JoinError>) {
    let place = header.place.load(Ordering::Relaxed);
    header.owner.leave((place != NOWHERE).then_some(place));
    let mut join = join.lock();
    // Under the lock: whoever sees the bit finds the result, whoever has the result sees the bit.
    header.state.fetch_or(COMPLETE, Ordering::AcqRel);
    if let Join::Open(waker) = &mut *join {
        let waker = waker.take();
        *join = Join::Done(output);
        drop(join);
        if let Some(waker) = waker {
            waker.wake();
        }
    } else {
        drop(join);
        // A panic stays here: the task is over, and nobody would learn of it.
        let _ = catch(|| drop(output));
    }
}

impl<T> Mutex<Join<T>> {
    /// Takes the result, or keeps the waker for it.
    pub(crate) fn poll(&self, cx: &Context<'_>) -> Poll<Result<T, JoinError>> {
        let mut guard = self.lock();
        let _old = match &mut *guard {
            Join::Open(Some(waker)) if waker.will_wake(cx.waker()) => return Poll::Pending,
            Join::Open(waker) => waker.replace(cx.waker().clone()),
            join => match mem::replace(join, Join::Over) {
                Join::Done(output) => return Poll::Ready(output),
                _ => panic!("JoinHandle polled after completion"),
            },
        };
        // A waker's destructor may run anything: the lock goes first.
        drop(guard);
        Poll::Pending
    }

    /// Nobody will take the result of the task with this id.
    pub(crate) fn detach(&self, id: Id) {
        let old = mem::replace(&mut *self.lock(), Join::Over);
        // If the task is over its result goes now: as if in the task, and a panic stays here.
        let _task = context::set_task_id(id);
        let _ = catch(|| drop(old));
    }
}

/// Drops the future while its panic unwinds, so that its destructors know.
struct DropOnPanic<'a, F>(Pin<&'a mut Option<F>>);

impl<F: Future> DropOnPanic<'_, F> {
    fn poll(mut self, cx: &mut Context<'_>) -> Poll<F::Output> {
        let future = self.0.as_mut().as_pin_mut().expect("a task that is over has no turns");
        let output = future.poll(cx);
        mem::forget(self);
        output
    }
}

impl<F> Drop for DropOnPanic<'_, F> {
    fn drop(&mut self) {
        self.0.set(None);
    }
}

type Panic = Box<dyn Any + Send + 'static>;

#[cfg(panic = "unwind")]
fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(f))
}

#[cfg(not(panic = "unwind"))]
fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Panic> {
    Ok(f())
}
