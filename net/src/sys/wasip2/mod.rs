//! The backend for WASI 0.2: `wasi:sockets`, through the published bindings.
//!
//! A socket is a resource of the host with children: streams, and the pollables by which one waits for them.
//! A child must be dropped before its parent, which is what the order of fields is for. There are no
//! descriptors: `table.rs` makes numbers for those who need some.
//!
//! Limits: what `wasi:sockets` does not have is `Unsupported`: lingering, multicast, broadcast, most options.
//! Peeking is done here, by keeping what was read for the next read; so is finding out, for those who ask
//! what is ready, whether the end is near. `SO_REUSEADDR` is always on, as the
//! interface says; `TCP_NODELAY` is the host's affair, and reads as it was set.

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

pub(crate) const HOST: Host = Host {
    reports_unasked: false,
    resolves_localhost: false,
    resolver: Resolver::Never,
    denies_by_default: true,
    runs_on_wasmtime: true,
};

/// What this target adds to public modules.
pub(crate) mod public {
    /// Of the crate.
    pub(crate) mod root {
        pub use super::super::wasi::raw;
    }

    /// Of the module `unix`.
    pub(crate) mod unix {}
}

use super::{Host, Resolver};

pub(crate) use lookup::lookup;
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::Socket;
pub(crate) use table::Borrowed;
pub(crate) use unix::{UnixAddr, unix_addr};
