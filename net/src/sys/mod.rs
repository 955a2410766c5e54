//! The contract of a socket backend, and the selection of the target's one.
//!
//! A backend is a folder. It holds every host import and nearly every `unsafe` of this crate. The code above it is the
//! same on all targets. `shell/` is the template: a backend that compiles anywhere and supports nothing.
//!
//! # What a backend has
//!
//! - `Socket`: an owned socket that never blocks. It is closed on drop.
//! - `lookup`: asks the host for the addresses of a name.
//! - `HOST_NET`: facts about the host ([`HostNet`]).
//! - [`SocketHooks`] for `Socket`: the differences of the target. Each hook has a default body.
//! - [`Address`] for `std::net::SocketAddr` and for `UnixAddr`.
//! - `UnixAddr`, `unix_addr` and the Unix functions of `Socket`; `ChildReader`, `ChildWriter` and `Exits` for
//!   processes. A target without them includes `shell/unix.rs` and `shell/process.rs`, in which everything fails.
//! - `public`: the items that only this target adds to public modules.
//!
//! # Sockets
//!
//! - `open(family, kind)` and `accept` return sockets that do not block.
//! - `from_std` and `from_std_unchecked` take a socket of the standard library, and `into_std` returns one. On targets
//!   with descriptors, `fd.rs` implements them through `from_fd`, `from_fd_unchecked` and `into_fd`. `from_fd` refuses
//!   a blocking socket in debug builds where that can be found out; elsewhere it makes the socket non-blocking.
//! - `register` registers the socket with the reactor. The caller drops the returned source before the socket.
//! - `connect` begins to connect. `Ok` means that it succeeded or is in progress. When the socket is writable,
//!   `connected` returns the result, or `WouldBlock`.
//! - `listen` binds an unbound socket, or [`SocketHooks::ensure_bound`] does.
//! - `accept` returns the peer's address with the socket. It skips peers that are gone already. After many of them it
//!   returns `WouldBlock`, so that other tasks can run.
//! - `bind` binds the socket to a local address.
//! - `recv_uninit(buf, peek)` initializes the first `n` bytes of the buffer and returns `n`, which is at most its
//!   length. `Ok(0)` for a buffer with room is the end of a stream. It never writes uninitialized bytes. `buf.rs`
//!   builds the other forms of receiving on it. Vectored operations may use only the first buffers.
//! - `send` returns how many bytes the host took. If the peer is gone, it fails with `BrokenPipe` and raises no signal.
//! - `shutdown`, `local_addr`, `peer_addr`, `linger`, `set_linger` and `set_membership` are those of the standard
//!   library and POSIX.
//! - `take_error` returns a pending error, if the host keeps one.
//! - `option` and `set_option` read and change one [`Opt`] as a number. Switches are 0 and 1. An option that the host
//!   lacks is `Unsupported`, except `set_option(NoDelay)`, which succeeds everywhere: programs treat its failure as
//!   fatal, and it changes only timing.
//! - `fd_number` is the number that `Debug` shows.
//!
//! An error is the host's, with the right [`io::ErrorKind`]. The functions above add the operation that failed. An
//! operation that the target lacks fails with `Unsupported`, and its message says what is missing.
//!
//! The drop-in `socket2` uses more on WASI: `set_keepalive_times`, `borrowed`, and the functions in `raw.rs` of each
//! target.
//!
//! # Names
//!
//! `lookup(name, port)` is a future. It may block while it is polled if the host has no other way; then
//! [`Resolver::IfConfigured`] avoids it where a name server is known. IP addresses as text never get here.
//!
//! # Hosts that complete operations
//!
//! The code above attempts an operation, waits for readiness if the attempt returns `WouldBlock`, and attempts it
//! again. Some hosts do not report readiness; they complete operations (io_uring, JavaScript promises, WASI 0.3). A
//! backend for such a host keeps to the same contract:
//!
//! - The failed attempt may *begin* the operation. It passes the host a buffer that the socket owns, not the caller's,
//!   because the caller may drop its buffer at any time. Then it returns `WouldBlock`.
//! - An attempt during an operation in progress returns `WouldBlock`, and begins no second one.
//! - When the operation completes, the backend keeps the result in the socket, and the reactor reports the direction as
//!   ready. The next attempt takes the result: `recv_uninit` copies as many bytes as fit and keeps the rest; an error
//!   is returned once.
//! - `send` copies the caller's bytes and may report them as sent at once, within a bounded buffer, if the copy is
//!   written later without the caller. It returns a later failure from the next operation. Dropping the socket must not
//!   lose these bytes: the reactor keeps a source that still writes (`Lingering`).
//! - Canceling is `Selector::disarm` of the runtime, where it loses no received data; otherwise the operation goes on,
//!   and its result is kept. Dropping the socket cancels it.
//! - Received bytes that have not been read are *read ahead*. [`SocketHooks::ensure_nothing_ahead`] refuses to give
//!   such a socket away. `fd.rs` calls it; a target without descriptors calls it in its own `into_std`.
//!
//! Backends with readiness pay nothing for this. `wasip2/ahead.rs` is the precedent: WASI 0.2 can neither peek nor tell
//! the end of a stream without reading, so the backend reads into a buffer of its own, and later reads take from that
//! first.

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

