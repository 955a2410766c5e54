//! `UnixListener`: accepts Unix connections.

use std::fmt;
use std::io;
use std::path::Path;
use std::task::{Context, Poll, ready};

use wasio_runtime::io::Interest;

use super::SocketAddr;
use super::stream::UnixStream;
use crate::registered::{Registered, debug_unix};
use crate::sys::{Kind, Socket, unix_addr};

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A Unix socket that accepts connections.
///
/// Its path stays in the file system when the listener is dropped.
///
/// # On WASI
///
/// Only on WasmEdge: see the [module](crate::unix).
///
/// # Examples
///
/// ```no_run
/// use wasio::net::UnixListener;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let listener = UnixListener::bind("/run/app.sock")?;
/// loop {
///     let (mut stream, _) = listener.accept().await?;
///     wasio::spawn(async move {
///         let (mut reader, mut writer) = stream.split();
///         wasio::io::copy(&mut reader, &mut writer).await
///     });
/// }
/// # #[allow(unreachable_code)]
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UnixListener {
    pub(crate) io: Registered,
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
    /// Panics outside a runtime, or in one without I/O.
    #[track_caller]
    pub fn bind<P: AsRef<Path>>(path: P) -> io::Result<UnixListener> {
        UnixListener::bind_addr(&SocketAddr(unix_addr(path.as_ref())?))
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
        socket.bind_unix(&socket_addr.0)?;
        socket.listen(BACKLOG)?;
        UnixListener::new(socket)
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<UnixListener> {
        Registered::new(socket).map(|io| UnixListener { io })
    }

    /// Waits for a connection. Returns it with the peer's address, which is usually unnamed.
    ///
    /// # Errors
    ///
    /// An error of `accept`, such as too many open files (`EMFILE`).
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    pub async fn accept(&self) -> io::Result<(UnixStream, SocketAddr)> {
        let (socket, addr) = self.io.async_io(Interest::READABLE, Socket::accept_unix).await?;
        Ok((UnixStream::from_registered(Registered::accepted(socket)?), SocketAddr(addr)))
    }

    /// Like [`accept`](Self::accept), for hand-written futures. Only the waker of the last call is kept.
    ///
    /// # Errors
    ///
    /// See [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(UnixStream, SocketAddr)>> {
        let (socket, addr) = ready!(self.io.poll_read(cx, Socket::accept_unix))?;
        let io = Registered::accepted(socket)?;
        Poll::Ready(Ok((UnixStream::from_registered(io), SocketAddr(addr))))
    }

    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_unix().map(SocketAddr)
    }

    /// Returns the pending error of the socket, if there is one, and clears it (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// Fails if the system cannot be asked (`getsockopt`).
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }
}

impl fmt::Debug for UnixListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_unix("UnixListener", self.socket(), f)
    }
}
