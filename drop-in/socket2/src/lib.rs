//! The part of socket2 that network crates call, over wasio's sockets.
//!
//! This package is put in socket2's place with `[patch.crates-io]`, beside the drop-in `tokio`: hyper-util,
//! tonic, redis, tokio-postgres and others make or configure sockets with socket2 and hand them to tokio.
//! Published socket2 does not compile for wasm32-wasip1, and on wasm32-wasip2 its sockets are the C
//! library's, which wasio cannot wait for.
//!
//! What is here is what those crates use, with upstream's names and meanings; it is a subset on every target.
//!
//! # On WASI
//!
//! Sockets never block, so `connect` only begins to connect, and [`Socket::set_nonblocking`] refuses
//! `false`. What the host lacks is [`Unsupported`](std::io::ErrorKind::Unsupported); the times of
//! [`TcpKeepalive`] are ignored on wasip1, where the host has none.

mod address;
mod kinds;
mod options;
mod socket;

pub use address::SockAddr;
pub use kinds::{Domain, Protocol, TcpKeepalive, Type};
pub use socket::{SockRef, Socket};
