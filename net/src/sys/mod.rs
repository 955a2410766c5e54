//! The backends: the sockets of each target.
//!
//! A backend is the type `Socket`, an owned socket that never blocks, and a function `lookup`. It holds
//! every host import and every `unsafe` of this crate; what is above it is the same on all targets.
//!
//! - `Socket::open(family, kind)` and `accept` give sockets that do not block and are closed on drop.
//!   `from_fd` takes one that the user made; a target on which that can be told refuses blocking ones in
//!   debug builds, the others make it non-blocking.
//! - `connect` begins: `Ok` says that it succeeded or is under way, never that it is done. When the socket is
//!   writable, `connected` tells: an error, `WouldBlock`, or success.
//! - `accept` returns the peer's address with the socket. A peer that is gone already is skipped.
//! - `recv(buf, peek)` and its siblings initialise the first `n` bytes of the buffer and return `n`, never
//!   more than its length; `Ok(0)` on a stream with room in the buffer is the end. They never un-initialise.
//!   The vectored ones may use only the first buffers.
//! - `send` never raises a signal when the peer is gone: it fails with `BrokenPipe`.
//! - `option` and `set_option` read and change one [`Opt`] as a number (0 and 1 for switches). What the
//!   target or its host does not have is `Unsupported`, with one exception: `set_option(NoDelay)` succeeds
//!   where the host has no such option, because programs treat a failure as fatal and it changes only
//!   timing.
//! - `lookup(name, port)` asks the host for the addresses of a name; it may block. Literal addresses never
//!   get here.
//! - An error is the host's, with the right [`io::ErrorKind`](std::io::ErrorKind).

mod buf;
mod fd;
#[cfg(unix)]
mod native;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod native_device;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod wasip1;
#[cfg(all(target_os = "wasi", target_env = "p1"))]
mod wasip1_lookup;

use std::net::SocketAddr;

#[cfg(unix)]
pub(crate) use native::{Socket, lookup};
#[cfg(all(target_os = "wasi", target_env = "p1"))]
pub(crate) use wasip1::{Socket, lookup};

/// What kind of address a socket has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Family {
    V4,
    V6,
}

impl Family {
    pub(crate) fn of(addr: SocketAddr) -> Family {
        if addr.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// Whether bytes or messages are sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Stream,
    Datagram,
}

/// A setting of a socket that is a number or a switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[cfg_attr(not(unix), allow(dead_code))]
pub(crate) enum Opt {
    Broadcast,
    Keepalive,
    MulticastLoopV4,
    MulticastLoopV6,
    MulticastTtlV4,
    NoDelay,
    QuickAck,
    RecvBuffer,
    ReuseAddr,
    ReusePort,
    SendBuffer,
    TclassV6,
    Tos,
    Ttl,
}

impl Socket {
    /// Reads a switch.
    pub(crate) fn switch(&self, opt: Opt) -> std::io::Result<bool> {
        self.option(opt).map(|value| value != 0)
    }

    /// Changes a switch.
    pub(crate) fn set_switch(&self, opt: Opt, on: bool) -> std::io::Result<()> {
        self.set_option(opt, u32::from(on))
    }
}
