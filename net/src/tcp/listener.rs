//! `TcpListener`: accepts TCP connections.

use std::fmt;
use std::future::{Future, poll_fn};
use std::io;
use std::marker::PhantomPinned;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use wasio_runtime::io::Interest;

use super::stream::TcpStream;
use crate::addr::ToSocketAddrs;
use crate::addr::sealed::Found as _;
use crate::error;
use crate::lookup::local_addrs;
use crate::registered::{Registered, debug_socket};
use crate::sys::{Opt, Socket, SocketHooks as _};

/// The maximum number of connections that wait to be accepted.
const BACKLOG: u32 = 1024;

/// A TCP socket that accepts connections.
///
/// # Examples
///
/// ```
/// use wasio::io::AsyncWriteExt;
/// use wasio::net::{TcpListener, TcpStream};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let listener = TcpListener::bind("127.0.0.1:0").await?;
/// let client = TcpStream::connect(listener.local_addr()?).await?;
/// let (mut server, peer) = listener.accept().await?;
/// assert_eq!(peer, client.local_addr()?);
/// server.write_all(b"hello").await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpListener {
    io: Registered,
}

impl TcpListener {
    /// Listens on an address. Port 0 lets the system choose: [`local_addr`](Self::local_addr) tells which.
    ///
    /// Several addresses are tried in order. `SO_REUSEADDR` is set where there is such a thing, so that a
    /// server can be restarted at once.
    ///
    /// # Errors
    ///
    /// The error of the last address, which it names: [`AddrInUse`](io::ErrorKind::AddrInUse),
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied), …
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    // Not `async`, as `accept`.
    pub fn bind<A: ToSocketAddrs>(addr: A) -> impl Future<Output = io::Result<TcpListener>> {
        let (mut found, unmovable) = (local_addrs(addr), PhantomPinned);
        poll_fn(move |cx| {
            let _ = &unmovable;
            let addrs = ready!(Pin::new(&mut found).poll(cx))?;
            Poll::Ready(addrs.each(|addr| {
                TcpListener::new(Socket::listening(addr, BACKLOG).map_err(error::bind(addr))?)
            }))
        })
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<TcpListener> {
        Registered::new(socket).map(|io| TcpListener { io })
    }

    /// Waits for a connection. Returns it with the peer's address.
    ///
    /// # Errors
    ///
    /// An error of `accept`. None of them ends the listener. If no descriptor is free (`EMFILE`, on WASI 0.2 "the
    /// host gives no more sockets"), the connection stays in the queue: report it, wait a little, and continue.
    /// Without the wait a server would spin.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses no connection.
    ///
    /// # Examples
    ///
    /// ```no_run
    /// use std::time::Duration;
    ///
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let listener = wasio::net::TcpListener::bind("127.0.0.1:8080").await?;
    /// loop {
    ///     let (stream, peer) = match listener.accept().await {
    ///         Ok(accepted) => accepted,
    ///         Err(e) => {
    ///             eprintln!("accept: {e}");
    ///             wasio::time::sleep(Duration::from_millis(100)).await;
    ///             continue;
    ///         }
    ///     };
    ///     wasio::spawn(async move {
    ///         println!("{peer} has come");
    ///         drop(stream);
    ///     });
    /// }
    /// # #[allow(unreachable_code)]
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    // SIZE: not `async`, which would add a coroutine around the only future.
    pub fn accept(&self) -> impl Future<Output = io::Result<(TcpStream, SocketAddr)>> {
        let accept = |socket: &Socket| {
            let (socket, addr) = socket.accept()?;
            Ok((TcpStream::from_registered(Registered::accepted(socket)?), addr))
        };
        let (mut accepted, unmovable) =
            (self.io.async_io(Interest::READABLE, accept), PhantomPinned);
        poll_fn(move |cx| {
            let _ = &unmovable;
            Pin::new(&mut accepted).poll(cx)
        })
    }

    /// Like [`accept`](Self::accept), for hand-written futures. Only the waker of the last call is kept.
    ///
    /// # Errors
    ///
    /// See [`accept`](Self::accept).
    pub fn poll_accept(&self, cx: &mut Context<'_>) -> Poll<io::Result<(TcpStream, SocketAddr)>> {
        let accepted = self.io.poll_accept(cx)?;
        accepted.map(|(io, addr)| Ok((TcpStream::from_registered(io), addr)))
    }

    /// Converts a listener of the standard library, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be registered with the reactor.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, in one without I/O, and in a debug build if the listener blocks.
    ///
    /// # On WASI
    ///
    /// The listener is made non-blocking. See [`TcpStream::from_std`] for WASI 0.2.
    #[track_caller]
    pub fn from_std(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::new(Socket::from_std(listener)?)
    }

    /// Converts into the standard library's type. The socket stays non-blocking.
    ///
    /// # Errors
    ///
    /// It does not fail at present.
    ///
    /// # On WASI
    ///
    /// On preview 1 the standard library can accept connections, but little more. See [`TcpStream::into_std`] for WASI
    /// 0.2.
    pub fn into_std(self) -> io::Result<std::net::TcpListener> {
        self.io.into_socket().into_std()
    }

    /// Returns the address that the listener is bound to.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.socket().local_addr()
    }

    /// Returns how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI preview 1.
    pub fn ttl(&self) -> io::Result<u32> {
        self.io.socket().option(Opt::Ttl)
    }

    /// Sets how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI preview 1.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.io.socket().set_option(Opt::Ttl, ttl)
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }
}

impl TryFrom<std::net::TcpListener> for TcpListener {
    type Error = io::Error;

    /// See [`TcpListener::from_std`].
    fn try_from(listener: std::net::TcpListener) -> io::Result<TcpListener> {
        TcpListener::from_std(listener)
    }
}

impl fmt::Debug for TcpListener {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_socket("TcpListener", self.socket(), f)
    }
}
