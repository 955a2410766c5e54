//! WASI preview 1, and WasmEdge's socket interface: what modules import, and how they run.

pub(crate) mod abi;
mod bulk;
mod clock;
mod errno;
mod files;
mod folders;
mod frame;
pub(crate) mod link;
#[cfg_attr(not(all(target_os = "linux", target_pointer_width = "64")), path = "listing_whole.rs")]
mod listing;
mod memory;
mod poll;
mod pollable;
pub(crate) mod program;
mod random;
mod sockets;
pub(crate) mod state;
pub(crate) mod trampoline;
mod wasi;
