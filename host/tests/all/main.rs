//! Tests of the host through its public API: guests written in Rust
//! (`tests/guest`) and in the text format run against servers on loopback.

mod armed;
mod cache;
mod components;
mod datagrams;
mod events;
#[cfg(target_os = "linux")]
mod files;
mod fuzz;
mod grants;
mod growth;
mod hostile;
mod imports;
mod lengths;
mod limits;
mod linger;
mod linking;
mod lists;
mod pointers;
mod poll;
mod pool;
mod signals;
mod soak;
mod sockets;
mod support;
mod suspended;
mod turns;
