//! Sockets without a reactor, for the drop-in `socket2` where there is no system. Not for programs.
//!
//! Each function is the one of the target's backend. Sockets do not block unless [`RawSocket::set_nonblocking`] says
//! so.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

pub use crate::sys::Opt;
use crate::sys::{Address, Borrowed, Family, Kind, Socket, SocketHooks as _};

/// A socket, owned or lent.
#[derive(Debug)]
pub struct RawSocket(Inner);

#[derive(Debug)]
enum Inner {
    Owned(Socket),
    Lent(Borrowed),
}

impl RawSocket {
    /// Opens a socket of IPv6 or IPv4, for a stream or for messages.
    pub fn open(v6: bool, stream: bool) -> io::Result<RawSocket> {
        let family = if v6 { Family::V6 } else { Family::V4 };
        let kind = if stream { Kind::Stream } else { Kind::Datagram };
        Socket::open(family, kind).map(|socket| RawSocket(Inner::Owned(socket)))
    }

    /// Takes a socket.
    pub fn from_fd(fd: OwnedFd) -> RawSocket {
        RawSocket(Inner::Owned(Socket::from_fd_unchecked(fd)))
    }

    /// Borrows a socket, which must outlive the result.
    pub fn lent(fd: BorrowedFd<'_>) -> RawSocket {
        RawSocket(Inner::Lent(Socket::borrowed(fd)))
    }

    /// Gives the socket away.
    ///
    /// # Panics
    ///
    /// Panics when it is lent.
    pub fn into_fd(self) -> OwnedFd {
        match self.0 {
            Inner::Owned(socket) => socket.into_fd(),
            Inner::Lent(_) => panic!("the socket is borrowed"),
        }
    }

    fn socket(&self) -> &Socket {
        match &self.0 {
            Inner::Owned(socket) => socket,
            Inner::Lent(socket) => socket,
        }
    }

    /// See `bind(2)`.
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket().bind(addr)
    }

    /// See `listen(2)`.
    pub fn listen(&self, backlog: u32) -> io::Result<()> {
        self.socket().ensure_bound()?;
        self.socket().listen(backlog)
    }

    /// Begins to connect. A socket that blocks is connected when this returns.
    pub fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket().connect(addr)
    }

    /// See `accept(2)`.
    pub fn accept(&self) -> io::Result<(RawSocket, SocketAddr)> {
        let (socket, addr) = self.socket().accept()?;
        Ok((RawSocket(Inner::Owned(socket)), addr))
    }

    /// See `shutdown(2)`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket().shutdown(how)
    }

    /// Returns the address that the socket is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// Returns the address that the socket is connected to.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// Returns the error that is pending, if any.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    /// Fills the start of `buf`.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket().recv(buf)
    }

    /// See `readv(2)`.
    pub fn recv_vectored(&self, bufs: &mut [io::IoSliceMut<'_>]) -> io::Result<usize> {
        self.socket().recv_vectored(bufs)
    }

    /// Like `recv`, for memory that may be uninitialised. The bytes that are counted are initialised.
    pub fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        self.socket().recv_uninit(buf, peek)
    }

    /// Like `recv_uninit`, and returns the sender.
    pub fn recv_from(
        &self,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        SocketAddr::recv_from(self.socket(), buf, peek)
    }

    /// Like `recv_from`, for initialised memory.
    pub fn recv_from_init(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.socket().recv_from(buf)
    }

    /// See `send(2)`.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.socket().send(buf)
    }

    /// See `writev(2)`.
    pub fn send_vectored(&self, bufs: &[io::IoSlice<'_>]) -> io::Result<usize> {
        self.socket().send_vectored(bufs)
    }

    /// See `sendto(2)`.
    pub fn send_to(&self, buf: &[u8], addr: SocketAddr) -> io::Result<usize> {
        addr.send_to(self.socket(), buf)
    }

    /// Reads an option.
    pub fn option(&self, opt: Opt) -> io::Result<u32> {
        self.socket().option(opt)
    }

    /// Sets an option.
    pub fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        self.socket().set_option(opt, value)
    }

    /// See `SO_LINGER`.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket().linger()
    }

    /// See `SO_LINGER`.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.socket().set_linger(linger)
    }

    /// Turns keepalive on, with its times. On wasip1 the times are the host's.
    pub fn set_keepalive(
        &self,
        time: Option<Duration>,
        interval: Option<Duration>,
        retries: Option<u32>,
    ) -> io::Result<()> {
        self.socket().set_switch(Opt::Keepalive, true)?;
        self.socket().set_keepalive_times(time, interval, retries)
    }

    /// Returns the idle time before the first keepalive probe, the time between two, and how many may stay unanswered.
    /// WASI 0.2 only.
    pub fn keepalive_times(&self) -> io::Result<(Duration, Duration, u32)> {
        self.socket().keepalive_times()
    }

    /// See `SO_TYPE`.
    pub fn is_stream(&self) -> io::Result<bool> {
        self.socket().is_stream()
    }

    /// See `SO_ACCEPTCONN`.
    pub fn is_listening(&self) -> io::Result<bool> {
        self.socket().is_listening()
    }

    /// Returns whether operations return instead of blocking.
    pub fn is_nonblocking(&self) -> io::Result<bool> {
        self.socket().is_nonblocking()
    }

    /// Sets whether operations return instead of blocking: `Unsupported` on WASI 0.2 if they are to block.
    pub fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        self.socket().set_nonblocking(on)
    }

    /// See `SO_RCVTIMEO`, and `SO_SNDTIMEO` if it `sends`: `Unsupported` on WASI 0.2.
    pub fn timeout(&self, sends: bool) -> io::Result<Option<Duration>> {
        self.socket().timeout(sends)
    }

    /// See `SO_RCVTIMEO`, and `SO_SNDTIMEO` if it `sends`: `Unsupported` on WASI 0.2.
    pub fn set_timeout(&self, sends: bool, timeout: Option<Duration>) -> io::Result<()> {
        self.socket().set_timeout(sends, timeout)
    }

    /// Waits until a connection under way is established or has failed, or for `timeout`.
    pub fn wait_connected(&self, timeout: Duration) -> io::Result<()> {
        self.socket().wait_connected(timeout)
    }
}

impl AsFd for RawSocket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.socket().as_fd()
    }
}

impl AsRawFd for RawSocket {
    fn as_raw_fd(&self) -> RawFd {
        self.socket().as_raw_fd()
    }
}
