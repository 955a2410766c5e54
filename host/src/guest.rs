//! A guest: one run of a program.

use std::time::{Duration, Instant};

use wasmtime::{Extern, ExternType, Module, Store};
use wasmtime_wasi::I32Exit;
use wasmtime_wasi::p2::bindings::CommandPre;

use crate::builder::GuestBuilder;
use crate::error::{Error, Trap};
use crate::events::Life;
use crate::instance::{Instance, drive};
use crate::p1::link::MODULE;
use crate::p1::shortcut;
use crate::program::{Code, Program, Source};
use crate::signals::Signals;
use crate::state::{Exited, State};
use crate::stats::Stats;

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
    pub(crate) store: Store<State>,
    pub(crate) timeout: Option<Duration>,
}

/// How a guest exited. The default is success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exit {
    code: i32,
}

impl Exit {
    /// Returns the exit code. It is 0 if the guest returned from `main`.
    pub fn code(self) -> i32 {
        self.code
    }

    /// Returns whether the code is 0.
    pub fn success(self) -> bool {
        self.code == 0
    }
}

impl Guest {
    /// Starts to set up a guest of `program`.
    pub fn builder(program: &Program) -> GuestBuilder {
        GuestBuilder::new(program)
    }

    /// Returns the guest's counters. They can be read while the guest runs and afterwards.
    pub fn stats(&self) -> Stats {
        self.store.data().tally.stats().clone()
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
    /// Whenever the guest waits, its stack is suspended and the future is pending. A guest that only computes yields every
    /// few milliseconds. Poll the future within a tokio runtime that has I/O and time enabled.
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
        let Guest { program, mut store, timeout, .. } = self;
        store.data_mut().sockets.register_listeners().map_err(Error::Listener)?;
        let (ticker, stats) = (program.engine().ticker(), store.data().tally.stats().clone());
        let mut life = Life::begin(&stats);
        let result = drive(call(&program, &mut store), &ticker, &stats, timeout).await.flatten();
        note_fuel(&store);
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
        let Guest { program, mut store, timeout, .. } = self;
        let Code::Module { module, .. } = program.code() else {
            let why = "exports of a component cannot be called by name: run the component";
            return Err(Error::Start(wasmtime::Error::msg(why)));
        };
        store.data_mut().sockets.register_listeners().map_err(Error::Listener)?;
        let (ticker, stats) = (program.engine().ticker(), store.data().tally.stats().clone());
        let initialized = async {
            let imports = externs(&program, &mut store).await?;
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
        let State { tally, fuel, .. } = store.data();
        tally.stats().burnt(fuel.saturating_sub(left));
    }
}

async fn call(program: &Program, store: &mut Store<State>) -> Result<Exit, Error> {
    let begun = Instant::now();
    match program.code() {
        Code::Module { module, .. } => {
            if !matches!(module.get_export("_start"), Some(ExternType::Func(_))) {
                return Err(Error::NoStart);
            }
            let imports = externs(program, store).await?;
            call_module(module, &imports, store, begun).await
        }
        Code::Component(command) => call_component(command, store, begun).await,
    }
}

/// What a module imports, in this store.
async fn externs(program: &Program, store: &mut Store<State>) -> Result<Vec<Extern>, Error> {
    let Code::Module { imports, own, shortcuts, .. } = program.code() else {
        return Ok(Vec::new());
    };
    let host = program.engine().linker().map_err(Error::Engine)?;
    let shortcuts = match shortcuts {
        Some(module) => {
            Some(shortcut::instantiate(module, host, store).await.map_err(Error::start)?)
        }
        None => None,
    };
    let mut get = |source: &Source| match source {
        Source::Host(key) => host.get(&mut *store, MODULE, key),
        Source::Quick(key) => shortcuts
            .and_then(|shortcuts| shortcuts.get_export(&mut *store, key))
            .ok_or_else(|| wasmtime::Error::msg(format!("{key} has no shortcut"))),
        Source::Own(module, name) => own.linker().get(&mut *store, module, name),
    };
    imports.iter().map(&mut get).collect::<wasmtime::Result<_>>().map_err(Error::Start)
}

async fn instantiate(
    module: &Module,
    imports: &[Extern],
    store: &mut Store<State>,
) -> Result<wasmtime::Instance, Error> {
    let instance = wasmtime::Instance::new_async(&mut *store, module, imports).await;
    let instance = instance.map_err(|e| {
        // What the module's own code did, in its start function.
        if e.is::<wasmtime::WasmBacktrace>() { trapped(e) } else { Error::start(e) }
    })?;
    store.data_mut().memory = instance.get_memory(&mut *store, "memory");
    Ok(instance)
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
    store.data().tally.stats().took_to_start(begun.elapsed());
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
    store.data().tally.stats().took_to_start(begun.elapsed());
    let result = command.wasi_cli_run().call_run(&mut *store).await;
    #[cfg(unix)]
    for output in store.data().outputs.clone() {
        output.settle().await;
    }
    store.data().opened.lingering.clone().settle().await;
    let code = match result {
        Ok(result) => i32::from(result.is_err()),
        Err(e) => match e.downcast_ref::<I32Exit>() {
            Some(exit) => exit.0,
            None => return ended(e),
        },
    };
    // A failure has no code of its own; it may have been announced.
    let announced = store.data().exit_code.filter(|_| code == 1);
    Ok(Exit { code: announced.map_or(code, i32::from) })
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

impl std::fmt::Debug for Guest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Guest").field("program", &self.program).finish_non_exhaustive()
    }
}
