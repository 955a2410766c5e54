//! The native backend: the system calls.

mod message;
mod options;
mod socket;
mod table;

pub(crate) use message::{Incoming, Outgoing};
pub(crate) use socket::{
    HAS_ABSTRACT, Inner, Lent, PATH_MAX, family, lend, path, sa_family_t, set_family, socklen_t,
};
pub(crate) use table::{number, opt};

pub use message::MaybeUninitSlice;
pub use options::SockFilter;

/// The C library's type, which is part of version 0.5's interface.
#[cfg(feature = "all")]
#[allow(unused_imports)]
pub(crate) use libc::sock_filter;
#[allow(unused_imports)]
pub(crate) use libc::{sockaddr, sockaddr_storage};
