//! The configuration of a runtime.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::handle::RuntimeFlavor;
use super::shared::{Config, Hooks, Shared};
use super::{Handle, LocalOptions, LocalRuntime, Runtime};
use crate::sys::threading::{OwnerThread, ThreadConfig, Worker};
use crate::time::{self, StartPaused};

/// Configures and builds a runtime.
///
/// # On WASI
///
/// Every option is accepted. Those about threads (numbers, names, stacks, `on_thread_start` and `on_thread_stop`) have
/// no effect there.
///
/// # Examples
///
/// ```
/// let runtime = wasio::runtime::Builder::new_current_thread().enable_all().build()?;
/// runtime.block_on(async { /* … */ });
/// # Ok::<(), std::io::Error>(())
/// ```
pub struct Builder {
    flavor: RuntimeFlavor,
    enable_io: bool,
    enable_time: bool,
    start_paused: Option<StartPaused>,
    event_interval: usize,
    name: Option<String>,
    threads: ThreadConfig,
    park: ParkHooks,
    /// Makes the runtime's hooks from `park`, if any is set.
    // SIZE: a pointer, so that a program without hooks links nothing of them.
    hooks: Option<MakeHooks>,
    /// Starts the worker that drives the runtime while no thread blocks on it.
    // SIZE: a pointer, so that a program without a `multi_thread` runtime links no worker.
    start_worker: Option<fn(&Handle) -> io::Result<Worker>>,
}

type MakeHooks = fn(&ParkHooks) -> Box<dyn Hooks>;

/// A function of the user's.
type Hook = Option<Arc<dyn Fn() + Send + Sync>>;

/// Functions to call before and after the thread parks.
#[derive(Clone, Default)]
struct ParkHooks {
    before: Hook,
    after: Hook,
}

impl ParkHooks {
    fn boxed(&self) -> Box<dyn Hooks> {
        Box::new(self.clone())
    }
}

impl Hooks for ParkHooks {
    fn park(&self) {
        if let Some(hook) = &self.before {
            hook();
        }
    }

    fn unpark(&self) {
        if let Some(hook) = &self.after {
            hook();
        }
    }
}

impl Builder {
    fn new(flavor: RuntimeFlavor) -> Builder {
        Builder {
            flavor,
            enable_io: false,
            enable_time: false,
            start_paused: None,
            event_interval: 61,
            name: None,
            threads: ThreadConfig::default(),
            park: ParkHooks::default(),
            hooks: None,
            start_worker: None,
        }
    }

    /// Builds a runtime that runs its tasks inside `block_on`.
    pub fn new_current_thread() -> Builder {
        Builder::new(RuntimeFlavor::CurrentThread)
    }

    /// Builds a runtime that, natively, runs its tasks on a worker thread.
    ///
    /// # On WASI
    ///
    /// There are no other threads: its tasks run while something blocks, on this runtime or on any other.
    pub fn new_multi_thread() -> Builder {
        Builder { start_worker: Some(Worker::start), ..Builder::new(RuntimeFlavor::MultiThread) }
    }

    /// Enables I/O and time.
    pub fn enable_all(&mut self) -> &mut Self {
        self.enable_io().enable_time()
    }

    /// Enables sockets and other sources of readiness.
    pub fn enable_io(&mut self) -> &mut Self {
        self.enable_io = true;
        self
    }

    /// Enables timers.
    pub fn enable_time(&mut self) -> &mut Self {
        self.enable_time = true;
        self
    }

    /// Starts with a paused clock, for tests. This needs the `current_thread` flavour.
    pub fn start_paused(&mut self, start_paused: bool) -> &mut Self {
        self.start_paused = start_paused.then_some(time::start_paused as StartPaused);
        self
    }

    /// Sets how many threads run tasks. There is always one, whatever the argument is.
    ///
    /// # Panics
    ///
    /// Panics if `val` is 0.
    #[track_caller]
    pub fn worker_threads(&mut self, val: usize) -> &mut Self {
        assert!(val > 0, "Worker threads cannot be set to 0");
        self
    }

    /// Limits the threads for blocking work. The default is 512.
    ///
    /// # Panics
    ///
    /// Panics if `val` is 0.
    #[track_caller]
    pub fn max_blocking_threads(&mut self, val: usize) -> &mut Self {
        assert!(val > 0, "Max blocking threads cannot be set to 0");
        self.threads.set_max_blocking(val);
        self
    }

    /// Sets the name of the runtime's threads.
    pub fn thread_name(&mut self, val: impl Into<String>) -> &mut Self {
        let name = val.into();
        self.thread_name_fn(move || name.clone())
    }

    /// Gives each of the runtime's threads a name of its own.
    pub fn thread_name_fn<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() -> String + Send + Sync + 'static,
    {
        self.threads.set_name(f);
        self
    }

