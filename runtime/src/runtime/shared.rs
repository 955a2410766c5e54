//! The parts of a runtime that its handles share: its tasks, its clock, its reactor, its configuration.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::handle::{Id, RuntimeFlavor};
use crate::once::Once;
use crate::reactor::Reactor;
use crate::sys::HOST;
use crate::sys::threading::{Blocking, DriverLock, OwnerThread, ThreadConfig};
use crate::task::{Scheduler, WakeTarget};
use crate::time::{LazyTimers, StartPaused};

/// Functions to call before and after the thread parks.
// SIZE: a trait, so that a program without hooks links nothing of them.
pub(crate) trait Hooks: Send + Sync {
    /// Called before the thread parks.
    fn park(&self);
    /// Called after the thread is unparked.
    fn unpark(&self);
}

/// The configuration that the builder made.
pub(crate) struct Config {
    pub(crate) flavor: RuntimeFlavor,
    /// The runtime is a `LocalRuntime`: `spawn_local` works without a `LocalSet`.
    pub(crate) local: bool,
    pub(crate) owner_thread: OwnerThread,
    pub(crate) enable_io: bool,
    pub(crate) enable_time: bool,
    pub(crate) start_paused: Option<StartPaused>,
    /// The number of polls between two checks of timers and I/O.
    pub(crate) event_interval: usize,
    pub(crate) name: Option<String>,
    pub(crate) hooks: Option<Box<dyn Hooks>>,
    pub(crate) threads: ThreadConfig,
}

pub(crate) struct Shared {
    pub(crate) id: Id,
    pub(crate) config: Config,
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) time: LazyTimers,
    pub(crate) reactor: Arc<Reactor>,
    /// Held by the thread that drives the runtime.
    pub(crate) driver_lock: DriverLock,
    /// The closures of `spawn_blocking`.
    pub(crate) blocking: Blocking,
    /// The number of futures that wait for something that only the host can complete, such as `ctrl_c`. While there are
    /// any, the thread may sleep.
    pub(crate) host_waits: AtomicUsize,
    /// The number of times that the runtime was parked and unparked.
    pub(crate) parks: AtomicU64,
    pub(crate) busy: Busy,
}

/// How long the runtime was driven without being parked.
pub(crate) struct Busy {
    /// Reads the clock, if this metric is used.
    // SIZE, PERF: a pointer. On WASI, reading the clock is a host call, and links a kilobyte.
    clock: Once<fn() -> u64>,
    /// In nanoseconds.
    total: AtomicU64,
    /// The time at which counting began. Zero while nothing is counted.
    since: AtomicU64,
}

/// Nanoseconds since the first call, plus one.
fn nanos() -> u64 {
    static FIRST: Once<Instant> = Once::new();
    FIRST.get_or_init(Instant::now).elapsed().as_nanos() as u64 + 1
}

impl Busy {
    fn new() -> Busy {
        let busy = Busy { clock: Once::new(), total: 0.into(), since: 0.into() };
        if HOST.reads_clock_cheaply {
            busy.enable();
        }
        busy
    }

    /// Begins to count at the next start.
    pub(crate) fn enable(&self) {
        self.clock.get_or_init(|| nanos);
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total.load(Ordering::Relaxed))
    }

    // SIZE: called in two places: 10 bytes.
    #[inline(never)]
    pub(crate) fn start(&self) {
        if let Some(clock) = self.clock.get() {
            self.since.store(clock(), Ordering::Relaxed);
        }
    }

    // SIZE: called in two places: 36 bytes.
    #[inline(never)]
    pub(crate) fn stop(&self) {
        let since = self.since.swap(0, Ordering::Relaxed);
        if let (Some(clock), 1..) = (self.clock.get(), since) {
            self.total.fetch_add(clock() - since, Ordering::Relaxed);
        }
    }

    /// Counts until the guard is dropped.
    pub(crate) fn guard(&self) -> BusyGuard<'_> {
        self.start();
        BusyGuard(self)
    }
}

pub(crate) struct BusyGuard<'a>(&'a Busy);

impl Drop for BusyGuard<'_> {
    fn drop(&mut self) {
        self.0.stop();
    }
}

impl Shared {
    pub(crate) fn new(config: Config) -> io::Result<Arc<Shared>> {
        let reactor = Arc::new(Reactor::new(config.enable_io)?);
        let unparker = reactor.unparker();
        Ok(Arc::new(Shared {
            id: Id::next(),
            scheduler: Scheduler::new(WakeTarget::Runtime(unparker.clone())),
            blocking: Blocking::new(&config.threads, &unparker),
            time: LazyTimers::new(
                config.enable_time,
                config.start_paused,
                config.flavor == RuntimeFlavor::CurrentThread,
                unparker,
            ),
            reactor,
            driver_lock: DriverLock::default(),
            host_waits: AtomicUsize::new(0),
            parks: AtomicU64::new(0),
            busy: Busy::new(),
            config,
        }))
    }

    /// Shuts the runtime down: drops every task, and notifies every source and timer.
    ///
    /// Runs on the thread that drives the runtime, with the runtime entered.
    pub(crate) fn close(&self) {
        self.scheduler.close();
        self.reactor.shutdown();
        self.time.shutdown();
    }

    /// Returns whether no task is ready, nor a blocking closure that would run between the tasks.
    pub(crate) fn is_idle(&self) -> bool {
        self.blocking.is_idle() && self.scheduler.is_idle()
    }

    /// Returns whether a task waits for something that only the host can complete.
    pub(crate) fn is_host_awaited(&self) -> bool {
        self.host_waits.load(Ordering::Relaxed) != 0
    }
}
