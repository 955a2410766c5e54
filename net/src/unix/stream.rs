//! `UnixStream`: a Unix connection.

use std::fmt;
use std::io;
use std::path::Path;

use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use super::{SocketAddr, UCred};
use crate::registered::{Registered, debug_unix};
use crate::sys::{Kind, Socket, unix_addr};

/// A connection over a Unix socket.
///
/// # On WASI
///
/// Only on WasmEdge: see the [module](crate::unix).
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt};
/// use wasio::net::UnixStream;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (mut a, mut b) = UnixStream::pair()?;
/// a.write_all(b"hello").await?;
/// drop(a);
/// let mut received = String::new();
/// b.read_to_string(&mut received).await?;
/// assert_eq!(received, "hello");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixStream {
    pub(crate) io: Registered,
}

impl UnixStream {
    /// Connects to a path. On Linux, one that begins with a zero byte is a name in the abstract namespace.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is no such path,
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if no socket listens on it,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied), or another error of `connect`.
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if the listener's queue is full.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub async fn connect<P: AsRef<Path>>(path: P) -> io::Result<UnixStream> {
        UnixStream::connect_addr(&SocketAddr(unix_addr(path.as_ref())?)).await
    }

    /// Connects to an address.
    ///
    /// # Errors
    ///
    /// See [`connect`](Self::connect).
    ///
    /// # Panics
    ///
    /// See [`connect`](Self::connect).
    pub async fn connect_addr(socket_addr: &SocketAddr) -> io::Result<UnixStream> {
        let socket = Socket::open_unix(Kind::Stream)?;
        socket.connect_unix(&socket_addr.0)?;
        UnixStream::connecting(socket).await
    }

    /// Waits for a connection that is under way.
    pub(crate) async fn connecting(socket: Socket) -> io::Result<UnixStream> {
        let stream = UnixStream::new(socket)?;
        // The connection exists at once. If the listener is closed without accepting it, that is reported as an event.
        stream.writable().await?;
        match stream.take_error()? {
            None => Ok(stream),
            Some(error) => Err(error),
        }
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<UnixStream> {
        Registered::new(socket).map(|io| UnixStream { io })
    }

    pub(crate) fn from_registered(io: Registered) -> UnixStream {
        UnixStream { io }
    }

    /// Two streams that are connected to each other.
    ///
    /// # Errors
    ///
    /// An error of `socket`: too many open files (`EMFILE`).
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn pair() -> io::Result<(UnixStream, UnixStream)> {
        let (a, b) = Socket::pair_unix(Kind::Stream)?;
        let stream = |socket| Registered::writable(socket).map(UnixStream::from_registered);
        Ok((stream(a)?, stream(b)?))
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_unix().map(SocketAddr)
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) if the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_unix().map(SocketAddr)
    }

    /// Returns the credentials of the peer.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) where the system does not report it.
    pub fn peer_cred(&self) -> io::Result<UCred> {
        self.socket().peer_cred().map(UCred::new)
    }

    /// Splits the stream into two halves that borrow it. This costs nothing.
    pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
        split::split(self)
    }

    /// Splits the stream into two owned halves, which can move to different tasks. Dropping the write half shuts down
    /// writing.
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        split::into_split(self)
    }

    pub(crate) fn io(&self) -> &Registered {
        &self.io
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }
}

crate::ops::streaming!(UnixStream);

impl fmt::Debug for UnixStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_unix("UnixStream", self.socket(), f)
    }
}
