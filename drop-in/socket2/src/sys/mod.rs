//! The backends: the system's sockets natively, wasio's on WASI.
//!
//! A backend is the type `Inner`, a socket that closes when it is dropped; `Lent` and `lend`, a socket that another
//! type closes; `MaybeUninitSlice`, `Outgoing` and `Incoming`, messages in the form that the target takes; and the
//! modules `number` (the C library's constants, with numbers that nothing else has for those that it lacks) and `opt`
//! (where each option is found, or that it is not). Every `cfg` of a target is here; the feature `all` is not. What a target lacks is
//! `Unsupported`, with a message that names it.

#[cfg(unix)]
mod native;
#[cfg(unix)]
mod native_message;
#[cfg(unix)]
mod native_options;
#[cfg(unix)]
mod native_table;
#[cfg(target_os = "wasi")]
mod wasi;
#[cfg(target_os = "wasi")]
mod wasi_message;
#[cfg(target_os = "wasi")]
mod wasi_table;

use std::net::{Ipv4Addr, Ipv6Addr};

#[cfg(unix)]
pub(crate) use native::{
    HAS_ABSTRACT, Inner, Lent, PATH_MAX, family, lend, path, sa_family_t, set_family, socklen_t,
};
#[cfg(unix)]
pub(crate) use native_message::{Incoming, Outgoing};
#[cfg(unix)]
pub(crate) use native_table::{number, opt};
#[cfg(target_os = "wasi")]
pub(crate) use wasi::{
    HAS_ABSTRACT, Inner, Lent, PATH_MAX, family, lend, path, sa_family_t, set_family, socklen_t,
};
#[cfg(target_os = "wasi")]
pub(crate) use wasi_message::{Incoming, Outgoing};
#[cfg(target_os = "wasi")]
pub(crate) use wasi_table::{number, opt};

#[cfg(unix)]
pub use native_message::MaybeUninitSlice;
#[cfg(unix)]
pub use native_options::SockFilter;
#[cfg(target_os = "wasi")]
pub use wasi::SockFilter;
#[cfg(target_os = "wasi")]
pub use wasi_message::MaybeUninitSlice;

use crate::SockAddr;
use crate::address::Storage;

/// A multicast group, and the interface to which the membership belongs.
#[derive(Clone, Copy)]
#[cfg_attr(not(unix), allow(dead_code))]
pub(crate) enum Membership {
    V4(Ipv4Addr, Ipv4Addr),
    V4At(Ipv4Addr, u32),
    Source { source: Ipv4Addr, group: Ipv4Addr, interface: Ipv4Addr },
    V6(Ipv6Addr, u32),
}

/// Room for an address.
pub(crate) fn no_address() -> SockAddr {
    SockAddr { storage: Storage::ZERO, len: size_of::<Storage>() as socklen_t }
}
