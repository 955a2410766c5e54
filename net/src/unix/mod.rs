//! Unix sockets: addresses, credentials, the halves of a split stream, and natively pipes.
//!
//! # On WASI
//!
//! WasmEdge has them when it is started with `--allow-af-unix`, as `cargo wasio run --engine wasmedge` does. Their
//! paths are the host's, of at most 107 bytes, and do not depend on the guest's folders. There are no pairs, no
//! credentials and no abstract names. On other hosts, and in components, the types exist, so that programs that name
//! them compile, but every function that would create one returns [`Unsupported`](std::io::ErrorKind::Unsupported).

mod addr;
pub(crate) mod datagram;
pub(crate) mod listener;
pub(crate) mod socket;
mod split;
pub(crate) mod stream;
mod ucred;

pub use addr::SocketAddr;
pub use split::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
pub use ucred::UCred;

#[allow(unused_imports, unreachable_pub)] // Not every target has any.
pub use crate::sys::public::unix::*;

/// A user's number.
#[allow(non_camel_case_types)]
pub type uid_t = u32;

/// A group's number.
#[allow(non_camel_case_types)]
pub type gid_t = u32;

/// A process's number.
#[allow(non_camel_case_types)]
pub type pid_t = i32;
