//! Tests for runtimes that are driven by steps alone, inside the event loop of a host.
//!
//! They stand for targets that cannot block. The host's loop waits for the descriptor of the runtime's reactor. The
//! descriptor becomes readable when a source is ready, and when something unparks the runtime.

use std::cell::RefCell;
use std::convert::Infallible;
use std::future::{Future, Pending, pending};
use std::io::{Read, Write};
use std::ops::DerefMut;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixStream;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::Context;
use std::time::{Duration, Instant};

use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};

use super::async_fd::AsyncFd;
use crate::context;
use crate::reactor::PollMode;
use crate::runtime::root::Root;
use crate::runtime::step::{Driver, Step};
use crate::runtime::{Builder, Handle, Runtime};
use crate::sync::oneshot;
use crate::task::current::{self, Entered};
use crate::task::{self, yield_now};
use crate::time::sleep;

/// The maximum number of steps in one callback of the host.
const MAX_STEPS: usize = 4;

/// Why the runtime gave the thread back.
#[derive(PartialEq, Debug)]
enum Returned<T> {
    Ready(T),
    /// It has more to do, and lets the host's other callbacks run first.
    Again,
    /// Nothing can run before an event, or before this time.
    Stalled(Option<Duration>),
}

/// A runtime that returns to its host instead of waiting.
struct Embedded<P> {
    handle: Handle,
    driver: Driver,
    root: Root<P>,
    is_parked: bool,
}

impl<P: DerefMut<Target: Future>> Embedded<P> {
    fn new(runtime: &Runtime, root: Pin<P>) -> Embedded<P> {
        let handle = runtime.handle().clone();
        let root = Root::new(root, Some(&handle));
        Embedded { handle, driver: Driver::default(), root, is_parked: false }
    }

    /// Runs the runtime for a while. A host calls this from its event loop.
    fn run(&mut self) -> Returned<<P::Target as Future>::Output> {
        let shared = &*self.handle.shared;
        let _runtime = context::enter(self.handle.clone());
        let _entered = current::set_entered(Entered::BlockOn);
        let _lock = shared.driver_lock.acquire(|| false);
        let waker = self.root.waker();
        let mut cx = Context::from_waker(&waker);
        if std::mem::take(&mut self.is_parked) {
            self.driver.resume(shared, shared.reactor.poll(PollMode::NonBlocking));
        }
        for _ in 0..MAX_STEPS {
            let woken = match self.driver.step(shared, &mut self.root, &mut cx) {
                Step::Ready(output) => return Returned::Ready(output),
                Step::More => continue,
                Step::Unstalled(woken) => woken,
                Step::Stalled(timeout) => {
                    shared.reactor.selector.leave();
                    if !shared.is_stale(self.root.woken()) {
                        self.is_parked = true;
                        return Returned::Stalled(timeout);
                    }
                    shared.reactor.poll(PollMode::NonBlocking)
                }
            };
            self.driver.resume(shared, woken);
        }
        Returned::Again
    }
}

impl Embedded<Box<Pending<Infallible>>> {
    /// Returns a runtime that runs its tasks without a root future.
    fn ambient(runtime: &Runtime) -> Self {
        Embedded::new(runtime, Box::pin(pending()))
    }
}

/// The event loop of a host, which must never be blocked for long.
struct EventLoop {
    poll: Poll,
    events: Events,
    /// The number of times that the runtime asked to continue after other callbacks.
    yields: usize,
    /// The number of times that the host waited.
    waits: usize,
}

/// Longer than anything in these tests takes.
const LONG: Duration = Duration::from_secs(20);

