//! A guest: one run of a program.

use std::sync::Arc;
use std::time::Duration;

use wasmtime::Store;

use crate::builder::GuestBuilder;
use crate::call::{drive, note_fuel};
use crate::error::Error;
use crate::events::Life;
use crate::exit::Exit;
use crate::instance::Instance;
use crate::program::Program;
use crate::signals::Signals;
use crate::stats::Stats;
use crate::{p1, p2};

/// A guest that is set up and has not started yet. [`Guest::builder`] creates it.
///
/// # Examples
///
/// ```
/// use wasio_host::{Engine, Guest, Program};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
/// #     (memory (export "memory") 1)
/// #     (func (export "_start") (call $exit (i32.const 3))))"#)?;
/// let engine = Engine::new()?;
/// let program = Program::new(&engine, &wasm)?;
/// let exit = Guest::builder(&program).build()?.run().await?;
/// assert_eq!(exit.code(), 3);
/// # Ok(())
/// # }
/// ```
pub struct Guest {
    pub(crate) program: Program,
    pub(crate) signals: Signals,
    pub(crate) stats: Stats,
    pub(crate) run: Run,
    /// The initial fuel.
    pub(crate) fuel: u64,
    pub(crate) timeout: Option<Duration>,
}

/// The program that a guest runs, and its store.
pub(crate) enum Run {
    Module(Arc<p1::program::Program>, Store<p1::state::State>),
    Component(Arc<p2::program::Program>, Store<p2::state::State>),
}

impl Guest {
    /// Starts to set up a guest of `program`.
    pub fn builder(program: &Program) -> GuestBuilder {
        GuestBuilder::new(program)
    }

    /// Returns the guest's counters. They can be read while the guest runs and afterwards.
    pub fn stats(&self) -> Stats {
        self.stats.clone()
    }

    /// Returns a handle that sends signals to the guest while it runs.
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

    /// Runs the guest until it exits.
    ///
    /// Whenever the guest waits, its stack is suspended and the future is pending. A guest that only computes yields
    /// every few milliseconds. Poll the future within a tokio runtime that has I/O and time enabled.
    ///
    /// # Errors
    ///
    /// - [`Error::NoStart`] if the module is a library.
    /// - [`Error::Start`] if the guest could not be instantiated.
    /// - [`Error::Listener`] if a listener could not be registered with tokio.
    /// - [`Error::Trap`] if the guest trapped.
    /// - [`Error::TimedOut`] if its time limit was reached, and [`Error::OutOfFuel`] if its fuel was used up.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the guest: its stack is unwound, and its sockets and files are closed.
    pub async fn run(self) -> Result<Exit, Error> {
        let Guest { program, stats, run, fuel, timeout, .. } = self;
        let engine = program.engine();
        let ticker = engine.ticker();
        let (mut life, result) = match run {
            Run::Module(program, mut store) => {
                store.data_mut().sockets.register_listeners().map_err(Error::Listener)?;
                let host = engine.linker().map_err(Error::Engine)?;
                let life = Life::begin(&stats);
                let run = drive(program.run(host, &mut store), &ticker, &stats, timeout);
                let result = run.await.flatten();
                note_fuel(&store, fuel, &stats);
                (life, result)
            }
            Run::Component(program, mut store) => {
                let life = Life::begin(&stats);
                let run = drive(program.run(&mut store), &ticker, &stats, timeout);
                let result = run.await.flatten();
                note_fuel(&store, fuel, &stats);
                (life, result)
            }
        };
        life.ended(result.as_ref().copied());
        result
    }

    /// Creates an instance of a module, so that its exports can be called one by one. If the module exports a function
    /// `_initialize`, as reactors of WASI do, that is called first.
    ///
    /// # Errors
    ///
    /// - [`Error::Start`] if the module cannot be instantiated, or if the program is a component.
    /// - [`Error::Listener`], [`Error::Trap`], [`Error::TimedOut`] and [`Error::OutOfFuel`] as for [`run`](Self::run).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future ends the guest, as for [`run`](Self::run).
    pub async fn instantiate(self) -> Result<Instance, Error> {
        let Guest { program, stats, run, fuel, timeout, .. } = self;
        let Run::Module(module, mut store) = run else {
            let why = "exports of a component cannot be called by name: run the component";
            return Err(Error::Start(wasmtime::Error::msg(why)));
        };
        store.data_mut().sockets.register_listeners().map_err(Error::Listener)?;
        let ticker = program.engine().ticker();
        let host = program.engine().linker().map_err(Error::Engine)?;
        let mut life = Life::begin(&stats);
        let initialized = module.initialize(host, &mut store);
        let instance = drive(initialized, &ticker, &stats, timeout).await.flatten();
        note_fuel(&store, fuel, &stats);
        match instance {
            Ok(instance) => Ok(Instance::new(store, instance, ticker, fuel, timeout, life)),
            Err(error) => {
                life.ended(Err(&error));
                Err(error)
            }
        }
    }
}

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("program", &self.program).finish_non_exhaustive()
    }
}
