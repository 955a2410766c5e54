//! The template of a backend, and the backend of every target that has none: it compiles anywhere, and everything that
//! needs a host is `Unsupported`.
//!
//! To add a target, copy this folder, write `socket.rs` and `lookup.rs`, state the facts in [`HOST`], and select the copy in
//! `sys/mod.rs`. What the target lacks stays as it is here: other targets use `process.rs` and `unix.rs` as well.

mod lookup;
mod process;
mod socket;
#[cfg(test)]
mod tests;
mod unix;

pub(crate) const HOST: Host = Host {
    reports_unasked: false,
    resolves_localhost: false,
    resolver: Resolver::Never,
    denies_by_default: false,
    runs_on_wasmtime: false,
};

/// What this target adds to public modules.
pub(crate) mod public {
    /// Of the crate.
    pub(crate) mod root {}

    /// Of the module `unix`.
    pub(crate) mod unix {}
}

use super::{Host, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use unix::{UnixAddr, unix_addr};
