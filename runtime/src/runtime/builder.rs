//! How a runtime is configured.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::handle::RuntimeFlavor;
use super::shared::{Config, Hook, Hooks, Shared, ThreadConfig};
use super::{Handle, LocalOptions, LocalRuntime, Runtime};
use crate::time::{self, StartPaused};

/// Configures and builds a runtime.
///
/// # On WASI
///
/// Every option is accepted. Those about threads (numbers, names, stacks, `on_thread_start` and
/// `on_thread_stop`) have nothing to act on there.
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
    #[cfg(unix)]
    threads: ThreadConfig,
    park: ParkHooks,
    /// Makes the runtime's of them, if there are any.
    hooks: Option<MakeHooks>,
    /// Has the runtime driven by whoever blocks: a function, so that who asks for no such runtime has nothing of it.
    #[cfg(not(unix))]
    join: Option<fn(&Handle)>,
}

type MakeHooks = fn(&ParkHooks) -> Box<dyn Hooks>;

/// Functions around a wait.
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
            #[cfg(unix)]
            threads: ThreadConfig {
                name: Arc::new(|| "tokio-rt-worker".into()),
                stack_size: None,
                max: 512,
                keep_alive: Duration::from_secs(10),
                on_start: None,
                on_stop: None,
            },
            park: ParkHooks::default(),
            hooks: None,
            #[cfg(not(unix))]
            join: None,
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
        Builder {
            #[cfg(not(unix))]
            join: Some(super::peers::join),
            ..Builder::new(RuntimeFlavor::MultiThread)
        }
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
        self.set_threads(|t| t.max = val);
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
        self.set_threads(|t| t.name = Arc::new(f));
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
        self.set_threads(|t| t.stack_size = Some(val));
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
        self.set_threads(|t| t.on_start = Some(Arc::new(f)));
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
        self.set_threads(|t| t.on_stop = Some(Arc::new(f)));
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
        self.set_threads(|t| t.keep_alive = duration);
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
        let runtime = Runtime::start(self.handle(false)?)?;
        #[cfg(not(unix))]
        if let Some(join) = self.join {
            join(runtime.handle());
        }
        Ok(runtime)
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
        Ok(LocalRuntime::from_runtime(Runtime::start(self.handle(true)?)?))
    }

    /// Changes how threads are made, where there are any.
    #[cfg(unix)]
    fn set_threads(&mut self, change: impl FnOnce(&mut ThreadConfig)) {
        change(&mut self.threads);
    }

    #[cfg(not(unix))]
    fn set_threads(&mut self, _: impl FnOnce(&mut ThreadConfig)) {}

    fn handle(&self, local: bool) -> io::Result<Handle> {
        crate::task::report_panics();
        let shared = Shared::new(Config {
            flavor: self.flavor,
            local,
            #[cfg(unix)]
            built_on: std::thread::current().id(),
            enable_io: self.enable_io,
            enable_time: self.enable_time,
            start_paused: self.start_paused,
            event_interval: self.event_interval,
            name: self.name.clone(),
            hooks: self.hooks.map(|boxed| boxed(&self.park)),
            #[cfg(unix)]
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
