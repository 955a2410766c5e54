//! WASI 0.2: the imports of components, and running components.

mod addresses;
#[cfg(unix)]
mod directories;
mod filesystem;
mod lingering;
pub(crate) mod link;
mod lookups;
mod open_sockets;
mod paths;
mod polls;
pub(crate) mod program;
mod random;
mod signals;
mod socket_stats;
mod sockets;
pub(crate) mod state;
mod streams;
