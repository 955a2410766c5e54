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
use std::ops::Deref;
use std::panic::Location;
use std::pin::Pin;
use std::ptr::NonNull;
use std::sync::Arc;
use std::task::{Context, Poll, RawWaker, RawWakerVTable, Waker};

use super::{BUDGET, Id, JoinError, memory};
use crate::context::{self, Running};
use crate::executor::Scheduler;
use crate::lock::modelled::Mutex;
use crate::lock::modelled::atomic::{AtomicUsize, Ordering, fence};

const SCHEDULED: usize = 1;
const RUNNING: usize = 2;
const ABORTED: usize = 4;
const COMPLETE: usize = 8;

/// The task never waited: it has no place among the waiting tasks.
const NOWHERE: usize = usize::MAX;

/// What is known of a task without knowing its future.
pub(crate) struct Header {
    refs: AtomicUsize,
    state: AtomicUsize,
    /// Its place among its scheduler's waiting tasks; changed by its runner only.
    place: AtomicUsize,
    id: Id,
    spawned_at: &'static Location<'static>,
    owner: Arc<Scheduler>,
    methods: &'static Methods,
}

/// What depends on the future.
struct Methods {
    /// Polls the task once. The header is that of a task of this future, from the queue.
    run: unsafe fn(Task),
    /// Drops what is left and frees the memory. No reference is left.
    destroy: unsafe fn(NonNull<Header>),
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

