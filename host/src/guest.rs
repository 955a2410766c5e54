//! A guest: one run of a program, and everything it is given.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use wasmtime::{Extern, ExternType, Module, Store, UpdateDeadline};
use wasmtime_wasi::cli::{StdinStream, StdoutStream};
use wasmtime_wasi::p2::bindings::CommandPre;
use wasmtime_wasi::{FsPerms, I32Exit, WasiCtxBuilder};

use crate::clock::Monotonic;
use crate::error::{Error, Trap};
use crate::events::Life;
use crate::imports::Imports;
use crate::instance::{Instance, drive};
use crate::interfaces::Names;
use crate::limits::{Limits, Most};
use crate::link::MODULE;
#[cfg(unix)]
use crate::output::Output;
use crate::policy::{Denied, Grants, OnDenied, Policy};
use crate::poll::Scratch;
use crate::program::{Code, Program, Source};
use crate::signals::Signals;
use crate::sink::Sink;
use crate::sockets::socket::Socket;
use crate::sockets::table::Table;
use crate::state::{Exited, State};
use crate::stats::Stats;

/// How many sockets a guest may have open unless told otherwise. The host's
/// own limit on open files usually ends it earlier.
const MAX_SOCKETS: usize = 1 << 16;

const NO_DESCRIPTORS: &str = "a component of WASI 0.2 has no descriptors: let it bind the address itself, \
    or build it for wasm32-wasip1";

/// A guest, set up and not yet started.
pub struct Guest {
    program: Program,
    signals: Signals,
    store: Store<State>,
    timeout: Option<Duration>,
}

/// How a guest ended that ended by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Exit {
    code: i32,
}

impl Exit {
    /// The guest's exit code; 0 when it returned from `main`.
    pub fn code(self) -> i32 {
        self.code
    }

    /// Whether the code is 0.
    pub fn success(self) -> bool {
        self.code == 0
    }
}

/// What a guest is given. By default that is nothing: no arguments, no
/// environment, no files, no network, stdin at its end, output discarded.
pub struct GuestBuilder {
    program: Program,
    wasi: WasiCtxBuilder,
    dirs: Vec<(PathBuf, String)>,
    listeners: Vec<TcpListener>,
    network: Arc<Policy>,
    on_denied: Option<OnDenied>,
    stats: Stats,
    most: Most,
    max_sockets: usize,
    timeout: Option<Duration>,
    fuel: Option<u64>,
    fuel_slice: Option<u64>,
}

impl Guest {
    /// Starts setting up a guest of `program`.
    pub fn builder(program: &Program) -> GuestBuilder {
        GuestBuilder {
            program: program.clone(),
            wasi: WasiCtxBuilder::new(),
            dirs: Vec::new(),
            listeners: Vec::new(),
            network: Arc::default(),
            on_denied: None,
            stats: Stats::new(),
            most: Most::default(),
            max_sockets: MAX_SOCKETS,
            timeout: None,
            fuel: None,
            fuel_slice: None,
        }
    }

    /// The guest's counters, which stay readable while and after it runs.
    pub fn stats(&self) -> Stats {
        self.store.data().stats.clone()
    }

    /// What sends signals to the guest while it runs.
    ///
    /// ```no_run
    /// # use wasio_host::{Error, Guest, Signal};
    /// # async fn example(guest: Guest) -> Result<(), Error> {
    /// let signals = guest.signals();
    /// let mut run = std::pin::pin!(guest.run());
    /// tokio::select! {
    ///     exit = &mut run => return exit.map(drop),
    ///     _ = tokio::signal::ctrl_c() => {}
    /// }
    /// if signals.send(Signal::Interrupt) {
    ///     run.await?; // It waits for `ctrl_c`, and ends when it is ready to.
    /// }
    /// # Ok(())
    /// # }
    /// ```
    pub fn signals(&self) -> Signals {
        self.signals.clone()
    }

    /// Runs the guest to its end.
    ///
    /// Whenever the guest waits, its stack is suspended and the future is
    /// pending; a guest that only computes yields every few milliseconds. The
    /// future has to be polled within a tokio runtime with I/O and time
    /// enabled.
    ///
    /// # Errors
    ///
    /// [`Error::NoStart`] when the module is a library, [`Error::Start`] when
    /// the guest could not be instantiated, [`Error::Trap`] when it trapped, [`Error::TimedOut`] when its time was
    /// up, [`Error::OutOfFuel`] when its fuel was.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the guest: its stack is unwound, its sockets
    /// and files are closed.
    pub async fn run(self) -> Result<Exit, Error> {
        let Guest { program, mut store, timeout, .. } = self;
        store.data_mut().sockets.register_listeners().map_err(Error::Listener)?;
        let (ticker, stats) = (program.engine().ticker(), store.data().stats.clone());
        let mut life = Life::begin(&stats);
        let result = drive(call(&program, &mut store), &ticker, &stats, timeout).await.flatten();
        note_fuel(&store);
        life.ended(result.as_ref().copied());
        result
    }

