//! The backend for WASI preview 1: WasmEdge's socket imports, which `wasio run` offers too.
//!
//! The imports are declared here rather than taken from the crate `wasmedge_wasi_socket`. That crate cannot connect to
//! IPv6 addresses, leaves ports in the wrong byte order, passes one buffer where several are given, shuts connections
//! down when they are dropped, and brings a DNS client and a random number generator along. Where an import exists in
//! two versions, the chosen one is accepted by every host that has these imports: standard `sock_accept` with flags,
//! `sock_recv_from` with a port.
//!
//! Limits: an IPv6 address loses its flow and scope; `lookup` blocks the guest; the only options are those of
//! `SOL_SOCKET`, and on `wasio run` also `TCP_NODELAY`.

mod address;
mod imports;
mod lookup;
mod options;
#[path = "../shell/process.rs"]
mod process;
mod raw;
mod socket;
mod unix;
#[path = "../wasi/mod.rs"]
mod wasi;

pub(crate) const HOST_NET: HostNet = HostNet {
    reports_unasked: false,
    resolves_localhost: false,
    resolver: Resolver::IfConfigured,
    denies_by_default: true,
    runs_on_wasmtime: false,
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
pub(crate) use raw::Borrowed;
pub(crate) use socket::Socket;
pub(crate) use unix::{UnixAddr, unix_addr};
