//! WasmEdge's socket imports, over the host's sockets.
//!
//! Each file is one group of imports. [`socket`] holds the sockets that they operate on, and [`table`] the guest's
//! numbers for them. The semantics follow WasmEdge's host (2026): buffers, families, the two versions of some calls.
//! Unix sockets are not offered (`AFNOSUPPORT`).

pub(crate) mod address;
pub(crate) mod armed;
mod buffers;
pub(crate) mod connect;
mod drain_predictor;
pub(crate) mod fast_path;
pub(crate) mod lookup;
pub(crate) mod open;
pub(crate) mod options;
pub(crate) mod ready_queue;
mod senders;
pub(crate) mod socket;
pub(crate) mod table;
pub(crate) mod transfer;
