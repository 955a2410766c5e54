//! A socket of `wasi:sockets`, of any kind.

use std::fmt;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::time::Duration;

use wasio_runtime::reactor::{Direction, Source, Subscribe, finish};
use wasio_runtime::text_error::text_error;

use super::table::Number;
use super::tcp::Tcp;
use super::udp::Udp;
use crate::sys::{Address, Family, Kind, Membership, Opt, SocketHooks};

/// Calls the same method of a socket of any kind.
macro_rules! each {
    ($shared:expr, $socket:ident => $do:expr) => {
        match &*$shared {
            Shared::Tcp($socket) => $do,
            Shared::Other($socket) => $do,
        }
    };
}
/// A socket that does not block.
pub(crate) struct Socket(pub(super) Arc<Shared>);

/// A socket's resource, which the reactor and the table of numbers share.
///
/// TCP is called directly, so that a program links only the operations that it uses. Other kinds are called through a
/// table, so that a program without them links none of their code.
pub(super) enum Shared {
    Tcp(Tcp),
    Other(Box<dyn Resource>),
}

/// The operations of sockets other than TCP's. Missing ones are `Unsupported`.
pub(super) trait Resource: Subscribe {
    /// The number that stands for the socket.
    fn number(&self) -> &Number;

    /// Returns the socket if it can be given to and taken from the C library.
    fn udp(&self) -> Option<&Udp> {
        None
    }

    /// The same by value, for a socket for which [`udp`](Self::udp) returns some.
    fn into_udp(self: Box<Self>) -> Option<Udp> {
        None
    }

    fn bind(&self, addr: SocketAddr) -> io::Result<()>;

    fn connect(&self, addr: SocketAddr) -> io::Result<()>;

    fn local_addr(&self) -> io::Result<SocketAddr>;

    fn peer_addr(&self) -> io::Result<SocketAddr>;

    fn recv(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize>;

    fn recv_from(&self, _: &mut [MaybeUninit<u8>], _: bool) -> io::Result<(usize, SocketAddr)> {
        unsupported()
    }

    fn send(&self, buf: &[u8]) -> io::Result<usize>;

    fn send_to(&self, _: &[u8], _: SocketAddr) -> io::Result<usize> {
        unsupported()
    }

    fn option(&self, opt: Opt) -> io::Result<u32>;

    fn set_option(&self, opt: Opt, value: u32) -> io::Result<()>;
}

impl Shared {
    /// Returns the TCP socket, for operations that no other kind has.
    pub(super) fn tcp(&self) -> io::Result<&Tcp> {
        match self {
            Shared::Tcp(tcp) => Ok(tcp),
            Shared::Other(_) => unsupported(),
        }
    }

    pub(super) fn number(&self) -> &Number {
        each!(self, socket => socket.number())
    }
}

impl Subscribe for Shared {
    fn pollable(&self, direction: Direction) -> Option<u32> {
        each!(self, socket => socket.pollable(direction))
    }

    fn close(&self) -> bool {
        each!(self, socket => socket.close())
    }
}

pub(super) fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Socket {
    /// Registers the socket with the reactor.
    #[track_caller]
    pub(crate) fn register(&self) -> io::Result<Source> {
        Source::new(self.0.clone())
    }

    #[inline]
    pub(crate) fn open(family: Family, kind: Kind) -> io::Result<Socket> {
        Ok(Socket(Arc::new(match kind {
            Kind::Stream => Shared::Tcp(Tcp::open(family)?),
            Kind::Datagram => Shared::Other(Box::new(Udp::open(family)?)),
        })))
    }

    pub(crate) fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        each!(self.0, socket => socket.bind(addr))
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        self.0.tcp()?.listen(backlog)
    }

