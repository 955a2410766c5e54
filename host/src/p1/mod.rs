//! WASI preview 1, and WasmEdge's socket interface: what modules import.

pub(crate) mod bulk;
pub(crate) mod errno;
pub(crate) mod files;
pub(crate) mod folders;
pub(crate) mod frame;
pub(crate) mod link;
pub(crate) mod memory;
pub(crate) mod poll;
pub(crate) mod shortcut;
pub(crate) mod sockets;
