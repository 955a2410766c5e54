//! The core of wasio: an async runtime with tokio's API for WebAssembly guests.
//!
//! Everything but sockets is here: the executor, the reactor over the host's way of waiting, timers, synchronisation,
//! I/O traits and combinators, files. Sockets are in `wasio-net`. Programs use neither by name: they use `wasio`, or
//! the drop-in named `tokio`, which re-export both.

mod context;
mod lock;
mod macros;
#[cfg(all(test, loom))]
mod models;
mod slab;
mod sys;

pub mod fs;
pub mod io;
#[doc(hidden)]
pub mod once;
pub mod reactor;
pub mod runtime;
pub mod signal;
pub mod sync;
pub mod task;
#[doc(hidden)]
pub mod text_error;
pub mod time;

#[doc(hidden)]
pub use macros::support as macro_support;
#[allow(unused_imports, unreachable_pub)] // Some targets have nothing of their own here.
pub use sys::public::root::*;

/// The items that only some targets have, apart from the rest, so that the crate `wasio` can re-export them without
/// naming a target. They are also in [`io`], [`signal`] and the root.
#[allow(unused_imports, unreachable_pub)] // Some targets have nothing of their own.
pub mod additions {
    /// Items of [`io`](crate::io).
    pub mod io {
        pub use crate::sys::public::io::*;
    }

    /// Items of the crate's root.
    pub mod root {
        pub use crate::sys::public::root::*;
    }

    /// Items of [`signal`](crate::signal).
    pub mod signal {
        pub use crate::sys::public::signal::*;
    }
}