    /// Makes an instance of a module, whose exports are then called one by one. If it has a function
    /// `_initialize`, as reactors of WASI do, that is called first.
    ///
    /// # Errors
    ///
    /// [`Error::Start`] when it cannot be instantiated, or is a component; [`Error::Trap`] and
    /// [`Error::TimedOut`] as for [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// As for [`run`](Self::run).
    pub async fn instantiate(self) -> Result<Instance, Error> {
        let Guest { program, mut store, timeout, .. } = self;
        let Code::Module { module, imports, own } = program.code() else {
            let why = "a component has no exports that are called by name: run it";
            return Err(Error::Start(wasmtime::Error::msg(why)));
        };
        store.data_mut().sockets.register_listeners().map_err(Error::Listener)?;
        let (ticker, stats) = (program.engine().ticker(), store.data().stats.clone());
        let initialized = async {
            let imports = externs(&program, imports, own, &mut store)?;
            let instance = instantiate(module, &imports, &mut store).await?;
            if let Ok(initialize) = instance.get_typed_func::<(), ()>(&mut store, "_initialize") {
                initialize.call_async(&mut store, ()).await.map_err(trapped)?;
            }
            Ok(instance)
        };
        let mut life = Life::begin(&stats);
        let instance = drive(initialized, &ticker, &stats, timeout).await.flatten();
        note_fuel(&store);
        match instance {
            Ok(instance) => Ok(Instance::new(store, instance, ticker, timeout, life)),
            Err(error) => {
                life.ended(Err(&error));
                Err(error)
            }
        }
    }
}

/// Tells the counters how much of its fuel the guest has burnt.
pub(crate) fn note_fuel(store: &Store<State>) {
    if let Ok(left) = store.get_fuel() {
        let State { stats, fuel, .. } = store.data();
        stats.burnt(fuel.saturating_sub(left));
    }
}

async fn call(program: &Program, store: &mut Store<State>) -> Result<Exit, Error> {
    let begun = Instant::now();
    match program.code() {
        Code::Module { module, imports, own } => {
            if !matches!(module.get_export("_start"), Some(ExternType::Func(_))) {
                return Err(Error::NoStart);
            }
            let imports = externs(program, imports, own, store)?;
            call_module(module, &imports, store, begun).await
        }
        Code::Component(command) => call_component(command, store, begun).await,
    }
}

/// What a module imports, in this store.
fn externs(
    program: &Program,
    imports: &[Source],
    own: &Imports,
    store: &mut Store<State>,
) -> Result<Vec<Extern>, Error> {
    let host = program.engine().linker();
    let mut get = |source: &Source| match source {
        Source::Host(key) => host.get(&mut *store, MODULE, key),
        Source::Own(module, name) => own.linker().get(&mut *store, module, name),
    };
    imports.iter().map(&mut get).collect::<wasmtime::Result<_>>().map_err(Error::Start)
}

async fn instantiate(
    module: &Module,
    imports: &[Extern],
    store: &mut Store<State>,
) -> Result<wasmtime::Instance, Error> {
    wasmtime::Instance::new_async(&mut *store, module, imports).await.map_err(|e| {
        // What the module's own code did, in its start function.
        if e.is::<wasmtime::WasmBacktrace>() { trapped(e) } else { Error::start(e) }
    })
}

async fn call_module(
    module: &Module,
    imports: &[Extern],
    store: &mut Store<State>,
    begun: Instant,
) -> Result<Exit, Error> {
    let instance = match instantiate(module, imports, store).await {
        Err(Error::Exited(exit)) => return Ok(exit),
        result => result?,
    };
    let start =
        instance.get_typed_func::<(), ()>(&mut *store, "_start").map_err(|_| Error::NoStart)?;
    store.data().stats.took_to_start(begun.elapsed());
    match start.call_async(&mut *store, ()).await {
        Ok(()) => Ok(Exit { code: 0 }),
        Err(e) => ended(e),
    }
}

