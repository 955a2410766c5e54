//! `TcpStream`: a TCP connection.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use wasio_runtime::io::{Interest, ReadBuf};

use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::addr::ToSocketAddrs;
use crate::error;
use crate::lookup::to_socket_addrs;
use crate::registered::{Registered, debug_socket};
use crate::sys::{Family, Kind, Opt, Socket};

/// A TCP connection.
///
/// It is read and written through [`AsyncRead`](wasio_runtime::io::AsyncRead) and
/// [`AsyncWrite`](wasio_runtime::io::AsyncWrite). To do both at a time, split it: [`split`](Self::split) borrows,
/// [`into_split`](Self::into_split) returns owned halves. Dropping it closes both directions;
/// [`shutdown`](wasio_runtime::io::AsyncWrite::poll_shutdown) closes only the writing one.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt};
/// use wasio::net::{TcpListener, TcpStream};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let listener = TcpListener::bind("127.0.0.1:0").await?;
/// # let address = listener.local_addr()?;
/// let mut client = TcpStream::connect(address).await?;
/// let (mut server, _) = listener.accept().await?;
///
/// client.write_all(b"ping").await?;
/// client.shutdown().await?;
/// let mut received = Vec::new();
/// server.read_to_end(&mut received).await?;
/// assert_eq!(received, b"ping");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct TcpStream {
    io: Registered,
}

impl TcpStream {
    /// Opens a connection. Several addresses are tried in order, each until it answers or fails.
    ///
    /// # Errors
    ///
    /// An error of the last address' kind, which names every address that was tried and says what came of
    /// it: [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) and others of the network,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) when the host does not grant it. Looking a name
    /// up fails as [`lookup_host`](crate::lookup_host) does.
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
    /// let stream = wasio::net::TcpStream::connect(listener.local_addr()?).await?;
    /// assert_eq!(stream.peer_addr()?, listener.local_addr()?);
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let mut tried = error::Failures::default();
        for addr in to_socket_addrs(addr).await? {
            let connect = async {
                let socket = Socket::open(Family::of(addr), Kind::Stream)?;
                Registered::connect(socket, addr).await
            };
            match connect.await {
                Ok(io) => return Ok(TcpStream { io }),
                Err(e) => tried.add(error::connect(addr)(e)),
            }
        }
        Err(tried.into_error())
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<TcpStream> {
        Registered::new(socket).map(|io| TcpStream { io })
    }

    pub(crate) fn from_registered(io: Registered) -> TcpStream {
        TcpStream { io }
    }

    /// Converts a stream of the standard library, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be registered with the reactor.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, in one without I/O, and in a debug build if the stream blocks.
    ///
    /// # On WASI
    ///
    /// The stream is made non-blocking. On WASI 0.2 that needs the C library of a Rust release that this crate knows
    /// (1.95). With another one it fails with [`Unsupported`](io::ErrorKind::Unsupported).
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::new(Socket::from_std(stream)?)
    }

    /// Converts into the standard library's type. The socket stays non-blocking.
    ///
    /// # Errors
    ///
    /// On WASI 0.2, fails with [`Unsupported`](io::ErrorKind::Unsupported) if [`peek`](Self::peek) or
    /// [`ready`](Self::ready) has seen bytes that have not been read. They would be lost.
    ///
    /// # On WASI
    ///
    /// On preview 1 the standard library can read, write and shut it down, but little more. On WASI 0.2 with the C
    /// library of a Rust release that this crate does not know, only [`from_std`](Self::from_std) can use the result.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        self.io.into_socket().into_std()
    }

    /// Returns the address of this end.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// Returns the address of the other end.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) when the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// Reads without consuming: the next read returns the same bytes. `Ok(0)` is the end of the stream.
    ///
    /// # Errors
    ///
    /// An error of the connection, such as [`ConnectionReset`](io::ErrorKind::ConnectionReset).
    ///
    /// # Cancel safety
    ///
    /// Nothing is consumed, so nothing is lost.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::io::{AsyncReadExt, AsyncWriteExt};
    /// use wasio::net::{TcpListener, TcpStream};
    ///
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let mut client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut server, _) = listener.accept().await?;
    /// client.write_all(b"GET /").await?;
    ///
    /// let mut first = [0; 1];
    /// server.peek(&mut first).await?;
    /// assert_eq!(&first, b"G");
    /// let mut all = [0; 5];
    /// server.read_exact(&mut all).await?;
    /// assert_eq!(&all, b"GET /");
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.async_io(Interest::READABLE, |socket| socket.peek(buf)).await
    }

    /// Like [`peek`](Self::peek), for hand-written futures. Returns how many bytes it added to `buf`.
    ///
    /// # Errors
    ///
    /// An error of the connection, such as [`ConnectionReset`](io::ErrorKind::ConnectionReset).
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_peek(cx, buf)
    }

    /// Returns whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. On WASI hosts without this option it returns what was set last.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket().switch(Opt::NoDelay)
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
        self.socket().set_switch(Opt::NoDelay, nodelay)
    }

    /// Returns how long closing waits for unsent data (`SO_LINGER`). `None` means that it does not wait.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket().linger()
    }

    /// Sets how long closing waits for unsent data, in whole seconds. Closing blocks the thread for that time.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    #[deprecated(note = "a socket that lingers blocks the thread when it is dropped")]
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket().set_linger(dur)
    }

    /// Makes closing abort the connection: unsent data is dropped, and the peer receives a reset.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.socket().set_linger(Some(Duration::ZERO))
    }

    /// Returns how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI preview 1.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket().option(Opt::Ttl)
    }

    /// Sets how many hops a packet may take.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI preview 1.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_option(Opt::Ttl, ttl)
    }

    /// Splits the stream into two halves that borrow it. This costs nothing.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::net::{TcpListener, TcpStream};
    ///
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut server, _) = listener.accept().await?;
    /// drop(client);
    ///
    /// let (mut reader, mut writer) = server.split();
    /// let echoed = wasio::io::copy(&mut reader, &mut writer).await?;
    /// assert_eq!(echoed, 0);
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
        split::split(self)
    }

    /// Splits the stream into two owned halves, which can move to different tasks. Dropping the write half shuts down
    /// writing.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::io::{AsyncReadExt, AsyncWriteExt};
    /// use wasio::net::{TcpListener, TcpStream};
    ///
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let listener = TcpListener::bind("127.0.0.1:0").await?;
    /// let client = TcpStream::connect(listener.local_addr()?).await?;
    /// let (mut server, _) = listener.accept().await?;
    ///
    /// let (mut reader, mut writer) = client.into_split();
    /// let writing = wasio::spawn(async move { writer.write_all(b"hello").await });
    /// writing.await??;
    /// let mut received = String::new();
    /// server.read_to_string(&mut received).await?;
    /// assert_eq!(received, "hello");
    /// # drop(server);
    /// # assert_eq!(reader.read(&mut [0]).await?, 0);
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub fn into_split(self) -> (OwnedReadHalf, OwnedWriteHalf) {
        split::into_split(self)
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }

    pub(crate) fn io(&self) -> &Registered {
        &self.io
    }
}

crate::ops::streaming!(TcpStream);

impl TryFrom<std::net::TcpStream> for TcpStream {
    type Error = io::Error;

    /// See [`TcpStream::from_std`].
    fn try_from(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(stream)
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_socket("TcpStream", self.socket(), f)
    }
}
