//! The template of a backend, and the backend of every target that has none: it compiles anywhere, and everything that
//! needs a host is `Unsupported`.
//!
//! To add a target, copy this folder, write `socket.rs` and `lookup.rs`, state the facts in [`HOST_NET`], and select
//! the copy in `sys/mod.rs`. Features that the target lacks stay as they are here: other targets use `process.rs` and
//! `unix.rs` as well.

mod lookup;
mod process;
mod socket;
#[cfg(test)]
mod tests;
mod unix;

pub(crate) const HOST_NET: HostNet = HostNet {
    reports_unasked: false,
    resolves_localhost: false,
    resolver: Resolver::Never,
    denies_by_default: false,
    runs_on_wasmtime: false,
};

/// The items that this target adds to public modules.
pub(crate) mod public {
    /// Items of the crate's root.
    pub(crate) mod root {}

    /// Items of the module `unix`.
    pub(crate) mod unix {}
}

use super::{HostNet, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use unix::{UnixAddr, unix_addr};
