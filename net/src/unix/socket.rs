//! `UnixSocket`: a Unix socket that is not connected yet.

use std::fmt;
use std::io;
use std::path::Path;

use super::datagram::UnixDatagram;
use super::listener::UnixListener;
use super::stream::UnixStream;
use crate::registered::debug_unix;
use crate::sys::{Kind, Socket, unix_addr};

/// A Unix socket before it becomes a [`UnixStream`], a [`UnixListener`] or a [`UnixDatagram`].
///
/// # On WASI
///
/// Only on WasmEdge: see the [module](crate::unix).
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let socket = wasio::net::UnixSocket::new_stream()?;
/// socket.bind("server.sock")?;
/// let listener = socket.listen(128)?;
/// let (stream, _) = listener.accept().await?;
/// # Ok(())
/// # }
/// ```
pub struct UnixSocket {
    pub(crate) socket: Socket,
}

impl UnixSocket {
    /// Opens a socket for messages.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`).
    pub fn new_datagram() -> io::Result<UnixSocket> {
        Socket::open_unix(Kind::Datagram).map(UnixSocket::from_socket)
    }

    /// Opens a socket for streams.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`).
    pub fn new_stream() -> io::Result<UnixSocket> {
        Socket::open_unix(Kind::Stream).map(UnixSocket::from_socket)
    }

    pub(crate) fn from_socket(socket: Socket) -> UnixSocket {
        UnixSocket { socket }
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    /// Binds the socket to a path, which must not exist.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the path exists, [`NotFound`](io::ErrorKind::NotFound) if its
    /// directory does not, [`PermissionDenied`](io::ErrorKind::PermissionDenied), or another error of `bind`.
    pub fn bind(&self, path: impl AsRef<Path>) -> io::Result<()> {
        self.socket.bind_unix(&unix_addr(path.as_ref())?)
    }

    /// Listens. At most `backlog` connections wait to be accepted.
    ///
    /// # Errors
    ///
    /// An error of `listen`. The socket must be for streams.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn listen(self, backlog: u32) -> io::Result<UnixListener> {
        self.must_be(Kind::Stream, "listen cannot be called on a datagram socket")?;
        self.socket.listen(backlog)?;
        UnixListener::new(self.socket)
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is no such path, or another error of `connect`. The socket must
    /// be for streams.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub async fn connect(self, path: impl AsRef<Path>) -> io::Result<UnixStream> {
        self.must_be(Kind::Stream, "connect cannot be called on a datagram socket")?;
        self.socket.connect_unix(&unix_addr(path.as_ref())?)?;
        UnixStream::connecting(self.socket).await
    }

    /// Makes it a socket for messages in use.
    ///
    /// # Errors
    ///
    /// An error of registering the socket. The socket must be for messages.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn datagram(self) -> io::Result<UnixDatagram> {
        self.must_be(Kind::Datagram, "datagram cannot be called on a stream socket")?;
        UnixDatagram::new(self.socket)
    }

    fn must_be(&self, kind: Kind, otherwise: &str) -> io::Result<()> {
        let right = self.socket.is_datagram()? == (kind == Kind::Datagram);
        if right { Ok(()) } else { Err(io::Error::other(otherwise)) }
    }
}

impl fmt::Debug for UnixSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_unix("UnixSocket", self.socket(), f)
    }
}
