//! Unix sockets: addresses, credentials, the halves of a split stream, and natively pipes.
//!
//! # On WASI
//!
//! The types exist, so that programs which name them compile, and everything that would make one returns
//! [`Unsupported`](std::io::ErrorKind::Unsupported).

mod addr;
pub(crate) mod datagram;
pub(crate) mod listener;
#[cfg(unix)]
pub mod pipe;
pub(crate) mod socket;
mod split;
pub(crate) mod stream;
mod ucred;

pub use addr::SocketAddr;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use ucred::UCred;

/// A user's number.
#[allow(non_camel_case_types)]
pub type uid_t = u32;

/// A group's number.
#[allow(non_camel_case_types)]
pub type gid_t = u32;

/// A process's number.
#[allow(non_camel_case_types)]
pub type pid_t = i32;
