//! WASI 0.2: what components import, and how they run.

mod addresses;
mod counted;
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
mod sockets;
pub(crate) mod state;
mod streams;
