//! The native backend: the system's sockets, through rustix.
//!
//! It is for development: it follows the OS's behaviour and adds nothing.

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

pub(crate) const HOST_NET: HostNet = HostNet {
    reports_unasked: true,
    resolves_localhost: true,
    resolver: Resolver::IfNamed,
    denies_by_default: false,
    runs_on_wasmtime: false,
};

/// The items that this target adds to public modules.
pub(crate) mod public {
    /// Items of the crate's root.
    pub(crate) mod root {}

    /// Items of the module `unix`.
    pub(crate) mod unix {
        pub use super::super::pipe;
    }
}

use super::{HostNet, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use unix::{UnixAddr, unix_addr};