/// The address family of a socket.
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

/// Whether a socket sends bytes or messages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Stream,
    Datagram,
}

/// An address for sending and receiving messages.
pub(crate) trait Address: Sized {
    /// `recvfrom`, which receives like `Socket::recv_uninit`.
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

/// Facts about the host of a target. Each target has one, the constant `HOST_NET`.
pub(crate) struct HostNet {
    /// The reactor learns of arrivals without asking the host again, so that a first read that cannot succeed is
    /// skipped. On a host that must be asked, asking costs as much as the attempt.
    pub(crate) reports_unasked: bool,
    /// The host's lookup knows `localhost`.
    pub(crate) resolves_localhost: bool,
    /// When `dns` looks names up instead of the host.
    pub(crate) resolver: Resolver,
    /// The host denies operations that were not granted, so errors name the grant of `wasio run`.
    pub(crate) denies_by_default: bool,
    /// Stock wasmtime also runs such guests, so errors name its flag as well.
    pub(crate) runs_on_wasmtime: bool,
}

/// When this crate's own resolver is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(dead_code)] // Each target has one.
pub(crate) enum Resolver {
    /// Never: the host's lookup suspends only the task that asks.
    Never,
    /// Only if the environment names a server.
    IfNamed,
    /// Whenever a server is configured in any way, because the host's lookup blocks the whole guest.
    IfConfigured,
}

/// Differences between targets, for `Socket` only. The default bodies fit hosts whose sockets are descriptors.
#[allow(dead_code)] // Not every target calls all of them.
pub(crate) trait SocketHooks: Borrow<Socket> {
    /// Returns a TCP socket that listens, with `SO_REUSEADDR` where the host has it.
    fn listening(addr: SocketAddr, backlog: u32) -> io::Result<Socket> {
        let socket = Socket::open(Family::of(addr), Kind::Stream)?;
        unless_unsupported(socket.set_switch(Opt::ReuseAddr, true))?;
        socket.bind(addr)?;
        socket.listen(backlog)?;
        Ok(socket)
    }

    /// Called before `listen` on a socket that may not be bound. On other targets `listen` binds.
    fn ensure_bound(&self) -> io::Result<()> {
        Ok(())
    }

    /// Returns whether the peer has sent its end, if readiness does not tell.
    fn is_read_closed(&self) -> bool {
        false
    }

    /// Like `recv_uninit`. Also returns whether the host said that nothing is left to read.
    fn recv_drained(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, bool)> {
        self.borrow().recv_uninit(buf, false).map(|n| (n, false))
    }

    /// Connects a registered datagram socket. A host may replace the pollables that `source` waits for.
    fn reconnect(&self, source: &Source, addr: SocketAddr) -> io::Result<()> {
        let _ = source;
        self.borrow().connect(addr)
    }

    /// Ends the registration of a socket that stays open.
    fn deregister(&self, source: Source) {
        drop(source);
    }

    /// Fails while the socket keeps bytes that were read ahead, because another owner of it would not receive them.
    fn ensure_nothing_ahead(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Treats an option that the socket lacks as success.
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