    pub(crate) fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        let (tcp, addr) = self.0.tcp()?.accept()?;
        Ok((Socket(Arc::new(Shared::Tcp(tcp))), addr))
    }

    pub(crate) fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        each!(self.0, socket => socket.connect(addr))
    }

    pub(crate) fn connected(&self) -> io::Result<()> {
        self.0.tcp()?.connected()
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        // The operation that finds an error returns it. The interface keeps none.
        Ok(None)
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.tcp()?.shutdown(how)
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        each!(self.0, socket => socket.local_addr())
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        each!(self.0, socket => socket.peer_addr())
    }

    #[inline] // SIZE: a program that never peeks links no code for it (decision 0011).
    pub(crate) fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        each!(self.0, socket => socket.recv(buf, peek))
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut parts = bufs.iter_mut().filter(|buf| !buf.is_empty());
        match (parts.next(), parts.next()) {
            (None, _) => Ok(0),
            (Some(only), None) => self.recv(only),
            _ => {
                let mut joined = vec![0; bufs.iter().map(|buf| buf.len()).sum()];
                let n = self.recv(&mut joined)?;
                let mut bytes = &joined[..n];
                for buf in bufs {
                    let (now, later) = bytes.split_at(buf.len().min(bytes.len()));
                    buf[..now.len()].copy_from_slice(now);
                    bytes = later;
                }
                Ok(n)
            }
        }
    }

    #[inline]
    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        each!(self.0, socket => socket.send(buf))
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        match &*self.0 {
            Shared::Tcp(tcp) => tcp.send_vectored(bufs),
            Shared::Other(other) => {
                other.send(&bufs.iter().flat_map(|buf| buf.iter().copied()).collect::<Vec<u8>>())
            }
        }
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        unsupported()
    }

    pub(crate) fn set_linger(&self, _: Option<Duration>) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn set_keepalive_times(
        &self,
        time: Option<Duration>,
        interval: Option<Duration>,
        retries: Option<u32>,
    ) -> io::Result<()> {
        self.0.tcp()?.set_keepalive_times(time, interval, retries)
    }

    #[inline] // SIZE: callers know the option, and link no code for others (decision 0011).
    pub(crate) fn option(&self, opt: Opt) -> io::Result<u32> {
        each!(self.0, socket => socket.option(opt))
    }

    #[inline]
    pub(crate) fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        // SIZE: the host decides. The result is known here, so callers link no code for an error.
        if opt == Opt::NoDelay {
            if let Shared::Tcp(tcp) = &*self.0 {
                tcp.set_nodelay(value != 0);
            }
            return Ok(());
        }
        each!(self.0, socket => socket.set_option(opt, value))
    }

    pub(crate) fn set_membership(&self, _: Membership, _: bool) -> io::Result<()> {
        unsupported()
    }
}

impl SocketHooks for Socket {
    fn listening(addr: SocketAddr, backlog: u32) -> io::Result<Socket> {
        // The kind of the socket is known here.
        let tcp = Tcp::open(Family::of(addr))?;
        tcp.bind(addr)?;
        tcp.listen(backlog)?;
        Ok(Socket(Arc::new(Shared::Tcp(tcp))))
    }

    fn ensure_bound(&self) -> io::Result<()> {
        self.0.tcp()?.ensure_bound()
    }

    fn is_read_closed(&self) -> bool {
        // Pollables do not tell this. It may read ahead.
        self.0.tcp().is_ok_and(|tcp| tcp.is_read_closed())
    }

    fn reconnect(&self, source: &Source, addr: SocketAddr) -> io::Result<()> {
        source.refresh(|| self.connect(addr))
    }

    fn deregister(&self, source: Source) {
        match &*self.0 {
            Shared::Tcp(tcp) => tcp.without_writes(|| drop(source)),
            Shared::Other(_) => drop(source),
        }
    }

    fn ensure_nothing_ahead(&self) -> io::Result<()> {
        match self.is_ahead() {
            true => Err(text_error(
                io::ErrorKind::Unsupported,
                "bytes that `peek` or `ready` has read ahead would be lost to the standard library: read them before \
                 `into_std`",
            )),
            false => Ok(()),
        }
    }
}

impl Drop for Socket {
    #[inline(never)] // SIZE: every operation that makes one may have to drop it.
    fn drop(&mut self) {
        // If the socket was registered and is still writing, the reactor has taken it over by now. A share in the table
        // means that the socket stays open. For any other socket nothing else waits for the writes.
        if Arc::strong_count(&self.0) == 1 && self.0.close() {
            finish(self.0.clone());
        }
    }
}

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Socket").field(&self.as_raw_fd()).finish()
    }
}

impl Address for SocketAddr {
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        match &*socket.0 {
            Shared::Tcp(_) => unsupported(),
            Shared::Other(other) => other.recv_from(buf, peek),
        }
    }

    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize> {
        match &*socket.0 {
            Shared::Tcp(_) => unsupported(),
            Shared::Other(other) => other.send_to(buf, *self),
        }
    }
}
