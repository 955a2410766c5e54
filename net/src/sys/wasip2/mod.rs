//! The backend for WASI 0.2: `wasi:sockets`. TCP uses the imports that `host.rs` declares, for size; names and UDP use
//! the published bindings.
//!
//! A socket is a resource of the host with children: streams, and the pollables for waiting. A child must be dropped
//! before its parent, which the order of fields ensures. There are no descriptors: `table.rs` creates numbers for
//! programs that need some.
//!
//! Limits: options and operations that `wasi:sockets` does not have are `Unsupported`: lingering, multicast, broadcast,
//! most options. This backend implements peeking by keeping the bytes for the next read. It finds out in the same way
//! whether the end is near, for programs that ask for readiness. `SO_REUSEADDR` is always on, as the interface says.
//! `TCP_NODELAY` is left to the host, and reads as it was set.

mod ahead;
mod convert;
mod host;
#[cfg(wasio_c_sockets)]
mod libc;
#[cfg(not(wasio_c_sockets))]
#[path = "no_libc.rs"]
mod libc;
mod lookup;
#[path = "../shell/process.rs"]
mod process;
mod raw;
mod socket;
mod table;
mod tcp;
mod udp;
#[path = "../shell/unix.rs"]
mod unix;
#[path = "../wasi/mod.rs"]
mod wasi;

pub(crate) const HOST_NET: HostNet = HostNet {
    reports_unasked: false,
    resolves_localhost: false,
    resolver: Resolver::Never,
    denies_by_default: true,
    runs_on_wasmtime: true,
};

/// The items that this target adds to public modules.
pub(crate) mod public {
    /// Items of the crate's root.
    pub(crate) mod root {
        pub use super::super::wasi::raw;
    }

    /// Items of the module `unix`.
    pub(crate) mod unix {}
}

use super::{HostNet, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use table::Borrowed;
pub(crate) use unix::{UnixAddr, unix_addr};
