//! A socket and its registration with the reactor, of which all types of this crate consist.

use std::fmt;
use std::future::Future;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::task::{Context, Poll, ready};

use wasio_runtime::io::{Interest, ReadBuf, Ready};
use wasio_runtime::reactor::{Direction, Source};

use crate::sys::{HOST_NET, Socket, SocketHooks as _};

pub(crate) struct Registered {
    // Declared before the socket, so that it is deregistered before the socket is closed.
    source: Source,
    socket: Socket,
}

impl Registered {
    #[track_caller]
    #[inline(never)] // SIZE: 25 bytes of an echo server on WASI 0.2, more with each kind of socket.
    pub(crate) fn new(socket: Socket) -> io::Result<Registered> {
        let source = socket.register()?;
        Ok(Registered { source, socket })
    }

    /// Registers a connection that was just accepted. Its first read and write are worth an attempt, and a wait for
    /// them returns at once, as in tokio.
    #[track_caller]
    pub(crate) fn accepted(socket: Socket) -> io::Result<Registered> {
        let io = Registered::new(socket)?;
        io.source.assume_ready(Ready::READABLE | Ready::WRITABLE);
        Ok(io)
    }

    /// Registers a socket whose buffers are empty.
    pub(crate) fn writable(socket: Socket) -> io::Result<Registered> {
        let io = Registered::new(socket)?;
        io.source.assume_ready(Ready::WRITABLE);
        Ok(io)
    }

    /// Registers a socket that cannot have received anything yet.
    #[track_caller]
    pub(crate) fn unread(socket: Socket) -> io::Result<Registered> {
        let io = Registered::new(socket)?;
        if HOST_NET.reports_unasked {
            io.source.never_try_first(Ready::READABLE);
        }
        Ok(io)
    }

    /// Begins to connect, and waits until the connection succeeded or failed.
    ///
    /// It suspends even if the connection exists at once, as tokio does: programs rely on other tasks running before a
    /// connection is there.
    pub(crate) async fn connect(socket: Socket, addr: SocketAddr) -> io::Result<Registered> {
        socket.connect(addr)?;
        let io = Registered::new(socket)?;
        io.source.never_try_first(Ready::WRITABLE);
        io.source.async_io(Interest::WRITABLE, || io.socket.connected()).await?;
        io.source.assume_ready(Ready::WRITABLE);
        Ok(io)
    }

    pub(crate) fn socket(&self) -> &Socket {
        &self.socket
    }

    pub(crate) fn into_socket(self) -> Socket {
        self.socket.deregister(self.source);
        self.socket
    }

    pub(crate) async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        let ready = self.source.ready(interest).await?;
        if ready.is_readable() && self.socket.is_read_closed() {
            return Ok(ready | Ready::READ_CLOSED);
        }
        Ok(ready)
    }

    /// Like `ready`, without returning the readiness.
    pub(crate) async fn wait(&self, interest: Interest) -> io::Result<()> {
        self.source.ready(interest).await.map(drop)
    }

    pub(crate) fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(cx, Direction::Read)
    }

    pub(crate) fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(cx, Direction::Write)
    }

    pub(crate) fn poll_read<R>(
        &self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&Socket) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source.poll_io(cx, Direction::Read, || op(&self.socket))
    }

    pub(crate) fn poll_write<R>(
        &self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&Socket) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.source.poll_io(cx, Direction::Write, || op(&self.socket))
    }

    pub(crate) fn try_io<R>(
        &self,
        interest: Interest,
        op: impl FnOnce(&Socket) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_io(interest, || op(&self.socket))
    }

    pub(crate) fn async_io<R>(
        &self,
        interest: Interest,
        mut op: impl FnMut(&Socket) -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        self.source.async_io(interest, move || op(&self.socket))
    }

    /// Reads from a stream into the free part of `buf`.
    pub(crate) fn poll_read_into(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.source.poll_read(cx, || self.socket.recv_all_into(buf))
    }

    /// Receives a message into the free part of `buf`.
    pub(crate) fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.poll_read(cx, |socket| socket.recv_into(buf, false).map(drop))
    }

    pub(crate) fn poll_peek(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<usize>> {
        self.poll_read(cx, |socket| socket.recv_into(buf, true))
    }

    pub(crate) fn poll_send(&self, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        self.poll_write(cx, |socket| socket.send(buf))
    }

    pub(crate) fn poll_send_vectored(
        &self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.poll_write(cx, |socket| socket.send_vectored(bufs))
    }

    /// Sets the peer of a datagram socket.
    pub(crate) fn set_peer(&self, addr: SocketAddr) -> io::Result<()> {
        self.socket.reconnect(&self.source, addr)
    }

    /// Accepts a connection and registers it.
    pub(crate) fn poll_accept(
        &self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<(Registered, SocketAddr)>> {
        let (socket, addr) = ready!(self.poll_read(cx, Socket::accept))?;
        Poll::Ready(Registered::accepted(socket).map(|io| (io, addr)))
    }

    /// Shuts the writing half down. It is no error if the peer has closed first.
    pub(crate) fn shutdown_write(&self) -> io::Result<()> {
        match self.socket.shutdown(std::net::Shutdown::Write) {
            Err(e) if e.kind() == io::ErrorKind::NotConnected => Ok(()),
            result => result,
        }
    }
}

impl fmt::Debug for Registered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.socket.fmt(f)
    }
}

/// `Debug` for a type that holds a socket: the addresses that are known, and the descriptor.
pub(crate) fn debug_socket(name: &str, socket: &Socket, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut debug = f.debug_struct(name);
    if let Ok(addr) = socket.local_addr() {
        debug.field("addr", &addr);
    }
    if let Ok(peer) = socket.peer_addr() {
        debug.field("peer", &peer);
    }
    debug.field("fd", &socket.fd_number()).finish()
}

/// Like [`debug_socket`], for a Unix socket.
pub(crate) fn debug_unix(name: &str, socket: &Socket, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let mut debug = f.debug_struct(name);
    if let Ok(addr) = socket.local_unix() {
        debug.field("addr", &addr);
    }
    if let Ok(peer) = socket.peer_unix() {
        debug.field("peer", &peer);
    }
    debug.field("fd", &socket.fd_number()).finish()
}
