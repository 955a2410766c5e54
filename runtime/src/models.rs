//! Models for loom of several threads that use a scheduler at once. Loom tries every order of their steps.
//!
//! The scheduler, its tasks, their wakers and handles, and the flag of a parked thread are the real ones, on loom's
//! atomics and mutexes. Only the sleep itself stands in for the OS's. `ci/loom.sh` runs them.

use std::future::Future;
use std::panic::Location;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use loom::cell::UnsafeCell;
use loom::sync::Notify;
use loom::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use loom::thread;

use crate::lock::modelled::Mutex;
use crate::sys::park_flag::ParkFlag;
use crate::task::{Id, JoinHandle, Scheduler, WakeTarget};

/// A thread that sleeps when there is nothing to do.
struct Sleeper {
    flag: ParkFlag,
    bed: Notify,
}

impl Sleeper {
    fn new() -> Arc<Sleeper> {
        Arc::new(Sleeper { flag: ParkFlag::default(), bed: Notify::new() })
    }

    fn sleep_unless(&self, work: impl Fn() -> bool) {
        self.flag.raise();
        if !work() {
            self.bed.wait();
        }
        self.flag.lower();
    }
}

impl Wake for Sleeper {
    fn wake(self: Arc<Self>) {
        self.wake_by_ref();
    }

    fn wake_by_ref(self: &Arc<Self>) {
        if self.flag.take() {
            self.bed.notify();
        }
    }
}

/// A scheduler and the thread that drives it.
struct Driver {
    scheduler: Arc<Scheduler>,
    sleeper: Arc<Sleeper>,
}

impl Driver {
    fn new() -> Driver {
        let sleeper = Sleeper::new();
        let target = WakeTarget::local(Some(Waker::from(sleeper.clone())));
        Driver { scheduler: Scheduler::new(target), sleeper }
    }

    fn spawn<F>(&self, future: F) -> JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        spawn(&self.scheduler, future)
    }

    /// Runs tasks until `done` returns true, which it does after the end of some task.
    fn run_until(&self, done: impl Fn() -> bool) {
        while !done() {
            if self.scheduler.run_some(8) == 0 {
                self.sleeper.sleep_unless(|| !self.scheduler.is_idle() || done());
            }
        }
    }
}

fn spawn<F>(scheduler: &Arc<Scheduler>, future: F) -> JoinHandle<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    scheduler.spawn(future, Id::next(), Location::caller())
}

/// Takes the result of a task that is over.
fn result<T>(handle: JoinHandle<T>) -> Result<T, crate::task::JoinError> {
    let mut handle = pin!(handle);
    match handle.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(result) => result,
        Poll::Pending => panic!("the task is over, and its result is not there"),
    }
}

/// A future that waits until another thread opens the gate.
#[derive(Default)]
struct Gate {
    open: Flag,
    waker: Mutex<Option<Waker>>,
}

struct Flag(AtomicBool);

impl Default for Flag {
    fn default() -> Flag {
        Flag(AtomicBool::new(false))
    }
}

impl Gate {
    fn open(&self) {
        self.open.0.store(true, Ordering::Release);
        let waker = self.waker.lock().take();
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    fn poll(&self, cx: &mut Context<'_>) -> Poll<()> {
        *self.waker.lock() = Some(cx.waker().clone());
        if self.open.0.load(Ordering::Acquire) { Poll::Ready(()) } else { Poll::Pending }
    }
}

/// Memory that only one thread at a time may access, as in a future. Loom reports accesses that are not ordered.
struct Exclusive(UnsafeCell<usize>);

// Loom checks this.
#[allow(unsafe_code)]
// SAFETY: loom fails the model if two threads access the cell at once.
unsafe impl Send for Exclusive {}

impl Exclusive {
    fn new() -> Exclusive {
        Exclusive(UnsafeCell::new(0))
    }

