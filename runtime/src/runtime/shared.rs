//! The parts of a runtime that its handles share: its tasks, its clock, its reactor, its configuration.

use std::io;
use std::sync::Arc;
#[cfg(not(unix))]
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use super::handle::{Id, RuntimeFlavor};

use crate::once::Once;
use crate::reactor::{Reactor, Unparker};
use crate::task::{Scheduler, Target};
use crate::time::{StartPaused, TimeDriver};

/// A function that the user wants called at some point of the runtime's life.
pub(crate) type Hook = Option<Arc<dyn Fn() + Send + Sync>>;

/// How threads are made. On WASI none are, and nothing of it is kept.
#[derive(Clone)]
pub(crate) struct ThreadConfig {
    pub(crate) name: Arc<dyn Fn() -> String + Send + Sync>,
    pub(crate) stack_size: Option<usize>,
    pub(crate) max: usize,
    pub(crate) keep_alive: Duration,
    pub(crate) on_start: Hook,
    pub(crate) on_stop: Hook,
}

/// What is called around a wait: a table of functions, so that a program without them has nothing of them.
pub(crate) trait Hooks: Send + Sync {
    /// Before it.
    fn park(&self);
    /// After it.
    fn unpark(&self);
}

/// What the builder decided.
pub(crate) struct Config {
    pub(crate) flavor: RuntimeFlavor,
    /// The flavour is `LocalRuntime`'s: `spawn_local` works without a `LocalSet`.
    pub(crate) local: bool,
    /// Where it was built: a local runtime's tasks stay there.
    #[cfg(unix)]
    pub(crate) built_on: std::thread::ThreadId,
    pub(crate) enable_io: bool,
    pub(crate) enable_time: bool,
    pub(crate) start_paused: Option<StartPaused>,
    /// How many tasks run before timers and I/O are looked at again.
    pub(crate) event_interval: usize,
    pub(crate) name: Option<String>,
    pub(crate) hooks: Option<Box<dyn Hooks>>,
    #[cfg(unix)]
    pub(crate) threads: ThreadConfig,
}

pub(crate) struct Shared {
    pub(crate) id: Id,
    pub(crate) config: Config,
    pub(crate) scheduler: Arc<Scheduler>,
    pub(crate) time: TimeDriver,
    pub(crate) reactor: Arc<Reactor>,
    /// Which thread drives. Natively, several threads may want to.
    #[cfg(unix)]
    pub(crate) turn: super::turn::Turn,
    #[cfg(unix)]
    pub(crate) pool: Arc<super::blocking::Pool>,
    /// The closures of `spawn_blocking`. On WASI they run between the tasks.
    pub(crate) blocking: Arc<Scheduler>,
    /// Futures that only the host can complete, such as a pending `ctrl_c`: a reason to sleep.
    #[cfg(not(unix))]
    pub(crate) host_waits: AtomicUsize,
    pub(crate) parks: AtomicU64,
    pub(crate) busy: Busy,
}

/// For how long the runtime was driven without being parked.
pub(crate) struct Busy {
    /// Reads the clock, if anybody asks: on WASI that is a call of the host, and a kilobyte of guest.
    clock: Once<fn() -> u64>,
    /// In nanoseconds.
    total: AtomicU64,
    /// What the clock said when counting began; zero while nothing is counted.
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
        #[cfg(unix)]
        busy.want();
        busy
    }

    /// Counts from the next start on.
    pub(crate) fn want(&self) {
        self.clock.get_or_init(|| nanos);
    }

    pub(crate) fn total(&self) -> Duration {
        Duration::from_nanos(self.total.load(Ordering::Relaxed))
    }

    #[cfg_attr(target_family = "wasm", inline(never))] // Before and after the host is asked.
    pub(crate) fn start(&self) {
        if let Some(clock) = self.clock.get() {
            self.since.store(clock(), Ordering::Relaxed);
        }
    }

    #[cfg_attr(target_family = "wasm", inline(never))]
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
        let unparker: Unparker = reactor.unparker();
        #[cfg(unix)]
        let pool = super::blocking::Pool::new(config.threads.clone());
        #[cfg(unix)]
        let blocking = Target::Pool(pool.clone());
        #[cfg(not(unix))]
        let blocking = Target::Runtime(unparker.clone());
        Ok(Arc::new(Shared {
            id: Id::next(),
            scheduler: Scheduler::new(Target::Runtime(unparker.clone())),
            time: TimeDriver::new(
                config.enable_time,
                config.start_paused,
                config.flavor == RuntimeFlavor::CurrentThread,
                unparker,
            ),
            reactor,
            #[cfg(unix)]
            turn: super::turn::Turn::default(),
            blocking: Scheduler::new(blocking),
            #[cfg(unix)]
            pool,
            #[cfg(not(unix))]
            host_waits: AtomicUsize::new(0),
            parks: AtomicU64::new(0),
            busy: Busy::new(),
            config,
        }))
    }

    /// Ends the runtime: every task is dropped, every source and timer is told.
    ///
    /// Runs on the thread that drives the runtime, with the runtime entered.
    pub(crate) fn close(&self) {
        self.scheduler.close();
        self.reactor.shutdown();
        self.time.shutdown();
    }

    /// Blocking closures that are queued or running, whose end may change what is ready.
    pub(crate) fn blocking_in_flight(&self) -> bool {
        #[cfg(unix)]
        return self.pool.is_busy();
        #[cfg(not(unix))]
        false
    }

    /// Whether no task is ready, nor a blocking closure that would run here.
    pub(crate) fn is_idle(&self) -> bool {
        #[cfg(not(unix))]
        if !self.blocking.is_idle() {
            return false;
        }
        self.scheduler.is_idle()
    }

    #[cfg(not(unix))]
    pub(crate) fn is_host_awaited(&self) -> bool {
        self.host_waits.load(Ordering::Relaxed) != 0
    }
}
