//! Runs WASI guests as futures on tokio.
//!
//! An [`Engine`] compiles a [`Program`]. A [`Guest`] is one run of it. When a guest waits for a socket, a name, a
//! clock, standard input, or several of these in `poll_oneoff`, its stack is suspended and its thread is free for
//! others. Guests in blocking style and guests with a runtime of their own share one thread.
//!
//! Guests are modules of WASI preview 1 (`wasm32-wasip1`), which also get the socket interface of WasmEdge, and
//! components of WASI 0.2 (`wasm32-wasip2`). A guest can do nothing that was not granted: grant directories with
//! [`GuestBuilder::dir`], and the network with [`GuestBuilder::network`].
//!
//! ```no_run
//! use wasio_host::{Engine, Guest, Policy, Program};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let engine = Engine::new()?;
//! let program = Program::from_file(&engine, "echo.wasm")?;
//! let guest = Guest::builder(&program)
//!     .arg("echo")
//!     .inherit_stdio()
//!     .network("listen:127.0.0.1:7000".parse::<Policy>()?)
//!     .build()?;
//! let exit = guest.run().await?;
//! println!("exit code {}", exit.code());
//! # Ok(())
//! # }
//! ```
//!
//! [`Imports`] provides functions of your own to guests, including async ones. An [`Instance`] calls the exports of a
//! library.

mod builder;
mod cache;
mod call;
mod clock;
#[doc(hidden)]
pub mod code_folders;
mod engine;
mod error;
mod events;
mod exit;
#[doc(hidden)]
pub mod folder;
mod format;
mod fuel;
mod grants;
mod guest;
mod imports;
mod instance;
mod limits;
mod opening;
#[cfg(unix)]
mod output;
mod p1;
mod p2;
mod permits;
mod policy;
mod pool;
mod printable;
mod program;
mod resolve;
mod sealed;
mod setup;
mod signals;
mod sink;
mod stats;
mod ticker;
mod wasi;

pub use builder::GuestBuilder;
pub use engine::{Engine, EngineBuilder};
pub use error::{Error, Trap};
pub use exit::Exit;
pub use guest::Guest;
pub use imports::{AsyncHostFunc, AsyncHostFuncWithEnv, Caller, Definition, HostFunc, Imports};
pub use instance::Instance;
pub use policy::{Denied, Policy, Rule, RuleError};
pub use printable::Printable;
pub use program::Program;
pub use signals::{Signal, Signals};
pub use sink::Receive;
pub use stats::{Snapshot, Stats};
/// The engine underneath. Its values and types appear in this crate's interface.
pub use wasmtime;
/// Standard streams of a guest: the traits, and implementations for files, buffers and the streams of this process.
pub use wasmtime_wasi::cli as stdio;
/// Pipes in memory, usable as standard streams.
pub use wasmtime_wasi::p2::pipe;

/// The types that most embedding programs need.
pub mod prelude {
    pub use crate::{Caller, Engine, Error, Exit, Guest, Imports, Instance, Policy, Program};
    pub use wasmtime::{Val, ValType};
}