impl EventLoop {
    fn new(runtime: &Runtime) -> EventLoop {
        let poll = Poll::new().unwrap();
        let fd = runtime.handle().shared.reactor.with_poller(AsRawFd::as_raw_fd);
        poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::READABLE).unwrap();
        EventLoop { poll, events: Events::with_capacity(8), yields: 0, waits: 0 }
    }

    /// Waits as the host of a stalled runtime does. Returns whether an event came.
    fn wait(&mut self, timeout: Option<Duration>) -> bool {
        self.waits += 1;
        self.poll.poll(&mut self.events, Some(timeout.unwrap_or(LONG))).unwrap();
        !self.events.is_empty()
    }

    /// Runs the runtime until `until` returns true, or until its root is ready.
    fn run_until<P: DerefMut<Target: Future>>(
        &mut self,
        embedded: &mut Embedded<P>,
        until: impl Fn() -> bool,
    ) -> Option<<P::Target as Future>::Output> {
        let begin = Instant::now();
        while begin.elapsed() < LONG {
            match embedded.run() {
                Returned::Ready(output) => return Some(output),
                _ if until() => return None,
                Returned::Again => self.yields += 1,
                Returned::Stalled(timeout) => _ = self.wait(timeout),
            }
        }
        panic!("the runtime is not done after {LONG:?}");
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// Returns the two ends of a connection. The first is for a task.
fn connection() -> (UnixStream, UnixStream) {
    let (near, far) = UnixStream::pair().unwrap();
    near.set_nonblocking(true).unwrap();
    (near, far)
}

async fn read_byte(stream: UnixStream) -> u8 {
    #[allow(deprecated)] // The descriptor stays open.
    let stream = AsyncFd::new(stream).unwrap();
    let mut byte = [0];
    loop {
        let mut guard = stream.readable().await.unwrap();
        if let Ok(read) = guard.try_io(|stream| stream.get_ref().read(&mut byte)) {
            assert_eq!(read.unwrap(), 1);
            return byte[0];
        }
    }
}

#[test]
fn ambient_runs_tasks_timers_and_io() {
    let runtime = runtime();
    let mut host = EventLoop::new(&runtime);
    let mut ambient = Embedded::ambient(&runtime);
    let done = Arc::new(Mutex::new(Vec::new()));
    let note = |name: &'static str| {
        let done = done.clone();
        move || done.lock().unwrap().push(name)
    };

    // Callbacks of the host spawn these, with no step on the stack.
    let begin = Instant::now();
    let slept = note("slept");
    runtime.spawn(async move {
        sleep(Duration::from_millis(30)).await;
        assert!(begin.elapsed() >= Duration::from_millis(30));
        slept();
    });
    let joined = note("joined");
    runtime.spawn(async move {
        let sum = task::spawn(async { 20 + 22 }).await.unwrap();
        assert_eq!(sum, task::spawn_blocking(|| 42).await.unwrap());
        joined();
    });
    let (near, mut far) = connection();
    let read = note("read");
    runtime.spawn(async move {
        assert_eq!(read_byte(near).await, b'x');
        read();
    });
    let writer = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(60));
        far.write_all(b"x").unwrap();
        far
    });

    host.run_until(&mut ambient, || done.lock().unwrap().len() == 3);
    assert_eq!(*done.lock().unwrap(), ["joined", "slept", "read"]);
    // The host waited, and did not ask over and over.
    assert!((1..50).contains(&host.waits), "{} waits", host.waits);
    writer.join().unwrap();
}

#[test]
fn ambient_spawn_schedules_the_next_step() {
    let runtime = runtime();
    let mut host = EventLoop::new(&runtime);
    let mut ambient = Embedded::ambient(&runtime);
    assert_eq!(ambient.run(), Returned::Stalled(None));

    // Spawned while the runtime is stalled: on the host's thread, and on another one.
    let ran = Arc::new(AtomicUsize::new(0));
    for _ in 0..2 {
        let ran = ran.clone();
        runtime.spawn(async move { ran.fetch_add(1, Ordering::Relaxed) });
    }
    assert!(host.wait(None), "a spawn makes the host run the next step");
    assert_eq!(ambient.run(), Returned::Stalled(None));
    assert_eq!(ran.load(Ordering::Relaxed), 2);
    // Nothing is left that could wake the runtime.
    assert!(!host.wait(Some(Duration::ZERO)));

    let (sender, receiver) = oneshot::channel();
    let task = runtime.spawn(receiver);
    assert!(host.wait(None));
    assert_eq!(ambient.run(), Returned::Stalled(None));
    let other = std::thread::spawn(move || sender.send(7).unwrap());
    assert!(host.wait(None), "a wake from another thread, too");
    assert_eq!(ambient.run(), Returned::Stalled(None));
    assert!(task.is_finished());
    other.join().unwrap();
}

