//! The native backend: the system's sockets, through rustix.
//!
//! For development; it follows what the OS does and adds nothing.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod device;
#[path = "../fd.rs"]
mod fd;
mod lookup;
mod pipe;
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

/// The public items that only this target has.
pub(crate) mod os {}

use super::{Host, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use pipe::{End, Pipe};
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use unix::{UnixAddr, unix_addr};
