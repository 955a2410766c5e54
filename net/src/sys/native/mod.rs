//! The native backend: the system's sockets, through rustix.
//!
//! For development; it follows what the OS does and adds nothing.

mod api;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod device;
#[path = "../fd.rs"]
mod fd;
mod lookup;
pub mod pipe;
mod process;
mod socket;
mod unix;

pub(crate) const HOST: Host = Host {
    reports_unasked: true,
    resolves_localhost: true,
    resolver: Resolver::IfNamed,
    denies_by_default: false,
    runs_on_wasmtime: false,
};

/// What this target adds to public modules.
pub(crate) mod public {
    /// Of the crate.
    pub(crate) mod root {}

    /// Of the module `unix`.
    pub(crate) mod unix {
        pub use super::super::pipe;
    }
}

use super::{Host, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use unix::{UnixAddr, unix_addr};
