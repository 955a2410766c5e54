//! The server's end: `UnixListener`.

use std::fmt;
use std::io;
use std::path::Path;
use std::task::{Context, Poll, ready};

use wasio_runtime::io::Interest;

use super::SocketAddr;
use super::stream::UnixStream;
use crate::registered::{Registered, debug_unix};
use crate::sys::{Kind, Socket, unix_addr};

/// How many connections may wait to be accepted.
const BACKLOG: u32 = 1024;

/// A Unix socket that accepts connections.
///
/// Its path stays in the file system when the listener is dropped.
///
/// # On WASI
///
/// Only on WasmEdge: see the [module](crate::unix).
pub struct UnixListener {
    io: Registered,
}

impl UnixListener {
    /// Listens on a path, which must not exist. On Linux, one that begins with a zero byte is a name in the
    /// abstract namespace.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) when the path exists, and others of the system.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime, and in one without I/O.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&unix_addr(path.as_ref())?)
    }

    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// See [`bind`](Self::bind).
    ///
    /// # Panics
    ///
    /// See [`bind`](Self::bind).
    #[track_caller]
    pub fn bind_addr(socket_addr: &SocketAddr) -> io::Result<UnixListener> {
        let socket = Socket::open_unix(Kind::Stream)?;
        socket.bind_unix(socket_addr)?;
        socket.listen(BACKLOG)?;
        UnixListener::new(socket)
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<UnixListener> {
        Registered::new(socket).map(|io| UnixListener { io })
    }

    /// Takes a listener of the standard library, which must not block.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be registered.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime, in one without I/O, and in a debug build when the listener blocks.
    #[cfg(unix)]
    #[track_caller]
    pub fn from_std(listener: std::os::unix::net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::new(Socket::from_fd(listener.into())?)
    }

    /// Gives the socket to the standard library's type. It still does not block.
    ///
    /// # Errors
    ///
    /// None so far.
    #[cfg(unix)]
    pub fn into_std(self) -> io::Result<std::os::unix::net::UnixListener> {
        Ok(self.io.into_socket().into_fd().into())
    }

    /// Waits for a connection; returns it with the peer's address, which is usually unnamed.
    ///
    /// # Errors
    ///
    /// Those of the system.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (socket, addr) = self.io.async_io(Interest::READABLE, Socket::accept_unix).await?;
        Ok((UnixStream::from_registered(Registered::accepted(socket)?), addr))
    }

    /// Like [`accept`](Self::accept), for futures written by hand. Only the waker of the last call is kept.
    ///
    /// # Errors
    ///
    /// See [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let (socket, addr) = ready!(self.io.poll_read(cx, Socket::accept_unix))?;
        let io = Registered::accepted(socket)?;
        Poll::Ready(Ok((UnixStream::from_registered(io), addr)))
    }

    /// The address that is listened on.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_unix()
    }

    /// The error that the system keeps for this socket, if any; it is forgotten thereby.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }
}

#[cfg(unix)]
impl TryFrom<std::os::unix::net::UnixListener> for UnixListener {
    type Error = io::Error;

    /// See [`UnixListener::from_std`].
    fn try_from(listener: std::os::unix::net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::from_std(listener)
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_unix("UnixListener", self.socket(), f)
    }
}