#[test]
fn ambient_steps_are_bounded() {
    let runtime = runtime();
    let mut host = EventLoop::new(&runtime);
    let mut ambient = Embedded::ambient(&runtime);
    // This task is always ready: without a bound on steps, the host would not get its thread back.
    let polls = Arc::new(AtomicUsize::new(0));
    let counted = polls.clone();
    let task = runtime.spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    let mut before = 0;
    for _ in 0..10 {
        assert_eq!(ambient.run(), Returned::Again);
        let after = polls.load(Ordering::Relaxed);
        assert!((1..=MAX_STEPS * 61).contains(&(after - before)), "{} polls", after - before);
        before = after;
    }
    // Timers and I/O make progress beside it.
    let (near, mut far) = connection();
    far.write_all(b"y").unwrap();
    let read = runtime.spawn(async move {
        sleep(Duration::from_millis(5)).await;
        read_byte(near).await
    });
    host.run_until(&mut ambient, || read.is_finished());
    assert_eq!(host.waits, 0);
    assert!(host.yields > 0);
    task.abort();
    assert_eq!(ambient.run(), Returned::Stalled(None));
    assert!(task.is_finished());
}

#[test]
fn returning_keeps_the_root() {
    let runtime = runtime();
    let mut host = EventLoop::new(&runtime);
    let (near, mut far) = connection();
    // The future is neither `Send` nor restarted: each call of the host continues the same one.
    let log = Rc::new(RefCell::new(Vec::new()));
    let noted = log.clone();
    let main = async move {
        noted.borrow_mut().push("begun");
        sleep(Duration::from_millis(10)).await;
        noted.borrow_mut().push("slept");
        let one = task::spawn(async { 1 }).await.unwrap();
        noted.borrow_mut().push("joined");
        let byte = read_byte(near).await;
        noted.borrow_mut().push("read");
        i32::from(byte) + one
    };
    let mut guest = Embedded::new(&runtime, Box::pin(main));

    let Returned::Stalled(Some(timeout)) = guest.run() else { panic!("it sleeps") };
    assert!(timeout <= Duration::from_millis(11), "{timeout:?}");
    assert_eq!(*log.borrow(), ["begun"]);
    // A spurious event does no harm.
    assert!(matches!(guest.run(), Returned::Stalled(Some(_))));
    // No runtime is entered while the host has the thread.
    assert!(Handle::try_current().is_err());
    assert_eq!(current::entered(), Entered::No);

    host.run_until(&mut guest, || log.borrow().len() == 3);
    assert_eq!(guest.run(), Returned::Stalled(None));
    assert!(!host.wait(Some(Duration::ZERO)));
    far.write_all(b")").unwrap();
    assert!(host.wait(None), "the armed source stays with the host");
    assert_eq!(guest.run(), Returned::Ready(42));
    assert_eq!(*log.borrow(), ["begun", "slept", "joined", "read"]);
}

#[test]
fn returning_moves_a_paused_clock_and_counts_as_parked() {
    let parked = Arc::new(AtomicUsize::new(0));
    let (before, after) = (parked.clone(), parked.clone());
    let runtime = Builder::new_current_thread()
        .enable_all()
        .start_paused(true)
        .on_thread_park(move || _ = before.fetch_add(1, Ordering::Relaxed))
        .on_thread_unpark(move || _ = after.fetch_sub(1, Ordering::Relaxed))
        .build()
        .unwrap();
    let metrics = runtime.metrics();
    let (sender, receiver) = oneshot::channel();
    let main = async move {
        sleep(Duration::from_secs(3600)).await;
        receiver.await.unwrap()
    };
    let mut guest = Embedded::new(&runtime, Box::pin(main));
    let mut host = EventLoop::new(&runtime);
    let stalled = |guest: &mut Embedded<_>| loop {
        match guest.run() {
            Returned::Again => {}
            other => return other,
        }
    };
    // The hour passes at once. After that, only the host can wake the runtime.
    assert_eq!(stalled(&mut guest), Returned::Stalled(None));
    assert_eq!(parked.load(Ordering::Relaxed), 1);
    assert_eq!(metrics.worker_park_unpark_count(0) % 2, 1);
    sender.send(5).unwrap();
    assert!(host.wait(None), "the root was woken");
    assert_eq!(stalled(&mut guest), Returned::Ready(5));
    assert_eq!(parked.load(Ordering::Relaxed), 0);
    assert_eq!(metrics.worker_park_unpark_count(0) % 2, 0);
}
