//! `UnixDatagram`: messages over Unix sockets.

use std::fmt;
use std::io;
use std::net::Shutdown;
use std::path::Path;
use std::task::{Context, Poll};

use wasio_runtime::io::Interest;

use super::SocketAddr;
use crate::registered::{Registered, debug_unix};
use crate::sys::{Address, Kind, Socket, unix_addr};

/// A Unix socket for messages. Nothing is lost or reordered; a sender waits for a slow receiver.
///
/// # On WASI
///
/// Only on WasmEdge: see the [module](crate::unix).
///
/// # Examples
///
/// ```
/// use wasio::net::UnixDatagram;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (a, b) = UnixDatagram::pair()?;
/// a.send(b"hello").await?;
/// let mut buf = [0; 16];
/// let n = b.recv(&mut buf).await?;
/// assert_eq!(&buf[..n], b"hello");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixDatagram {
    pub(crate) io: Registered,
}

impl UnixDatagram {
    /// Opens a socket and binds it to a path, which must not exist.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the path exists, [`NotFound`](io::ErrorKind::NotFound) if its
    /// directory does not, [`PermissionDenied`](io::ErrorKind::PermissionDenied), or another error of `bind`.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixDatagram> {
        let addr = unix_addr(path.as_ref())?;
        let socket = Socket::open_unix(Kind::Datagram)?;
        socket.bind_unix(&addr)?;
        UnixDatagram::new(socket)
    }

    /// Opens two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`).
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn pair() -> io::Result<(UnixDatagram, UnixDatagram)> {
        let (a, b) = Socket::pair_unix(Kind::Datagram)?;
        let datagram = |socket| Registered::writable(socket).map(|io| UnixDatagram { io });
        Ok((datagram(a)?, datagram(b)?))
    }

    /// Opens a socket without a name.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`).
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn unbound() -> io::Result<UnixDatagram> {
        UnixDatagram::new(Socket::open_unix(Kind::Datagram)?)
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<UnixDatagram> {
        Registered::new(socket).map(|io| UnixDatagram { io })
    }

    /// Sets the only peer to send to and receive from.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if no socket is bound to it,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied), or another error of `connect`.
    pub fn connect<P: AsRef<Path>>(&self, path: P) -> io::Result<()> {
        self.socket().connect_unix(&unix_addr(path.as_ref())?)
    }

    /// Sends a message. Returns its length.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if no socket is bound to it, `EMSGSIZE` if the message
    /// is too long, or another error of `sendto`.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the message was not sent.
    pub async fn send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let target = unix_addr(target.as_ref())?;
        self.io.async_io(Interest::WRITABLE, |socket| target.send_to(socket, buf)).await
    }

    /// Like [`send_to`](Self::send_to), for hand-written futures.
    ///
    /// # Errors
    ///
    /// See [`send_to`](Self::send_to).
    pub fn poll_send_to<P: AsRef<Path>>(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: P,
    ) -> Poll<io::Result<usize>> {
        let target = unix_addr(target.as_ref())?;
        self.io.poll_write(cx, |socket| target.send_to(socket, buf))
    }

    /// Like [`send_to`](Self::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no room is known to be available: wait for
    /// [`writable`](Self::writable) first. Otherwise the same as for [`send_to`](Self::send_to).
    pub fn try_send_to<P: AsRef<Path>>(&self, buf: &[u8], target: P) -> io::Result<usize> {
        let target = unix_addr(target.as_ref())?;
        self.io.try_io(Interest::WRITABLE, |socket| target.send_to(socket, buf))
    }

    /// Returns the address of this socket.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_unix().map(SocketAddr)
    }

    /// Returns the address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) when it is not.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_unix().map(SocketAddr)
    }

    /// Closes one direction or both. Tasks that wait for it are woken.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the socket is not connected, or another error of `shutdown`.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.socket().shutdown(how)
    }

    pub(crate) fn io(&self) -> &Registered {
        &self.io
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }
}

crate::ops::messaging!(UnixDatagram, SocketAddr);

impl fmt::Debug for UnixDatagram {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_unix("UnixDatagram", self.socket(), f)
    }
}
