//! WASI 0.2: what components import.

pub(crate) mod counted;
pub(crate) mod filesystem;
pub(crate) mod lingering;
pub(crate) mod link;
pub(crate) mod lookups;
pub(crate) mod sockets;
pub(crate) mod streams;