    /// Sets the name of the runtime, for diagnostics.
    ///
    /// # Panics
    ///
    /// Panics if the name is empty or blank.
    #[track_caller]
    pub fn name(&mut self, val: impl Into<String>) -> &mut Self {
        let val = val.into();
        assert!(!val.trim().is_empty(), "runtime name shouldn't be empty");
        self.name = Some(val);
        self
    }

    /// Sets the stack size of the runtime's threads, in bytes.
    pub fn thread_stack_size(&mut self, val: usize) -> &mut Self {
        self.threads.set_stack_size(val);
        self
    }

    /// Sets a function that each thread calls when it starts.
    ///
    /// # On WASI
    ///
    /// Never called: no thread is started.
    pub fn on_thread_start<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.threads.set_on_start(f);
        self
    }

    /// Sets a function that each thread calls before it ends.
    ///
    /// # On WASI
    ///
    /// Never called: no thread is started.
    pub fn on_thread_stop<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.threads.set_on_stop(f);
        self
    }

    /// Sets a function to call before the runtime parks.
    pub fn on_thread_park<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.park.before = Some(Arc::new(f));
        self.hooks = Some(ParkHooks::boxed);
        self
    }

    /// Sets a function to call after the runtime was parked.
    pub fn on_thread_unpark<F>(&mut self, f: F) -> &mut Self
    where
        F: Fn() + Send + Sync + 'static,
    {
        self.park.after = Some(Arc::new(f));
        self.hooks = Some(ParkHooks::boxed);
        self
    }

    /// Sets how long an idle thread for blocking work is kept. The default is 10 seconds.
    pub fn thread_keep_alive(&mut self, duration: Duration) -> &mut Self {
        self.threads.set_keep_alive(duration);
        self
    }

    /// Accepts how often the global queue is polled. There is one queue, so this has no effect.
    ///
    /// # Panics
    ///
    /// Panics if `val` is 0.
    #[track_caller]
    pub fn global_queue_interval(&mut self, val: u32) -> &mut Self {
        assert!(val > 0, "global_queue_interval must be greater than 0");
        self
    }

    /// Sets how many tasks run before timers and I/O are polled. The default is 61.
    ///
    /// # Panics
    ///
    /// Panics if `val` is 0.
    #[track_caller]
    pub fn event_interval(&mut self, val: u32) -> &mut Self {
        assert!(val > 0, "event_interval must be greater than 0");
        self.event_interval = val as usize;
        self
    }

    /// Accepts the maximum of I/O events to take at once. The host decides this, so it has no effect.
    ///
    /// # Panics
    ///
    /// Panics if `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_tick must be non-zero");
        self
    }

    /// Sets the most I/O events taken at once while tasks are ready. The host decides; accepted and without
    /// effect.
    ///
    /// # Panics
    ///
    /// Panics if `capacity` is 0.
    #[track_caller]
    pub fn max_io_events_per_busy_tick(&mut self, capacity: usize) -> &mut Self {
        assert!(capacity > 0, "max_io_events_per_busy_tick must be non-zero");
        self
    }

    /// Builds the runtime.
    ///
    /// # Errors
    ///
    /// Fails when the reactor or a thread cannot be made.
    pub fn build(&mut self) -> io::Result<Runtime> {
        let handle = self.handle(false)?;
        let worker = self.start_worker.map(|start| start(&handle)).transpose()?;
        Ok(Runtime::from_parts(handle, worker))
    }

    /// Builds a runtime whose tasks need not be `Send`.
    ///
    /// # Errors
    ///
    /// Fails when the reactor cannot be made.
    ///
    /// # Panics
    ///
    /// Panics for the `multi_thread` flavour.
    #[track_caller]
    pub fn build_local(&mut self, _options: LocalOptions) -> io::Result<LocalRuntime> {
        assert!(
            self.flavor == RuntimeFlavor::CurrentThread,
            "Only current_thread is supported when building a local runtime"
        );
        Ok(LocalRuntime::from_runtime(Runtime::from_parts(self.handle(true)?, None)))
    }

    fn handle(&self, local: bool) -> io::Result<Handle> {
        crate::task::report_panics();
        let shared = Shared::new(Config {
            flavor: self.flavor,
            local,
            owner_thread: OwnerThread::current(),
            enable_io: self.enable_io,
            enable_time: self.enable_time,
            start_paused: self.start_paused,
            event_interval: self.event_interval,
            name: self.name.clone(),
            hooks: self.hooks.map(|boxed| boxed(&self.park)),
            threads: self.threads.clone(),
        })?;
        Ok(Handle { shared })
    }
}

impl fmt::Debug for Builder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builder")
            .field("flavor", &self.flavor)
            .field("enable_io", &self.enable_io)
            .field("enable_time", &self.enable_time)
            .field("start_paused", &self.start_paused.is_some())
            .finish_non_exhaustive()
    }
}
