//! The backend for WASI: wasio's sockets.

mod message;
mod socket;
mod table;

pub(crate) use message::{Incoming, Outgoing};
pub(crate) use socket::{
    HAS_ABSTRACT, Inner, Lent, PATH_MAX, family, lend, path, sa_family_t, set_family, socklen_t,
};
pub(crate) use table::{number, opt};

pub use message::MaybeUninitSlice;
pub use socket::SockFilter;

/// Memory for an address, as large as on Linux. wasm32-wasip1 has no such types.
#[allow(dead_code, non_camel_case_types)] // Of version 0.5.
pub(crate) type sockaddr_storage = [u64; 16];
/// An address of any family.
#[allow(dead_code, non_camel_case_types)] // Of version 0.5.
pub(crate) type sockaddr = [u8; 16];
/// An instruction of a filter.
#[allow(dead_code, non_camel_case_types)] // Of version 0.5.
pub(crate) type sock_filter = SockFilter;
