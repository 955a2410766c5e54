//! A connection: `TcpStream`.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use bytes::BufMut;
use wasio_runtime::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};

use super::split::{self, OwnedReadHalf, OwnedWriteHalf, ReadHalf, WriteHalf};
use crate::addr::{ToSocketAddrs, to_socket_addrs};
use crate::error;
use crate::registered::{Registered, debug_socket};
use crate::sys::{Family, Kind, Opt, Socket};

/// A TCP connection.
///
/// It is read and written through [`AsyncRead`] and [`AsyncWrite`]. To do both at a time, split it:
/// [`split`](Self::split) borrows, [`into_split`](Self::into_split) gives owned halves. Dropping it closes
/// both directions; [`shutdown`](wasio_runtime::io::AsyncWrite::poll_shutdown) closes the writing one only.
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
    /// The error of the last address, which it names:
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) and others of the network,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) when the host does not grant it.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime, and in one without I/O.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future abandons the connection.
    pub async fn connect<A: ToSocketAddrs>(addr: A) -> io::Result<TcpStream> {
        let mut last = None;
        for addr in to_socket_addrs(addr).await? {
            let connect = async {
                let socket = Socket::open(Family::of(addr), Kind::Stream)?;
                Registered::connect(socket, addr).await
            };
            match connect.await {
                Ok(io) => return Ok(TcpStream { io }),
                Err(e) => last = Some(error::connect(addr)(e)),
            }
        }
        Err(last.unwrap_or_else(error::no_address))
    }

    #[track_caller]
    pub(crate) fn new(socket: Socket) -> io::Result<TcpStream> {
        Registered::new(socket).map(|io| TcpStream { io })
    }

    pub(crate) fn from_registered(io: Registered) -> TcpStream {
        TcpStream { io }
    }

    /// Takes a stream of the standard library, which must not block.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be registered.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime, in one without I/O, and in a debug build when the stream blocks.
    ///
    /// # On WASI
    ///
    /// The stream is made non-blocking.
    #[track_caller]
    pub fn from_std(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::new(Socket::from_fd(stream.into())?)
    }

    /// Gives the socket to the standard library's type. It still does not block.
    ///
    /// # Errors
    ///
    /// None so far.
    ///
    /// # On WASI
    ///
    /// The standard library can read, write and shut it down, little more.
    pub fn into_std(self) -> io::Result<std::net::TcpStream> {
        Ok(self.io.into_socket().into_fd().into())
    }

    /// The address of this end.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// The address of the other end.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) when the connection is gone.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// The error that the system keeps for this socket, if any; it is forgotten thereby.
    ///
    /// # Errors
    ///
    /// Fails when it cannot be asked.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.socket().take_error()
    }

    /// Waits until the stream is ready for any of `interest`; may be wrong, so try and wait again.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is gone.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until an attempt finds that it is gone.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.io.ready(interest).await
    }

    /// Waits until there is something to read, or the end. See [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// Fails when the runtime is gone.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until an attempt finds that it is gone.
    pub async fn readable(&self) -> io::Result<()> {
        self.io.ready(Interest::READABLE).await.map(drop)
    }

    /// Waits until something can be written. See [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// Fails when the runtime is gone.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until an attempt finds that it is gone.
    pub async fn writable(&self) -> io::Result<()> {
        self.io.ready(Interest::WRITABLE).await.map(drop)
    }

    /// Like [`readable`](Self::readable), for futures written by hand. Only the waker of the last call that
    /// read or polled for reading is kept.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is gone.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_read_ready(cx)
    }

    /// Like [`writable`](Self::writable), for futures written by hand. Only the waker of the last call that
    /// wrote or polled for writing is kept.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is gone.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_write_ready(cx)
    }

    /// Reads what is there; `Ok(0)` is the end.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when nothing is known to be there: wait for
    /// [`readable`](Self::readable) first. Others are of the connection.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, |socket| socket.recv(buf))
    }

    /// Like [`try_read`](Self::try_read), into several buffers.
    ///
    /// # Errors
    ///
    /// See [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, |socket| socket.recv_vectored(bufs))
    }

    /// Like [`try_read`](Self::try_read), appending to a buffer.
    ///
    /// # Errors
    ///
    /// See [`try_read`](Self::try_read).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, |socket| socket.recv_buf(buf))
    }

    /// Writes as much as there is room for; returns how much that was.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when no room is known: wait for
    /// [`writable`](Self::writable) first. Others are of the connection.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.io.try_io(Interest::WRITABLE, |socket| socket.send(buf))
    }

    /// Like [`try_write`](Self::try_write), from several buffers.
    ///
    /// # Errors
    ///
    /// See [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.io.try_io(Interest::WRITABLE, |socket| socket.send_vectored(bufs))
    }

    /// Runs an operation on the socket if it is ready for `interest`. When `f` returns
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is forgotten.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when it is not ready; else those of `f`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.try_io(interest, |_| f())
    }

    /// Runs an operation on the socket, again each time that it becomes ready for `interest`, until `f`
    /// returns something other than [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    ///
    /// Those of `f`, and one when the runtime is gone.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut() -> io::Result<R>,
    ) -> io::Result<R> {
        self.io.async_io(interest, |_| f()).await
    }

    /// Reads without taking: the next read returns the same bytes. `Ok(0)` is the end.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    ///
    /// # Cancel safety
    ///
    /// Nothing is taken, so nothing is lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.async_io(Interest::READABLE, |socket| socket.peek(buf)).await
    }

    /// Like [`peek`](Self::peek), for futures written by hand. Returns how many bytes it added to `buf`.
    ///
    /// # Errors
    ///
    /// Those of the connection.
    pub fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_peek(cx, buf)
    }

    /// Whether small writes are sent at once (`TCP_NODELAY`).
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) on WasmEdge.
    pub fn nodelay(&self) -> io::Result<bool> {
        self.socket().switch(Opt::NoDelay)
    }

    /// Sets whether small writes are sent at once (`TCP_NODELAY`) or may wait for more.
    ///
    /// # Errors
    ///
    /// Those of the system.
    ///
    /// # On WASI
    ///
    /// A host without this option, such as WasmEdge, ignores it: programs treat an error as fatal.
    pub fn set_nodelay(&self, nodelay: bool) -> io::Result<()> {
        self.socket().set_switch(Opt::NoDelay, nodelay)
    }

    /// Whether acknowledgements are sent at once (`TCP_QUICKACK`).
    ///
    /// # Errors
    ///
    /// Those of the system.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn quickack(&self) -> io::Result<bool> {
        self.socket().switch(Opt::QuickAck)
    }

    /// Sets whether acknowledgements are sent at once (`TCP_QUICKACK`). The system may change it back.
    ///
    /// # Errors
    ///
    /// Those of the system.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        self.socket().set_switch(Opt::QuickAck, quickack)
    }

    /// How long closing waits for unsent data (`SO_LINGER`); `None`: not at all.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.socket().linger()
    }

    /// Sets how long closing waits for unsent data, in whole seconds. Closing blocks the thread meanwhile.
    ///
    /// # Errors
    ///
    /// Those of the system.
    #[deprecated(note = "a socket that lingers blocks the thread when it is dropped")]
    pub fn set_linger(&self, dur: Option<Duration>) -> io::Result<()> {
        self.socket().set_linger(dur)
    }

    /// Makes closing abort the connection: unsent data is dropped and the peer sees a reset.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn set_zero_linger(&self) -> io::Result<()> {
        self.socket().set_linger(Some(Duration::ZERO))
    }

    /// How many hops a packet may make.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn ttl(&self) -> io::Result<u32> {
        self.socket().option(Opt::Ttl)
    }

    /// Sets how many hops a packet may make.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn set_ttl(&self, ttl: u32) -> io::Result<()> {
        self.socket().set_option(Opt::Ttl, ttl)
    }

    /// Splits into halves that borrow the stream. Costs nothing.
    pub fn split<'a>(&'a mut self) -> (ReadHalf<'a>, WriteHalf<'a>) {
        split::split(self)
    }

    /// Splits into halves that can move to different tasks. Dropping the writing half shuts it down.
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

impl AsyncRead for TcpStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.io.poll_recv(cx, buf)
    }
}

impl AsyncWrite for TcpStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_send(cx, buf)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.io.poll_send_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Nothing is kept here.
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(self.io.shutdown_write())
    }
}

impl TryFrom<std::net::TcpStream> for TcpStream {
    type Error = io::Error;

    /// See [`TcpStream::from_std`].
    fn try_from(stream: std::net::TcpStream) -> io::Result<TcpStream> {
        TcpStream::from_std(stream)
    }
}

impl AsRef<TcpStream> for TcpStream {
    fn as_ref(&self) -> &TcpStream {
        self
    }
}

impl fmt::Debug for TcpStream {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_socket("TcpStream", self.socket(), f)
    }
}