    #[allow(unsafe_code)]
    fn touch(&mut self) -> usize {
        self.0.with_mut(|value| {
            // SAFETY: the pointer is loom's, which checks that no other access is under way.
            unsafe {
                *value += 1;
                *value
            }
        })
    }
}

/// A future that accesses its memory at each poll.
struct Touching<F> {
    memory: Exclusive,
    future: F,
}

impl<F: FnMut(&mut Context<'_>) -> Poll<()> + Unpin> Future for Touching<F> {
    type Output = usize;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<usize> {
        let polls = self.memory.touch();
        (self.future)(cx).map(|()| polls)
    }
}

fn touching<F: FnMut(&mut Context<'_>) -> Poll<()> + Unpin>(future: F) -> Touching<F> {
    Touching { memory: Exclusive::new(), future }
}

/// A wake from another thread is never lost, whenever it happens.
#[test]
fn loom_wake_from_another_thread() {
    loom::model(|| {
        let driver = Driver::new();
        let gate = Arc::new(Gate::default());
        let waits = gate.clone();
        let handle = driver.spawn(touching(move |cx| waits.poll(cx)));
        let opener = thread::spawn(move || gate.open());
        driver.run_until(|| handle.is_finished());
        assert!(result(handle).unwrap() <= 2);
        opener.join().unwrap();
    });
}

/// Two threads wake one task by reference. One thread at a time polls it, and no more often than it was woken.
#[test]
fn loom_two_wakers_of_one_task() {
    loom::model(|| {
        let driver = Driver::new();
        let wakes = Arc::new(AtomicUsize::new(0));
        let slot: Arc<Mutex<Option<Waker>>> = Arc::default();
        let (counts, given) = (wakes.clone(), slot.clone());
        let handle = driver.spawn(touching(move |cx| {
            given.lock().get_or_insert_with(|| cx.waker().clone());
            if counts.load(Ordering::Acquire) == 2 { Poll::Ready(()) } else { Poll::Pending }
        }));
        driver.scheduler.run_some(1);
        let waker = slot.lock().clone().expect("it was polled");
        let threads = [waker.clone(), waker].map(|waker| {
            let wakes = wakes.clone();
            thread::spawn(move || {
                wakes.fetch_add(1, Ordering::AcqRel);
                waker.wake_by_ref();
            })
        });
        driver.run_until(|| handle.is_finished());
        let polls = result(handle).unwrap();
        assert!((2..=3).contains(&polls), "{polls} polls");
        for thread in threads {
            thread.join().unwrap();
        }
        drop(slot);
    });
}

/// A task that another thread spawns runs, and that thread sees its end.
#[test]
fn loom_spawn_from_another_thread() {
    loom::model(|| {
        let driver = Driver::new();
        let done = Arc::new(AtomicBool::new(false));
        let (scheduler, sets) = (driver.scheduler.clone(), done.clone());
        let spawner = thread::spawn(move || {
            spawn(&scheduler, async move {
                sets.store(true, Ordering::Release);
                7
            })
        });
        driver.run_until(|| done.load(Ordering::Acquire));
        let handle = spawner.join().unwrap();
        // This thread may still have to run the task's last step.
        driver.run_until(|| handle.is_finished());
        assert_eq!(result(handle).unwrap(), 7);
    });
}

/// Another thread waits for the task. It is woken and finds the result.
#[test]
fn loom_join_on_another_thread() {
    loom::model(|| {
        let driver = Driver::new();
        let mut handle = driver.spawn(async { 7 });
        let joiner = thread::spawn(move || {
            let sleeper = Sleeper::new();
            let waker = Waker::from(sleeper.clone());
            let mut answer = None;
            while answer.is_none() {
                if let Poll::Ready(result) =
                    Pin::new(&mut handle).poll(&mut Context::from_waker(&waker))
                {
                    answer = Some(result.unwrap());
                } else {
                    sleeper.sleep_unless(|| handle.is_finished());
                }
            }
            answer
        });
        while driver.scheduler.run_some(1) == 0 {
            thread::yield_now();
        }
        assert_eq!(joiner.join().unwrap(), Some(7));
    });
}

/// The handle is dropped while the task ends. The output is dropped once.
#[test]
fn loom_detach_while_it_ends() {
    struct Output(Arc<AtomicUsize>);
    impl Drop for Output {
        fn drop(&mut self) {
            self.0.fetch_add(1, Ordering::AcqRel);
        }
    }

    loom::model(|| {
        let driver = Driver::new();
        let drops = Arc::new(AtomicUsize::new(0));
        let output = Output(drops.clone());
        let handle = driver.spawn(async move { output });
        let dropper = thread::spawn(move || drop(handle));
        driver.scheduler.run_some(1);
        dropper.join().unwrap();
        assert_eq!(drops.load(Ordering::Acquire), 1);
        assert_eq!(driver.scheduler.alive_count(), 0);
    });
}

/// An abort and a wake happen at once. The task ends in either order, and its future is dropped on this thread.
#[test]
fn loom_abort_against_wake() {
    loom::model(|| {
        let driver = Driver::new();
        let gate = Arc::new(Gate::default());
        let waits = gate.clone();
        let handle = driver.spawn(touching(move |cx| waits.poll(cx)));
        let abort = handle.abort_handle();
        let aborter = thread::spawn(move || abort.abort());
        let opener = thread::spawn(move || gate.open());
        driver.run_until(|| handle.is_finished());
        match result(handle) {
            Ok(polls) => assert!(polls <= 2),
            Err(e) => assert!(e.is_cancelled()),
        }
        aborter.join().unwrap();
        opener.join().unwrap();
        assert_eq!(driver.scheduler.alive_count(), 0);
    });
}

/// The scheduler is closed while another thread wakes its task and spawns another one. Both are dropped.
#[test]
fn loom_close_against_wake_and_spawn() {
    loom::model(|| {
        let driver = Driver::new();
        let gate = Arc::new(Gate::default());
        let waits = gate.clone();
        let handle = driver.spawn(touching(move |cx| waits.poll(cx)));
        driver.scheduler.run_some(1);
        let scheduler = driver.scheduler.clone();
        let other = thread::spawn(move || {
            gate.open();
            spawn(&scheduler, async {})
        });
        driver.scheduler.close();
        let late = other.join().unwrap();
        assert!(handle.is_finished() && late.is_finished());
        assert!(result(handle).is_err_and(|e| e.is_cancelled()));
        assert!(result(late).is_err_and(|e| e.is_cancelled()));
        assert_eq!(driver.scheduler.alive_count(), 0);
    });
}