async fn call_component(
    command: &CommandPre<State>,
    store: &mut Store<State>,
    begun: Instant,
) -> Result<Exit, Error> {
    let command = match command.instantiate_async(&mut *store).await {
        Ok(command) => command,
        Err(e) if e.is::<wasmtime::WasmBacktrace>() => return ended(e),
        Err(e) => return Err(Error::start(e)),
    };
    store.data().stats.took_to_start(begun.elapsed());
    match command.wasi_cli_run().call_run(&mut *store).await {
        Ok(result) => Ok(Exit { code: result.is_err().into() }),
        Err(e) => match e.downcast_ref::<I32Exit>() {
            Some(exit) => Ok(Exit { code: exit.0 }),
            None => ended(e),
        },
    }
}

/// What a call that did not return says of the guest.
fn ended(error: wasmtime::Error) -> Result<Exit, Error> {
    match trapped(error) {
        Error::Exited(exit) => Ok(exit),
        error => Err(error),
    }
}

pub(crate) fn trapped(error: wasmtime::Error) -> Error {
    match error.downcast_ref::<Exited>() {
        Some(exited) => Error::Exited(Exit { code: exited.0 }),
        // Where no code of the guest's was running, there was no stack for it.
        None if !error.is::<wasmtime::WasmBacktrace>() && !error.is::<wasmtime::Trap>() => {
            Error::start(error)
        }
        None if matches!(error.downcast_ref(), Some(wasmtime::Trap::OutOfFuel)) => Error::OutOfFuel,
        None => Error::Trap(Trap::new(&error)),
    }
}

impl GuestBuilder {
    /// Adds an argument. The first is the program's name.
    pub fn arg(mut self, arg: impl AsRef<str>) -> GuestBuilder {
        self.wasi.arg(arg);
        self
    }

    /// Adds arguments.
    pub fn args<A: AsRef<str>>(mut self, args: impl IntoIterator<Item = A>) -> GuestBuilder {
        for arg in args {
            self.wasi.arg(arg);
        }
        self
    }

