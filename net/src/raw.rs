//! Sockets without a reactor: what the drop-in `socket2` stands on. Not for programs.
//!
//! Thin on purpose: each function is the one of the target's backend. Sockets do not block; natively that
//! can be changed.

use std::io;
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

pub use crate::sys::Opt;
use crate::sys::{Address, Borrowed, Family, Kind, Socket};

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

    /// Uses somebody else's socket, which must outlive this.
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
            Inner::Lent(_) => panic!("the socket belongs to somebody else"),
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
        #[cfg(all(target_os = "wasi", target_env = "p2"))]
        self.socket().ensure_bound()?;
        self.socket().listen(backlog)
    }

    /// Begins to connect; natively a socket that blocks is connected when this returns.
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

    /// The address that the socket is bound to.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// The address that the socket is connected to.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// The error that is pending, if any.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    /// Fills the start of `buf`.
    pub fn recv(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.socket().recv(buf)
    }

    /// The same for memory that need not be initialised; what is counted is.
    pub fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        self.socket().recv_uninit(buf, peek)
    }

    /// The same with the sender.
    pub fn recv_from(
        &self,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        SocketAddr::recv_from(self.socket(), buf, peek)
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

    /// Whether operations block: `Unsupported` on WASI if they are to.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        #[cfg(unix)]
        return Ok(rustix::io::ioctl_fionbio(self.socket(), nonblocking)?);
        #[cfg(not(unix))]
        if nonblocking { Ok(()) } else { Err(io::ErrorKind::Unsupported.into()) }
    }

    /// A second descriptor of the same socket: natively only.
    pub fn try_clone(&self) -> io::Result<RawSocket> {
        #[cfg(unix)]
        return Ok(RawSocket::from_fd(self.as_fd().try_clone_to_owned()?));
        #[cfg(not(unix))]
        Err(io::ErrorKind::Unsupported.into())
    }

    /// Ties the socket to a network interface, or to none.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket().bind_device(interface)
    }

    /// See `SO_MARK`.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn set_mark(&self, mark: u32) -> io::Result<()> {
        self.socket().set_mark(mark)
    }

    /// See `TCP_USER_TIMEOUT`.
    #[cfg(any(target_os = "android", target_os = "linux"))]
    pub fn set_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        let millis = timeout.map_or(0, |t| u32::try_from(t.as_millis()).unwrap_or(u32::MAX));
        Ok(rustix::net::sockopt::set_tcp_user_timeout(self.socket(), millis)?)
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
