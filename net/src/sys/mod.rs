//! The backends: the sockets of each target.
//!
//! A backend is the type `Socket`, an owned socket that never blocks, and a function `lookup` (or a type
//! `Lookup`). It holds every host import and every `unsafe` of this crate; what is above it is the same on all targets.
//!
//! - `Socket::open(family, kind)` and `accept` give sockets that do not block and are closed on drop.
//!   `from_fd` takes one that the user made; a target on which that can be told refuses blocking ones in
//!   debug builds, the others make it non-blocking.
//! - `connect` begins: `Ok` says that it succeeded or is under way, never that it is done. When the socket is
//!   writable, `connected` tells: an error, `WouldBlock`, or success.
//! - `listen` binds a socket that is not bound, but not on WASI 0.2, where `ensure_bound` does.
//! - `listening` does all of that, with `SO_REUSEADDR` where there is such a thing.
//! - `accept` returns the peer's address with the socket. Peers that are gone already are skipped, and after
//!   many of them it is `WouldBlock`, so that others have a turn.
//! - `recv(buf, peek)` and its siblings initialise the first `n` bytes of the buffer and return `n`, never
//!   more than its length; `Ok(0)` on a stream with room in the buffer is the end. They never un-initialise.
//!   The vectored ones may use only the first buffers.
//! - `send` never raises a signal when the peer is gone: it fails with `BrokenPipe`.
//! - `option` and `set_option` read and change one [`Opt`] as a number (0 and 1 for switches). What the
//!   target or its host does not have is `Unsupported`, with one exception: `set_option(NoDelay)` succeeds
//!   where the host has no such option, because programs treat a failure as fatal and it changes only
//!   timing.
//! - On WASI, `set_keepalive_times`, `borrowed`, which uses another owner's socket, and ``raw.rs` of each target are for the
//!   drop-in `socket2`.
//! - Unix sockets are in `unix` of each target, with the same rules; a target without them has the functions
//!   all the same, and they fail.
//! - `lookup(name, port)` asks the host for the addresses of a name; it may block. A host that can be asked
//!   without blocking has `Lookup` instead, which is polled. Literal addresses never get here.
//! - `must_be_whole` fails while something is kept that was read ahead, which another owner would not get.
//! - `raw` is what the reactor waits for. `connect` of a datagram socket may replace it, within
//!   `Source::refresh`.
//! - An error is the host's, with the right [`io::ErrorKind`].

mod buf;

#[cfg_attr(all(not(wasio_shell), unix), path = "native/mod.rs")]
#[cfg_attr(all(not(wasio_shell), target_os = "wasi", target_env = "p1"), path = "wasip1/mod.rs")]
#[cfg_attr(all(not(wasio_shell), target_os = "wasi", target_env = "p2"), path = "wasip2/mod.rs")]
#[cfg_attr(
    any(
        wasio_shell,
        not(any(unix, all(target_os = "wasi", any(target_env = "p1", target_env = "p2"))))
    ),
    path = "shell/mod.rs"
)]
mod target;

use std::borrow::Borrow;
use std::io;
use std::mem::MaybeUninit;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};

use wasio_runtime::io::forget;
use wasio_runtime::reactor::Source;

pub(crate) use target::*;

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

/// An address to which messages are sent and from which they come.
pub(crate) trait Address: Sized {
    /// `recvfrom`, as `Socket::recv_uninit` receives.
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, Self)>;

    /// `sendto`.
    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize>;
}

/// A multicast group, and the interface to which the membership belongs.
#[derive(Clone, Copy, Debug)]
#[allow(dead_code)] // Not every target has any.
pub(crate) enum Membership {
    V4(Ipv4Addr, Ipv4Addr),
    V6(Ipv6Addr, u32),
}

/// A setting of a socket that is a number or a switch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(missing_docs)] // Their names are the sockets' own.
#[allow(dead_code, unreachable_pub)] // Not every target has all of them, nor shows them to other crates.
pub enum Opt {
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

/// Facts of a target's host.
pub(crate) struct Host {
    /// The reactor hears of arrivals without asking the host anew, so that a first read that cannot succeed is skipped.
    /// Where the host tells only when asked, asking costs as much as the attempt.
    pub(crate) reports_unasked: bool,
    /// The host's lookup knows `localhost`.
    pub(crate) resolves_localhost: bool,
    /// When names are looked up by `dns` instead of the host.
    pub(crate) resolver: Resolver,
    /// The host denies what was not granted: errors name the grant of `wasio run`.
    pub(crate) denies_by_default: bool,
    /// Stock wasmtime runs such guests, too: errors name its flag as well.
    pub(crate) runs_on_wasmtime: bool,
}

/// When this crate's own resolver is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(dead_code)] // Each target has one.
pub(crate) enum Resolver {
    /// Never: the host's lookup suspends only the task that asks.
    Never,
    /// If the environment names a server.
    IfNamed,
    /// If a server is configured in any way, because the host's lookup blocks the whole guest.
    IfConfigured,
}

/// What some targets do differently. The default bodies fit hosts whose sockets are descriptors.
#[allow(dead_code)] // Not every target calls all of them.
pub(crate) trait Hooks: Borrow<Socket> {
    /// A TCP socket that listens, with `SO_REUSEADDR` where the host has it.
    fn listening(addr: SocketAddr, backlog: u32) -> io::Result<Socket> {
        let socket = Socket::open(Family::of(addr), Kind::Stream)?;
        unless_unsupported(socket.set_switch(Opt::ReuseAddr, true))?;
        socket.bind(addr)?;
        socket.listen(backlog)?;
        Ok(socket)
    }

    /// Called before `listen` on a socket that may not be bound. Elsewhere `listen` binds.
    fn ensure_bound(&self) -> io::Result<()> {
        Ok(())
    }

    /// Whether the peer has sent its end, if readiness does not tell.
    fn is_read_closed(&self) -> bool {
        false
    }

    /// Like `recv_uninit`. `true` if the host said that nothing is left to read.
    fn recv_drained(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, bool)> {
        self.borrow().recv_uninit(buf, false).map(|n| (n, false))
    }

    /// Connects a registered datagram socket. A host may replace what `source` waits for.
    fn reconnect(&self, source: &Source, addr: SocketAddr) -> io::Result<()> {
        let _ = source;
        self.borrow().connect(addr)
    }

    /// Ends a registration whose socket lives on.
    fn deregister(&self, source: Source) {
        drop(source);
    }

    /// Fails while something is kept that was read ahead, which another owner of the socket would not get.
    fn must_be_whole(&self) -> io::Result<()> {
        Ok(())
    }
}

/// What a socket lacks is no reason to refuse it.
#[inline(never)]
fn unless_unsupported(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => {
            forget(e);
            Ok(())
        }
        result => result,
    }
}

impl Socket {
    /// Reads a switch.
    pub(crate) fn switch(&self, opt: Opt) -> io::Result<bool> {
        self.option(opt).map(|value| value != 0)
    }

    /// Changes a switch.
    pub(crate) fn set_switch(&self, opt: Opt, on: bool) -> io::Result<()> {
        self.set_option(opt, u32::from(on))
    }
}