    /// Sets a variable of the guest's environment.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> GuestBuilder {
        self.wasi.env(name, value);
        self
    }

    /// Grants the folder `host`, which the guest finds under `guest`.
    pub fn dir(mut self, host: impl Into<PathBuf>, guest: impl Into<String>) -> GuestBuilder {
        self.dirs.push((host.into(), guest.into()));
        self
    }

    /// Gives the guest a listener, whatever its network policy. It finds the first under descriptor 3, the
    /// next under 4, and so on, and their number in the variable `LISTEN_FDS`; folders come after them. Only
    /// modules of preview 1 can have one: see [`build`](Self::build).
    ///
    /// In the guest: `TcpListener::from_std(unsafe { std::net::TcpListener::from_raw_fd(3) })`.
    pub fn listener(mut self, listener: TcpListener) -> GuestBuilder {
        self.listeners.push(listener);
        self
    }

    /// What the guest reads from its standard input.
    pub fn stdin(mut self, stdin: impl StdinStream + 'static) -> GuestBuilder {
        self.wasi.stdin(stdin);
        self
    }

    /// Where the guest's standard output goes.
    pub fn stdout(mut self, stdout: impl StdoutStream + 'static) -> GuestBuilder {
        self.wasi.stdout(stdout);
        self
    }

    /// Where the guest's standard error goes.
    pub fn stderr(mut self, stderr: impl StdoutStream + 'static) -> GuestBuilder {
        self.wasi.stderr(stderr);
        self
    }

    /// Hands what the guest writes to its standard output to a function, piece by piece. The guest waits
    /// meanwhile, and so does everybody on its thread.
    pub fn on_stdout(self, f: impl FnMut(&[u8]) + Send + 'static) -> GuestBuilder {
        self.stdout(Sink::new(f))
    }

    /// The same for standard error.
    pub fn on_stderr(self, f: impl FnMut(&[u8]) + Send + 'static) -> GuestBuilder {
        self.stderr(Sink::new(f))
    }

    /// Gives the guest this process's standard streams. While an output takes no more, the guest is suspended.
    pub fn inherit_stdio(mut self) -> GuestBuilder {
        self.wasi.inherit_stdio();
        #[cfg(unix)]
        self.wasi.stdout(Output::Stdout).stderr(Output::Stderr);
        self
    }

    /// What the guest may do on the network.
    pub fn network(mut self, policy: impl Into<Arc<Policy>>) -> GuestBuilder {
        self.network = policy.into();
        self
    }

    /// Called for each network access that was refused, once per distinct one.
    pub fn on_denied(mut self, f: impl Fn(&Denied) + Send + Sync + 'static) -> GuestBuilder {
        self.on_denied = Some(Arc::new(f));
        self
    }

    /// Counts what the guest does in `stats`.
    pub fn stats(mut self, stats: &Stats) -> GuestBuilder {
        self.stats = stats.clone();
        self
    }

    /// Limits the guest's memory, in bytes, of all its memories together. Growing
    /// beyond fails in the guest as memory running out does.
    pub fn max_memory(mut self, bytes: usize) -> GuestBuilder {
        self.most.memory = bytes;
        self
    }

    /// Limits the elements of the guest's tables, of all together: a million
    /// unless this is called. Growing beyond fails in the guest.
    pub fn max_table_elements(mut self, elements: usize) -> GuestBuilder {
        self.most.table_elements = elements;
        self
    }

    /// Limits the sockets open at a time. Beyond, the guest gets `EMFILE`.
    /// Components are limited only by the host's own limit on open files.
    pub fn max_sockets(mut self, sockets: usize) -> GuestBuilder {
        self.max_sockets = sockets;
        self
    }

    /// Stops the guest after this time.
    pub fn timeout(mut self, limit: Duration) -> GuestBuilder {
        self.timeout = Some(limit);
        self
    }

    /// Stops the guest when it has executed so much: a unit is an instruction, more or less. Two runs that
    /// are given the same burn the same, whatever else the machine does; time that is spent waiting is free.
    ///
    /// The fuel is for all calls of an [`Instance`] together. It takes an engine that
    /// [meters](crate::EngineBuilder::meter_fuel).
    pub fn fuel(mut self, units: u64) -> GuestBuilder {
        self.fuel = Some(units);
        self
    }

    /// Makes the guest yield to others whenever it has burnt so much, at least 1, besides the ticks of the
    /// clock that make every guest yield. It takes an engine that [meters](crate::EngineBuilder::meter_fuel).
    pub fn yield_after_fuel(mut self, units: u64) -> GuestBuilder {
        self.fuel_slice = Some(units.max(1));
        self
    }

    /// Sets the guest up.
    ///
    /// # Errors
    ///
    /// [`Error::NotMetered`] when fuel is spoken of and the engine does not count it;
    /// [`Error::Open`] when a granted folder cannot be opened, [`Error::Listener`] when a listener cannot be
    /// handed over, as to a component: WASI 0.2 has no descriptors.
    pub fn build(mut self) -> Result<Guest, Error> {
        let begun = Instant::now();
        let clock = Monotonic::new();
        self.wasi.monotonic_clock(clock);
        for (host, guest) in self.dirs {
            self.wasi.preopened_dir(&host, guest, FsPerms::ReadWrite).map_err(|e| {
                let source = e.downcast().unwrap_or_else(|e| std::io::Error::other(e.to_string()));
                Error::Open { path: host, source }
            })?;
        }
        let mut sockets = Table::new(self.max_sockets);
        if !self.listeners.is_empty() {
            if self.program.is_component() {
                return Err(Error::Listener(io::Error::other(NO_DESCRIPTORS)));
            }
            self.wasi.env("LISTEN_FDS", self.listeners.len().to_string());
        }
        for listener in self.listeners {
            sockets.give(Socket::listening(listener).map_err(Error::Listener)?);
        }
        // The parts that a component is composed of are instances, too.
        let instances = if self.program.is_component() { 1000 } else { 1 };
        let names = Names::new(Grants::new(self.network.clone(), self.on_denied.clone()));
        names.guard(&mut self.wasi);
        let (signals, heard) = Signals::new();
        let state = State {
            names,
            wasi: self.wasi.build_p1(),
            sockets,
            grants: Grants::new(self.network, self.on_denied),
            signals: heard,
            limits: Limits::new(self.most, instances, self.stats.clone()),
            stats: self.stats,
            clock,
            fuel: self.fuel.unwrap_or(u64::MAX),
            memory: None,
            poll: Scratch::default(),
            streak: 0,
        };
        let mut store = Store::new(self.program.engine().wasmtime(), state);
        store.limiter(|state| &mut state.limits);
        if self.program.engine().meters_fuel() {
            store.set_fuel(self.fuel.unwrap_or(u64::MAX)).map_err(Error::Engine)?;
            store.fuel_async_yield_interval(self.fuel_slice).map_err(Error::Engine)?;
        } else if self.fuel.is_some() || self.fuel_slice.is_some() {
            return Err(Error::NotMetered);
        }
        store.set_epoch_deadline(1);
        // tokio's own way to yield lets its driver run too, so that timers and
        // sockets of others do not wait for a guest that computes.
        store
            .epoch_deadline_callback(|_| Ok(UpdateDeadline::YieldCustom(1, Box::pin(yield_now()))));
        store.data().stats.took_to_start(begun.elapsed());
        Ok(Guest { program: self.program, signals, store, timeout: self.timeout })
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("program", &self.program).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for GuestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestBuilder").field("program", &self.program).finish_non_exhaustive()
    }
}
