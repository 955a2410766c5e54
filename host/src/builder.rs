//! Everything a guest is given, collected before it starts.

use std::io;
use std::net::TcpListener;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::yield_now;
use wasmtime::{Store, UpdateDeadline};
use wasmtime_wasi::cli::{StdinStream, StdoutStream};
use wasmtime_wasi::{FsPerms, WasiCtxBuilder, WasiView as _};

use crate::clock::Monotonic;
use crate::component_sockets::Opened;
use crate::error::Error;
use crate::grants;
use crate::guest::Guest;
use crate::interfaces;
use crate::limits::{Limits, Most};
#[cfg(unix)]
use crate::output::Output;
use crate::policy::{Denied, Grants, OnDenied, Policy};
use crate::poll::Scratch;
use crate::program::Program;
use crate::signals::Signals;
use crate::sink::{Receive, Sink};
use crate::sockets::permits;
use crate::sockets::socket::Socket;
use crate::sockets::table::Table;
use crate::state::State;
use crate::stats::Stats;
use crate::wasi::Wasi;

/// How many sockets a guest may have open unless told otherwise, if the process may have so many descriptors.
const MAX_SOCKETS: usize = 1 << 16;

/// How many handles a component may have beside those of its sockets.
const HANDLES: usize = 100_000;

/// How many handles a component may have for each socket: itself, two streams, a pollable of each, as many while they are
/// lent to a call, and some to spare.
const HANDLES_PER_SOCKET: usize = 10;

const NO_DESCRIPTORS: &str = "a component of WASI 0.2 has no descriptors: let it bind the address itself, \
    or build it for wasm32-wasip1";

