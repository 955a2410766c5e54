//! Errors, worded for the person who runs the guest.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use wasmtime::{PoolConcurrencyLimitError, WasmBacktrace};

use crate::exit::Exit;
use crate::printable::Printable;

/// The maximum length of a sentence that contains names chosen by the guest.
const SENTENCE: usize = 1024;

/// Why a program could not be loaded, or why a guest did not exit by itself.
///
/// Names that a guest chose are [printable](Printable) in the text of an error.
///
/// # Examples
///
/// ```
/// use wasio_host::{Engine, Error, Program};
///
/// let engine = Engine::new()?;
/// let error = Program::new(&engine, b"#!/bin/sh").unwrap_err();
/// assert!(matches!(error, Error::NotAModule { .. }));
/// // The text says what the file is and what to do.
/// eprintln!("{error}");
/// # Ok::<(), wasio_host::Error>(())
/// ```
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine could not be set up.
    #[error("cannot set up the WebAssembly engine: {0:#}")]
    Engine(wasmtime::Error),
    /// A file or folder could not be opened.
    #[error("cannot open {}: {source}", sentence(.path.display()))]
    Open {
        /// The file or folder.
        path: PathBuf,
        /// Why it could not be opened.
        source: io::Error,
    },
    /// A folder may not be granted to a guest.
    #[error("cannot give the guest the folder {}: {reason}", path.display())]
    Grant {
        /// The folder.
        path: PathBuf,
        /// Why it may not be granted, and what to do instead.
        reason: String,
    },
    /// An argument or variable cannot be passed to a guest unchanged.
    #[error("cannot give the guest {what}: {reason}")]
    Text {
        /// The argument or variable.
        what: String,
        /// Why it cannot be passed.
        reason: &'static str,
    },
    /// A listener could not be handed to the guest.
    #[error("cannot give the guest a listener: {0}")]
    Listener(io::Error),
    /// The bytes are neither a WebAssembly module nor a component.
    #[error("{what}; {hint}")]
    NotAModule {
        /// The kind of file that the bytes are.
        what: &'static str,
        /// The advice.
        hint: &'static str,
    },
    /// The program is invalid, or uses WebAssembly features that are not enabled.
    #[error("cannot compile the program: {}", chain(.0))]
    Compile(wasmtime::Error),
    /// The module imports something that is not provided.
    #[error(
        "the module imports `{}.{}` of type {}, which this host does not provide: {}",
        label(.module), label(.name), label(.ty), sentence(.reason)
    )]
    MissingImport {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
        /// Its type, as the module declares it.
        ty: String,
        /// Why it is not provided, or what is provided instead.
        reason: String,
    },
    /// The component imports something that is not provided, or exports no
    /// `wasi:cli/run`.
    #[error("the component does not fit this host: {}", chain(.0))]
    MissingInterface(wasmtime::Error),
    /// The module exports no `_start`, so it cannot be run.
    #[error("the module exports no function `_start`: it is a library, not a program")]
    NoStart,
    /// The engine's pool has no room for another guest.
    #[error("no room for another guest: {0}; raise the number given to `EngineBuilder::pool`")]
    PoolExhausted(PoolConcurrencyLimitError),
    /// The guest could not be instantiated, for example because memory ran out.
    #[error("cannot start the guest: {}{hint}", chain(.0), hint = hint(.0))]
    Start(wasmtime::Error),
    /// The guest trapped.
    #[error("{0}")]
    Trap(Trap),
    /// The guest exited during a call of one of its exports.
    #[error("the guest exited with code {} during a call", .0.code())]
    Exited(Exit),
    /// The module exports no function of this name and type.
    #[error("the guest exports no function `{}` that can be called this way: {}", label(.name), sentence(.reason))]
    NotExported {
        /// The function's name.
        name: String,
        /// Why it cannot be called: it does not exist, or has another type.
        reason: String,
    },
    /// Two functions were provided under one name.
    #[error("the import `{}.{}` is already provided", label(.module), label(.name))]
    Duplicate {
        /// The import's module.
        module: String,
        /// The import's name.
        name: String,
    },
    /// A call that must not wait reached an async import that was not ready.
    #[error(
        "the call of `{name}` reached an async import that must wait, and was ended: use `call_async`"
    )]
    Suspended {
        /// The function that was called.
        name: String,
    },
    /// An earlier call of the instance did not return, so the instance cannot be called again.
    #[error(
        "an earlier call of this instance did not return, so the instance cannot be called again"
    )]
    Poisoned,
    /// The guest used up its fuel.
    #[error("the guest was stopped: it ran out of fuel")]
    OutOfFuel,
    /// A guest was given fuel, and its engine does not meter.
    #[error("the engine does not meter fuel: build it with `EngineBuilder::meter_fuel`")]
    NotMetered,
    /// The guest reached its time limit.
    #[error("the guest was stopped: it ran longer than {0:?}")]
    TimedOut(Duration),
}

