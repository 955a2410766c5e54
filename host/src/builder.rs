//! Collects everything that a guest is given before it starts.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::cli::{StdinStream, StdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder};

use crate::clock::Monotonic;
use crate::error::Error;
use crate::guest::{Guest, Run};
use crate::limits::{Limits, MaxSizes};
#[cfg(unix)]
use crate::output::Output;
use crate::policy::{Denied, Grants, OnDenied, Policy};
use crate::program::{Code, Program};
use crate::setup::Setup;
use crate::signals::Signals;
use crate::sink::{Receive, Sink};
use crate::stats::Stats;
use crate::{grants, p1, p2, permits};

/// The default limit on open sockets, if the process may have that many descriptors.
const MAX_SOCKETS: usize = 1 << 16;

const NO_DESCRIPTORS: &str = "a component of WASI 0.2 has no descriptors: let it bind the address itself, \
    or build it for wasm32-wasip1";

/// Sets up a [`Guest`]. By default a guest is given nothing: no arguments, no environment, no files and no network. Its
/// standard input is at its end, and its output is discarded.
///
/// # Examples
///
/// ```
/// use std::time::Duration;
/// use wasio_host::{Engine, Guest, Policy, Program};
///
/// # fn example(program: &Program) -> Result<(), Box<dyn std::error::Error>> {
/// let guest = Guest::builder(program)
///     .args(["server", "--verbose"])
///     .env("RUST_LOG", "info")
///     .dir("./data", "/data")
///     .network("listen:127.0.0.1:8080, api.example.com:443".parse::<Policy>()?)
///     .inherit_stdio()
///     .max_memory(256 << 20)
///     .timeout(Duration::from_secs(60))
///     .build()?;
/// # drop(guest);
/// # Ok(())
/// # }
/// ```
pub struct GuestBuilder {
    program: Program,
    wasi: WasiCtxBuilder,
    #[cfg(unix)]
    outputs: Vec<Output>,
    args: Vec<String>,
    env: Vec<(String, String)>,
    dirs: Vec<(PathBuf, String)>,
    listeners: Vec<TcpListener>,
    network: Arc<Policy>,
    on_denied: Option<OnDenied>,
    stats: Stats,
    most: MaxSizes,
    max_sockets: Option<usize>,
    timeout: Option<Duration>,
    fuel: Option<u64>,
    fuel_slice: Option<u64>,
}

impl GuestBuilder {
    pub(crate) fn new(program: &Program) -> GuestBuilder {
        GuestBuilder {
            program: program.clone(),
            wasi: WasiCtxBuilder::new(),
            #[cfg(unix)]
            outputs: Vec::new(),
            args: Vec::new(),
            env: Vec::new(),
            dirs: Vec::new(),
            listeners: Vec::new(),
            network: Arc::default(),
            on_denied: None,
            stats: Stats::new(),
            most: MaxSizes::default(),
            max_sockets: None,
            timeout: None,
            fuel: None,
            fuel_slice: None,
        }
    }

