//! The backends: the system's sockets natively, wasio's on WASI.
//!
//! A backend is the type `Inner`, a socket that closes when it is dropped; `Lent` and `lend`, a socket that another
//! type closes; `MaybeUninitSlice`, `Outgoing` and `Incoming`, messages in the form that the target takes; and the
//! modules `number` (the C library's constants, with unused numbers for those that it lacks) and `opt` (the place of
//! each option, if the target has it). Every `cfg` of a target is here, but none of the feature `all`. Anything that a
//! target lacks is `Unsupported`, with a message that names it.

#[cfg_attr(unix, path = "native/mod.rs")]
#[cfg_attr(target_os = "wasi", path = "wasi/mod.rs")]
mod target;

use std::net::{Ipv4Addr, Ipv6Addr};

#[allow(unreachable_pub)] // The root re-exports what is public.
pub use target::*;

use crate::SockAddr;
use crate::address::Storage;

/// A multicast group, and the interface to which the membership belongs.
#[derive(Clone, Copy)]
#[allow(dead_code)] // Not every target has any.
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
