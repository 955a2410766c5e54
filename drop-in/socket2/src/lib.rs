//! socket2 over wasio's sockets, for `[patch.crates-io]`.
//!
//! This package takes socket2's place beside the drop-in `tokio`: hyper-util, tonic, redis, tokio-postgres, quinn,
//! lettre and others create or configure sockets with socket2 and hand them to tokio. Published socket2 does not
//! compile for wasm32-wasip1, and on wasm32-wasip2 its sockets belong to the C library, whose descriptors wasio
//! cannot wait for.
//!
//! Every item that socket2 0.6 has on Linux exists on every target, with upstream's names, features and meanings.
//! Natively each is the system call of the same name, so the crate behaves as upstream's does. An option that a
//! system lacks is [`Unsupported`](std::io::ErrorKind::Unsupported).
//!
//! # On WASI
//!
//! An operation that a WASI host lacks fails with [`Unsupported`](std::io::ErrorKind::Unsupported), and the message
//! names it: multicast, raw and Unix sockets, control messages, and most options.
//!
//! - On wasm32-wasip1 sockets block until [`Socket::set_nonblocking`] says otherwise, as natively. A blocking call
//!   stops every task of the guest.
//! - On wasm32-wasip2 sockets never block. [`Socket::connect`] only begins to connect, [`Socket::set_nonblocking`]
//!   refuses `false`, and timeouts are unsupported. [`Socket::connect_timeout`] does wait.
//! - The times of [`TcpKeepalive`] are ignored on wasm32-wasip1, whose hosts have no such options.

// Items that only the feature `all` uses.
#![cfg_attr(not(feature = "all"), allow(dead_code, unreachable_pub, unused_imports))]

mod address;
mod kinds;
mod message;
mod options;
#[cfg(feature = "all")]
mod options_all;
mod socket;
mod sockref;
mod sys;
mod v0_6;

pub use address::SockAddr;
pub use kinds::{Domain, Protocol, RecvFlags, TcpKeepalive, Type};
pub use message::{MsgHdr, MsgHdrMut};
pub use options::InterfaceIndexOrAddress;
#[cfg(feature = "all")]
pub use options_all::CcidEndpoints;
pub use socket::Socket;
pub use sockref::SockRef;
pub use sys::MaybeUninitSlice;
#[cfg(feature = "all")]
pub use sys::SockFilter;
pub use v0_6::{SockAddrStorage, sa_family_t, socklen_t};