    /// Adds an argument. The first is the program's name.
    pub fn arg(mut self, arg: impl AsRef<str>) -> GuestBuilder {
        self.args.push(arg.as_ref().to_owned());
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> GuestBuilder {
        self.args.extend(args.into_iter().map(|arg| arg.as_ref().to_owned()));
        self
    }

    /// Sets a variable of the guest's environment. A later value of the same name replaces an earlier one.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> GuestBuilder {
        let name = name.as_ref();
        self.env.retain(|(set, _)| set != name);
        self.env.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Grants the directory `host`. The guest finds it under the name `guest`, and may read and write everything below
    /// it.
    ///
    /// Some directories are refused by [`build`](Self::build): those whose files become code, those above them, and
    /// those in them. These are the cache folder of the engine, and the user's own, which is `wasio` in the user's
    /// cache folder or `$WASIO_CACHE`. Engines without a cache refuse them too, because another process would execute
    /// what the guest wrote.
    pub fn dir(mut self, host: impl Into<PathBuf>, guest: impl Into<String>) -> GuestBuilder {
        self.dirs.push((host.into(), guest.into()));
        self
    }

    /// Gives the guest a listener, whatever its network policy says. The first listener is descriptor 3 in the guest,
    /// the next one 4, and so on. The variable `LISTEN_FDS` holds their number. Granted directories come after them.
    /// Only modules of preview 1 can be given listeners: see [`build`](Self::build).
    ///
    /// In the guest: `TcpListener::from_std(unsafe { std::net::TcpListener::from_raw_fd(3) })`.
    pub fn listener(mut self, listener: TcpListener) -> GuestBuilder {
        self.listeners.push(listener);
        self
    }

    /// Sets the stream that the guest reads as its standard input.
    pub fn stdin(mut self, stdin: impl StdinStream + 'static) -> GuestBuilder {
        self.wasi.stdin(stdin);
        self
    }

    /// Sets the stream that the guest's standard output goes to.
    pub fn stdout(mut self, stdout: impl StdoutStream + 'static) -> GuestBuilder {
        self.wasi.stdout(stdout);
        self
    }

    /// Sets the stream that the guest's standard error goes to.
    pub fn stderr(mut self, stderr: impl StdoutStream + 'static) -> GuestBuilder {
        self.wasi.stderr(stderr);
        self
    }

    /// Calls a function with each piece that the guest writes to its standard output. The guest waits meanwhile, and so
    /// does everything else on its thread.
    pub fn on_stdout(self, f: impl FnMut(&[u8]) + Send + 'static) -> GuestBuilder {
        self.stdout(Sink::always(f))
    }

    /// Calls a function with each piece that the guest writes to its standard error, as [`on_stdout`](Self::on_stdout)
    /// does.
    pub fn on_stderr(self, f: impl FnMut(&[u8]) + Send + 'static) -> GuestBuilder {
        self.stderr(Sink::always(f))
    }

    /// Passes the guest's standard output to a receiver that may have to wait. Only this guest is suspended meanwhile.
    pub fn stdout_to(self, to: impl Receive) -> GuestBuilder {
        self.stdout(Sink::new(to))
    }

    /// Passes the guest's standard error to a receiver, as [`stdout_to`](Self::stdout_to) does.
    pub fn stderr_to(self, to: impl Receive) -> GuestBuilder {
        self.stderr(Sink::new(to))
    }

    /// Gives the guest the standard streams of this process. The guest is suspended while an output cannot take more.
    pub fn inherit_stdio(mut self) -> GuestBuilder {
        self.wasi.inherit_stdio();
        #[cfg(unix)]
        {
            let outputs = [Output::stdout(), Output::stderr()];
            self.wasi.stdout(outputs[0].clone()).stderr(outputs[1].clone());
            self.outputs = outputs.into();
        }
        self
    }

    /// Sets what the guest may do on the network.
    pub fn network(mut self, policy: impl Into<Arc<Policy>>) -> GuestBuilder {
        self.network = policy.into();
        self
    }

    /// Calls a function for each network access that was refused: once for each distinct one, and for at most 256 of
    /// them. Further refusals are [counted](crate::Snapshot::unreported_refusals).
    pub fn on_denied(mut self, f: impl Fn(&Denied) + Send + Sync + 'static) -> GuestBuilder {
        self.on_denied = Some(Arc::new(f));
        self
    }

    /// Counts what the guest does in `stats`.
    pub fn stats(mut self, stats: &Stats) -> GuestBuilder {
        self.stats = stats.clone();
        self
    }

    /// Limits the guest's memory in bytes, over all of its linear memories. Growing beyond the limit fails in the
    /// guest, as it does when memory runs out.
    pub fn max_memory(mut self, bytes: usize) -> GuestBuilder {
        self.most.memory = bytes;
        self
    }

    /// Limits the elements of all of the guest's tables together. The default is a million. Growing beyond the limit
    /// fails in the guest.
    pub fn max_table_elements(mut self, elements: usize) -> GuestBuilder {
        self.most.table_elements = elements;
        self
    }

    /// Limits how many sockets are open at a time. Beyond the limit a module gets `EMFILE`, a component gets
    /// `new-socket-limit`, and a connection that would have been accepted stays in the queue.
    ///
    /// The default is 65,536, or what the process's limit on open files (`RLIMIT_NOFILE` when the guest is built)
    /// allows, if that is less. Whatever is set here, all guests of a process together get that limit less 64
    /// descriptors, or less a quarter of it if that is fewer, for sockets and files; the rest belongs to the host. Set
    /// a lower limit if the host needs more descriptors, or if guests must leave some to each other.
    ///
    /// The number of handles that a component may have follows from this limit: 100,000, and ten for each socket.
    pub fn max_sockets(mut self, sockets: usize) -> GuestBuilder {
        self.max_sockets = Some(sockets);
        self
    }

    /// Ends the guest after this time, including the time it spends waiting.
    pub fn timeout(mut self, limit: Duration) -> GuestBuilder {
        self.timeout = Some(limit);
        self
    }

    /// Ends the guest when it has executed this much. A unit is roughly one instruction. Two runs with the same input
    /// burn the same fuel, whatever else the machine does. Waiting burns none.
    ///
    /// The fuel of an [`Instance`](crate::Instance) is shared by all of its calls. The engine must
    /// [meter](crate::EngineBuilder::meter_fuel).
    pub fn fuel(mut self, units: u64) -> GuestBuilder {
        self.fuel = Some(units);
        self
    }

    /// Makes the guest yield to others whenever it has burnt this much fuel, at least 1. This is in addition to the
    /// clock, which makes every guest yield. The engine must [meter](crate::EngineBuilder::meter_fuel).
    pub fn yield_after_fuel(mut self, units: u64) -> GuestBuilder {
        self.fuel_slice = Some(units.max(1));
        self
    }

    /// Sets the guest up.
    ///
    /// # Errors
    ///
    /// - [`Error::Open`] if a granted directory cannot be opened.
    /// - [`Error::Grant`] if a directory may not be granted, or if two directories are granted under one name.
    /// - [`Error::Text`] if an argument or variable contains a NUL, or if the name of a variable is empty or contains a
    ///   `=`.
    /// - [`Error::Listener`] if a listener cannot be handed over. Components of WASI 0.2 have no descriptors, so they
    ///   cannot be given one.
    /// - [`Error::NotMetered`] if fuel is used and the engine does not count it.
    pub fn build(mut self) -> Result<Guest, Error> {
        let begun = Instant::now();
        let clock = Monotonic::new();
        self.wasi.monotonic_clock(clock);
        // Operations on files are called where they may block, see `wasi.rs`.
        self.wasi.allow_blocking_current_thread(true);
        if !self.dirs.is_empty() {
            grants::check_dirs(&self.dirs, self.program.engine().code_folders())?;
        }
        grants::check_args(&self.args)?;
        grants::check_env(&self.env)?;
        for (host, guest) in self.dirs {
            self.wasi.preopened_dir(&host, guest, FsPerms::ReadWrite).map_err(|e| {
                let source = e.downcast().unwrap_or_else(|e| std::io::Error::other(e.to_string()));
                Error::Open { path: host, source }
            })?;
        }
        if !self.listeners.is_empty() {
            if matches!(self.program.code(), Code::Component(_)) {
                return Err(Error::Listener(io::Error::other(NO_DESCRIPTORS)));
            }
            self.env.retain(|(name, _)| name != "LISTEN_FDS");
            self.env.push(("LISTEN_FDS".to_owned(), self.listeners.len().to_string()));
        }
        self.wasi.args(&self.args);
        for (name, value) in &self.env {
            self.wasi.env(name, value);
        }
        // The parts of a component are instances, and so is the module that provides a module's imports.
        let instances = match self.program.code() {
            Code::Module(_) => 2,
            Code::Component(_) => 1000,
        };
        let max_descriptors = permits::most();
        let (signals, receiver) = Signals::new();
        let engine = self.program.engine();
        let setup = Setup {
            wasi: self.wasi,
            #[cfg(unix)]
            outputs: self.outputs,
            grants: Grants::new(self.network, self.on_denied).counted(&self.stats),
            signals: receiver,
            stats: self.stats.clone(),
            clock,
            limits: Limits::new(self.most, instances, self.stats.clone()),
            threads: engine.threads(),
            max_sockets: self.max_sockets.unwrap_or_else(|| max_descriptors.min(MAX_SOCKETS)),
            max_descriptors,
        };
        let fuel = self.fuel.unwrap_or(u64::MAX);
        if !engine.meters_fuel() && (self.fuel.is_some() || self.fuel_slice.is_some()) {
            return Err(Error::NotMetered);
        }
        let meter = engine.meters_fuel().then_some((fuel, self.fuel_slice));
        let run = match self.program.code() {
            Code::Module(program) => {
                let state = p1::program::Program::state(setup, self.listeners);
                let mut store = Store::new(engine.wasmtime(), state.map_err(Error::Listener)?);
                store.limiter(|state| &mut state.limits);
                prepare(&mut store, meter)?;
                Run::Module(program.clone(), store)
            }
            Code::Component(program) => {
                let state = p2::program::Program::state(setup);
                let mut store = Store::new(engine.wasmtime(), state);
                store.limiter(|state| &mut state.limits);
                p2::program::Program::limit(&mut store);
                prepare(&mut store, meter)?;
                Run::Component(program.clone(), store)
            }
        };
        self.stats.took_to_start(begun.elapsed());
        let (stats, timeout) = (self.stats, self.timeout);
        Ok(Guest { program: self.program, signals, stats, run, fuel, timeout })
    }
}

/// Sets the fuel of a metered guest, the fuel after which it yields, and the action at every tick.
fn prepare<T: Send + 'static>(
    store: &mut Store<T>,
    meter: Option<(u64, Option<u64>)>,
) -> Result<(), Error> {
    if let Some((fuel, slice)) = meter {
        store.set_fuel(fuel).map_err(Error::Engine)?;
        store.fuel_async_yield_interval(slice).map_err(Error::Engine)?;
    }
    store.set_epoch_deadline(1);
    // tokio's own `yield_now` also lets the driver run, so that timers and sockets of other tasks do not wait for a
    // guest that computes.
    store.epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(yield_now()))));
    Ok(())
}

impl std::fmt::Debug for GuestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestBuilder").field("program", &self.program).finish_non_exhaustive()
    }
}