    /// Whether its future is gone, or goes when the turn ends that it has further up the stack.
    pub(crate) fn is_out_of_reach(&self) -> bool {
        self.state.load(Ordering::Acquire) & (RUNNING | COMPLETE) != 0
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

/// A reference to a task, whatever its future.
pub(crate) struct Task(NonNull<Header>);

#[allow(unsafe_code)]
// SAFETY: everything but `run` goes through the header's atomics. `run` is called by whoever drives the
// scheduler; if the future or its result are not `Send`, they came through `Scheduler::spawn_local`, whose
// scheduler runs on one thread, and they are gone before the last reference is (see the module's
// documentation). The handle, which may take or drop the result, is `Send` only if the result is.
unsafe impl Send for Task {}
#[allow(unsafe_code)]
// SAFETY: as above.
unsafe impl Sync for Task {}

impl Deref for Task {
    type Target = Header;

    fn deref(&self) -> &Header {
        #[allow(unsafe_code)]
        // SAFETY: the reference is counted: the cell lives.
        unsafe {
            self.0.as_ref()
        }
    }
}

impl Clone for Task {
    fn clone(&self) -> Task {
        let old = self.refs.fetch_add(1, Ordering::Relaxed);
        if old > isize::MAX as usize {
            // Only forgotten wakers get there.
            std::process::abort();
        }
        Task(self.0)
    }
}

impl Drop for Task {
    fn drop(&mut self) {
        if self.refs.fetch_sub(1, Ordering::Release) == 1 {
            fence(Ordering::Acquire);
            #[allow(unsafe_code)]
            // SAFETY: this was the last reference.
            unsafe {
                (self.methods.destroy)(self.0);
            }
        }
    }
}

impl Task {
    /// A task that its scheduler has to put in the queue: the reference for that, and one for the handle.
    #[allow(unsafe_code)]
    pub(crate) fn new<F: Future>(
        future: F,
        id: Id,
        spawned_at: &'static Location<'static>,
        owner: Arc<Scheduler>,
    ) -> (Task, Task) {
        let header = Header {
            refs: AtomicUsize::new(2),
            state: AtomicUsize::new(SCHEDULED),
            place: AtomicUsize::new(NOWHERE),
            id,
            spawned_at,
            owner,
            methods: &Cell::<F>::METHODS,
        };
        let join = Mutex::new(Join::Open(None));
        let cell = memory::take::<Cell<F>>();
        // SAFETY: the memory is for a `Cell<F>`.
        unsafe { cell.write(Cell { header, join, future: UnsafeCell::new(Some(future)) }) };
        (Task(cell.cast()), Task(cell.cast()))
    }

    /// Polls the task once. Called with what the queue gave, and only with that.
    pub(crate) fn run(self) {
        #[allow(unsafe_code)]
        // SAFETY: the methods are those of the task's future.
        unsafe {
            (self.methods.run)(self);
        }
    }

    /// Aborts the task: it is scheduled, and its turn drops the future.
    pub(crate) fn abort(&self) {
        if self.schedule(ABORTED) {
            self.clone().requeue();
        }
    }

    fn requeue(self) {
        // The task holds its owner, and may be gone as soon as it is in the queue.
        let owner = self.owner.clone();
        owner.push(self);
    }

    /// Gives the task a place among those that wait; false if its scheduler was closed while it ran.
    fn adopt(&self) -> bool {
        self.owner.adopt(self.clone(), |place| self.place.store(place, Ordering::Relaxed))
    }

    /// Where the result will be.
    ///
    /// # Safety
    ///
    /// `T` is the output of the task's future.
    #[allow(unsafe_code)]
    pub(crate) unsafe fn join<T>(&self) -> &Mutex<Join<T>> {
        // SAFETY: a cell begins like a `Joinable` of its future's output, by `repr(C)`.
        &unsafe { self.0.cast::<Joinable<T>>().as_ref() }.join
    }

    /// A waker that borrows this reference instead of counting one more.
    fn waker(&self) -> ManuallyDrop<Waker> {
        #[allow(unsafe_code)]
        // SAFETY: the table keeps the contract of wakers, see there. This one is never dropped or woken by
        // value, and lives while `self` is borrowed.
        ManuallyDrop::new(unsafe { Waker::from_raw(RawWaker::new(self.0.as_ptr().cast(), &WAKER)) })
    }

    /// # Safety
    ///
    /// `data` is a waker's of the table below; it stands for one reference, which this takes over.
    #[allow(unsafe_code)]
    unsafe fn from_waker(data: *const ()) -> Task {
        // SAFETY: wakers are made from a task's pointer.
        Task(unsafe { NonNull::new_unchecked(data.cast_mut().cast()) })
    }
}

#[allow(unsafe_code)]
static WAKER: RawWakerVTable = RawWakerVTable::new(
    |data| {
        // SAFETY: a waker's data; its reference stays with it.
        let task = ManuallyDrop::new(unsafe { Task::from_waker(data) });
        mem::forget(Task::clone(&task));
        RawWaker::new(data, &WAKER)
    },
    |data| {
        // SAFETY: a waker's data; it is used up.
        let task = unsafe { Task::from_waker(data) };
        if task.schedule(0) {
            task.requeue();
        }
    },
    |data| {
        // SAFETY: a waker's data; its reference stays with it.
        let task = ManuallyDrop::new(unsafe { Task::from_waker(data) });
        if task.schedule(0) {
            Task::clone(&task).requeue();
        }
    },
    // SAFETY: a waker's data; it is used up.
    |data| drop(unsafe { Task::from_waker(data) }),
);

/// Where the result goes.
pub(crate) enum Join<T> {
    /// The handle exists; it left its waker if it waits.
    Open(Option<Waker>),
    Done(Result<T, JoinError>),
    /// The result was taken, or nobody will take it.
    Over,
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
    future: UnsafeCell<Option<F>>,
}

impl<F: Future> Cell<F> {
    const METHODS: Methods = Methods { run: Self::run, destroy: Self::destroy };

    /// # Safety
    ///
    /// No reference to the task is left; it is a `Cell<F>`.
    #[allow(unsafe_code)]
    unsafe fn destroy(header: NonNull<Header>) {
        let cell = header.cast::<Cell<F>>();
        // SAFETY: nobody else has it, and its memory came from `take::<Cell<F>>`.
        unsafe {
            cell.drop_in_place();
            memory::give_back(cell);
        }
    }

    /// # Safety
    ///
    /// The task is a `Cell<F>` and came from the queue, so that this is the only one who runs it.
    #[allow(unsafe_code)]
    unsafe fn run(task: Task) {
        // SAFETY: it is a `Cell<F>`, and the reference is held until the end.
        let cell = unsafe { task.0.cast::<Cell<F>>().as_ref() };
        let Header { id, spawned_at, .. } = cell.header;
        let _restore = context::set_task(Running { id, spawned_at }, BUDGET);
        // SAFETY: only the runner touches the future, and this is it. It is never moved: the cell stays
        // where it is, and nothing takes the future out.
        let mut future = unsafe { Pin::new_unchecked(&mut *cell.future.get()) };
        if !task.begin() {
            return cell.finish(future, Err(JoinError::cancelled(id)));
        }
        let waker = task.waker();
        let mut cx = Context::from_waker(&waker);
        match catch(|| DropOnPanic(future.as_mut()).poll(&mut cx)) {
            Ok(Poll::Ready(output)) => cell.finish(future, Ok(output)),
            Ok(Poll::Pending) => {
                if task.place.load(Ordering::Relaxed) == NOWHERE && !task.adopt() {
                    return cell.finish(future, Err(JoinError::cancelled(id)));
                }
                match task.end() {
                    TurnEnd::Wait => {}
                    TurnEnd::Again => task.requeue(),
                    TurnEnd::Cancel => cell.finish(future, Err(JoinError::cancelled(id))),
                }
            }
            Err(panic) => cell.finish(future, Err(JoinError::panicked(id, panic))),
        }
    }

    /// Drops the future and leaves the result.
    fn finish(&self, mut future: Pin<&mut Option<F>>, output: Result<F::Output, JoinError>) {
        // The future goes before anybody can see that the task is over.
        let output = match (output, catch(|| future.set(None))) {
            (Err(e), Err(panic)) if e.is_cancelled() => {
                Err(JoinError::panicked(self.header.id, panic))
            }
            (output, _) => output,
        };
        complete(&self.header, &self.join, output);
    }
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