/// What a guest is given. By default that is nothing: no arguments, no
/// environment, no files, no network, stdin at its end, output discarded.
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
    most: Most,
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
            most: Most::default(),
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

    /// Sets a variable of the guest's environment. The last value that a name is given counts.
    pub fn env(mut self, name: impl AsRef<str>, value: impl AsRef<str>) -> GuestBuilder {
        let name = name.as_ref();
        self.env.retain(|(set, _)| set != name);
        self.env.push((name.to_owned(), value.as_ref().to_owned()));
        self
    }

    /// Grants the folder `host`, which the guest finds under `guest`.
    ///
    /// Refused are the folders whose files become code, those above them and those in them: the engine's cache folder,
    /// and the user's own, `wasio` in the cache folder or `$WASIO_CACHE`. This holds for engines without a cache, too:
    /// another process would run what the guest left there.
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
        self.stdout(Sink::always(f))
    }

    /// The same for standard error.
    pub fn on_stderr(self, f: impl FnMut(&[u8]) + Send + 'static) -> GuestBuilder {
        self.stderr(Sink::always(f))
    }

    /// The same for standard output, to somebody who may have to wait: only this guest is suspended meanwhile.
    pub fn stdout_to(self, to: impl Receive) -> GuestBuilder {
        self.stdout(Sink::new(to))
    }

    /// The same for standard error.
    pub fn stderr_to(self, to: impl Receive) -> GuestBuilder {
        self.stderr(Sink::new(to))
    }

    /// Gives the guest this process's standard streams. While an output takes no more, the guest is suspended.
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

    /// What the guest may do on the network.
    pub fn network(mut self, policy: impl Into<Arc<Policy>>) -> GuestBuilder {
        self.network = policy.into();
        self
    }

    /// Called for each network access that was refused, once per distinct one, for 256 of them. Further ones are
    /// [counted](crate::Snapshot::unreported_refusals).
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

    /// Limits the sockets open at a time. Beyond, a module gets `EMFILE` and a component `new-socket-limit`, and a
    /// connection that it would have accepted stays in the queue.
    ///
    /// Unless this is called it is 65,536, or what the process's limit on open files (`RLIMIT_NOFILE`, as it is when
    /// the guest is built) leaves if that is less. Whatever is said here, the guests of a process together get that
    /// limit less 64 descriptors (a quarter of it, if that is less), which are the host's own. A host that needs
    /// more, or whose guests must leave something to each other, sets this so that the sum fits.
    ///
    /// The handles that a component may have follow: 100,000, and ten for each of so many sockets.
    pub fn max_sockets(mut self, sockets: usize) -> GuestBuilder {
        self.max_sockets = Some(sockets);
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
    /// The fuel is for all calls of an [`Instance`](crate::Instance) together. It takes an engine that
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
    /// [`Error::Open`] when a granted folder cannot be opened, [`Error::Grant`] when it may not be granted, or when two
    /// folders are granted under one name; [`Error::Text`] when an argument or variable has a NUL, or a variable's name
    /// is empty or has a `=`; [`Error::Listener`] when a listener cannot be
    /// handed over, as to a component: WASI 0.2 has no descriptors.
    pub fn build(mut self) -> Result<Guest, Error> {
        let begun = Instant::now();
        let clock = Monotonic::new();
        self.wasi.monotonic_clock(clock);
        // Where it is called for files, see `wasi.rs`.
        self.wasi.allow_blocking_current_thread(true);
        let ours = self.program.engine().ours();
        grants::check_dirs(&self.dirs, ours)?;
        grants::check_args(&self.args)?;
        grants::check_env(&self.env)?;
        for (host, guest) in self.dirs {
            self.wasi.preopened_dir(&host, guest, FsPerms::ReadWrite).map_err(|e| {
                let source = e.downcast().unwrap_or_else(|e| std::io::Error::other(e.to_string()));
                Error::Open { path: host, source }
            })?;
        }
        let most = permits::most();
        let max_sockets = self.max_sockets.unwrap_or_else(|| most.min(MAX_SOCKETS));
        let mut sockets = Table::new(max_sockets, most);
        if !self.listeners.is_empty() {
            if self.program.is_component() {
                return Err(Error::Listener(io::Error::other(NO_DESCRIPTORS)));
            }
            self.env.retain(|(name, _)| name != "LISTEN_FDS");
            self.env.push(("LISTEN_FDS".to_owned(), self.listeners.len().to_string()));
        }
        self.wasi.args(&self.args);
        for (name, value) in &self.env {
            self.wasi.env(name, value);
        }
        for listener in self.listeners {
            sockets.give(Socket::listening(listener).map_err(Error::Listener)?);
        }
        // The parts that a component is composed of are instances, and so is what a module's imports are in.
        let instances = if self.program.is_component() { 1000 } else { 2 };
        let grants = Grants::new(self.network, self.on_denied).counted(&self.stats);
        interfaces::guard(&grants, &mut self.wasi);
        let (signals, heard) = Signals::new();
        let state = State {
            opened: Opened::new(max_sockets, most),
            wasi: Wasi::new(self.wasi.build_p1(), self.program.engine().threads()),
            #[cfg(unix)]
            outputs: self.outputs,
            sockets,
            grants,
            signals: heard,
            exit_code: None,
            limits: Limits::new(self.most, instances, self.stats.clone()),
            tally: self.stats.tally(),
            clock,
            fuel: self.fuel.unwrap_or(u64::MAX),
            memory: None,
            poll: Scratch::default(),
            polls_without_waiting: false,
            streak: 0,
        };
        let mut store = Store::new(self.program.engine().wasmtime(), state);
        store.limiter(|state| &mut state.limits);
        if self.program.is_component() {
            // Reaching it traps, so the limit of sockets has to come first.
            let handles = HANDLES.saturating_add(max_sockets.saturating_mul(HANDLES_PER_SOCKET));
            store.set_max_component_handles(handles);
            let table = store.data_mut().wasi.ctx().table;
            table.set_max_capacity(handles.max(table.max_capacity()));
        }
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
        store.data().tally.stats().took_to_start(begun.elapsed());
        Ok(Guest { program: self.program, signals, store, timeout: self.timeout })
    }
}

impl std::fmt::Debug for GuestBuilder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GuestBuilder").field("program", &self.program).finish_non_exhaustive()
    }
}