impl Error {
    /// A guest could not be instantiated, or given a stack.
    pub(crate) fn start(error: wasmtime::Error) -> Error {
        match error.downcast::<PoolConcurrencyLimitError>() {
            Ok(limit) => Error::PoolExhausted(limit),
            Err(error) => Error::Start(error),
        }
    }
}

fn label(text: &str) -> Printable<'_> {
    Printable::new(text)
}

fn sentence(text: impl std::fmt::Display) -> String {
    Printable::new(&text.to_string()).at_most(SENTENCE).to_string()
}

fn chain(error: &wasmtime::Error) -> String {
    sentence(format_args!("{error:#}"))
}

/// Returns advice for errors whose text from the kernel gives none.
fn hint(error: &wasmtime::Error) -> &'static str {
    #[cfg(target_os = "linux")]
    if error.chain().any(|e| e.downcast_ref() == Some(&rustix::io::Errno::NOMEM)) {
        return "; with thousands of guests, the kernel's limit on mappings (vm.max_map_count) may be too low: \
                raise it, or use `EngineBuilder::pool`";
    }
    let _ = error;
    ""
}

/// The reason why a guest was ended by its own code: a panic, an access out of bounds, an unreachable instruction.
///
/// # Examples
///
/// ```
/// use wasio_host::{Engine, Error, Guest, Program};
///
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let wasm = wat::parse_str(r#"(module
/// #     (memory (export "memory") 1)
/// #     (func $fails (export "_start") unreachable))"#)?;
/// let engine = Engine::new()?;
/// let program = Program::new(&engine, &wasm)?;
/// match Guest::builder(&program).build()?.run().await {
///     Err(Error::Trap(trap)) => eprintln!("{} in {:?}", trap.reason(), trap.frames().first()),
///     other => panic!("it traps, {other:?}"),
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Trap {
    reason: String,
    frames: Vec<String>,
}

impl Trap {
    pub(crate) fn new(error: &wasmtime::Error) -> Trap {
        let reason = match error.downcast_ref::<wasmtime::Trap>() {
            Some(trap) => trap.to_string(),
            None => error.root_cause().to_string(),
        };
        let frames = error.downcast_ref::<WasmBacktrace>().map(|backtrace| {
            let name = |frame: &wasmtime::FrameInfo| match frame.func_name() {
                Some(name) => {
                    let name = format!("{:#}", rustc_demangle::demangle(name));
                    Printable::new(&name).to_string()
                }
                None => format!("<function {}>", frame.func_index()),
            };
            backtrace.frames().iter().map(name).collect()
        });
        Trap { reason: sentence(reason), frames: frames.unwrap_or_default() }
    }

    /// Returns the reason, in wasmtime's words. The text is [printable](Printable).
    pub fn reason(&self) -> &str {
        &self.reason
    }

    /// Returns the functions that were executing, innermost first. Names are demangled and [printable](Printable).
    pub fn frames(&self) -> &[String] {
        &self.frames
    }
}

impl std::fmt::Display for Trap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the guest trapped: {}", self.reason)?;
        if !self.frames.is_empty() {
            f.write_str("\nwasm backtrace, innermost first:")?;
        }
        for (i, frame) in self.frames.iter().enumerate() {
            write!(f, "\n{i:>4}: {frame}")?;
        }
        Ok(())
    }
}
