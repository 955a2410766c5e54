//! `TcpSocket`: a TCP socket that is not connected yet.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use super::listener::TcpListener;
use super::stream::TcpStream;
use crate::error;
use crate::registered::{Registered, debug_socket};
use crate::sys::{Family, Kind, Opt, Socket, SocketHooks as _};

/// A TCP socket before it becomes a [`TcpStream`] or a [`TcpListener`], to choose its options and its own
/// address first.
///
/// # On WASI
///
/// Options that the host does not have fail with [`Unsupported`](io::ErrorKind::Unsupported).
///
/// # Examples
///
/// ```
/// use wasio::net::TcpSocket;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let socket = TcpSocket::new_v4()?;
/// socket.set_reuseaddr(true)?;
/// socket.bind("127.0.0.1:0".parse().unwrap())?;
/// let listener = socket.listen(128)?;
/// assert_ne!(listener.local_addr()?.port(), 0);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpSocket {
    pub(crate) socket: Socket,
}

impl TcpSocket {
    /// Opens a socket for IPv4.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`), or [`PermissionDenied`](io::ErrorKind::PermissionDenied)
    /// if the host denies network access.
    pub fn new_v4() -> io::Result<TcpSocket> {
        Socket::open(Family::V4, Kind::Stream).map(TcpSocket::from_socket).map_err(error::open)
    }

    /// Opens a socket for IPv6.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`), [`PermissionDenied`](io::ErrorKind::PermissionDenied) if
    /// the host denies network access, or `EAFNOSUPPORT` if the system has no IPv6.
    pub fn new_v6() -> io::Result<TcpSocket> {
        Socket::open(Family::V6, Kind::Stream).map(TcpSocket::from_socket).map_err(error::open)
    }

    /// Converts a stream of the standard library that is not connected yet, such as one that another crate created to
    /// set options which are not here. It must not block.
    pub fn from_std_stream(std_stream: std::net::TcpStream) -> TcpSocket {
        TcpSocket::from_socket(Socket::from_std_unchecked(std_stream))
    }

    pub(crate) fn from_socket(socket: Socket) -> TcpSocket {
        TcpSocket { socket }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Sets whether an idle connection is probed (`SO_KEEPALIVE`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_keepalive(&self, keepalive: bool) -> io::Result<()> {
        self.socket.set_switch(Opt::Keepalive, keepalive)
    }

    /// Returns whether an idle connection is probed (`SO_KEEPALIVE`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn keepalive(&self) -> io::Result<bool> {
        self.socket.switch(Opt::Keepalive)
    }

    /// Sets whether an address can be bound that closed connections still hold (`SO_REUSEADDR`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_reuseaddr(&self, reuseaddr: bool) -> io::Result<()> {
        self.socket.set_switch(Opt::ReuseAddr, reuseaddr)
    }

    /// Returns whether an address can be bound that closed connections still hold (`SO_REUSEADDR`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn reuseaddr(&self) -> io::Result<bool> {
        self.socket.switch(Opt::ReuseAddr)
    }

    /// Sets the size of the system's buffer for sending, in bytes. Linux doubles it.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_send_buffer_size(&self, size: u32) -> io::Result<()> {
        self.socket.set_option(Opt::SendBuffer, size)
    }

    /// Returns the size of the system's buffer for sending, in bytes.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn send_buffer_size(&self) -> io::Result<u32> {
        self.socket.option(Opt::SendBuffer)
    }

    /// Sets the size of the system's buffer for receiving, in bytes. Linux doubles it.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_recv_buffer_size(&self, size: u32) -> io::Result<()> {
        self.socket.set_option(Opt::RecvBuffer, size)
    }

    /// Returns the size of the system's buffer for receiving, in bytes.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn recv_buffer_size(&self) -> io::Result<u32> {
        self.socket.option(Opt::RecvBuffer)
    }

    /// Sets how long closing waits for unsent data, in whole seconds. Closing blocks the thread for that time.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    #[deprecated(note = "a socket that lingers blocks the thread when it is dropped")]
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket.set_linger(dur)
    }

    /// Makes closing abort the connection: unsent data is dropped, and the peer receives a reset.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.socket.set_linger(Some(Duration::ZERO))
    }

    /// Returns how long closing waits for unsent data (`SO_LINGER`). `None` means that it does not wait.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket.linger()
    }

    /// Sets whether small writes are sent at once (`TCP_NODELAY`) or may wait for more.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    ///
    /// # On WASI
    ///
    /// A host without this option, such as WasmEdge, ignores it, because many programs treat an error as fatal.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket.set_switch(Opt::NoDelay, nodelay)
    }

    /// Returns whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. On WASI hosts without this option it returns what was set last.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket.switch(Opt::NoDelay)
    }

    /// Returns the address that the socket is bound to; port 0 before it is.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket.local_addr()
    }

    /// Returns the pending error of the socket, if there is one, and clears it (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// Fails if the system cannot be asked (`getsockopt`).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket.take_error()
    }

    /// Binds the socket to a local address.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse), [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied), …
    pub fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.bind(addr).map_err(error::bind(addr))
    }

    /// Connects. The family of the address must be the socket's.
    ///
    /// # Errors
    ///
    /// See [`TcpStream::connect`].
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the connection.
    ///
    /// # Examples
    ///
    /// ```
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let listener = wasio::net::TcpListener::bind("127.0.0.1:0").await?;
    /// let socket = wasio::net::TcpSocket::new_v4()?;
    /// socket.set_keepalive(true)?;
    /// let stream = socket.connect(listener.local_addr()?).await?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect(self, addr: SocketAddr) -> io::Result<TcpStream> {
        let io = Registered::connect(self.socket, addr).await.map_err(error::connect(addr))?;
        Ok(TcpStream::from_registered(io))
    }

    /// Listens. At most `backlog` connections wait to be accepted.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if another socket listens on the address, or another error of
    /// `listen`.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn listen(self, backlog: u32) -> io::Result<TcpListener> {
        self.socket.ensure_bound()?;
        self.socket.listen(backlog)?;
        TcpListener::new(self.socket)
    }
}

impl fmt::Debug for TcpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_socket("TcpSocket", self.socket(), f)
    }
}
