//! Messages over IP: `UdpSocket`.

use std::fmt;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll, ready};

use wasio_runtime::io::{Interest, ReadBuf};

use crate::addr::ToSocketAddrs;
use crate::addr::sealed::Found as _;
use crate::error;
use crate::lookup::{local_addrs, to_socket_addrs};
use crate::registered::{Registered, debug_socket};
use crate::sys::{Address, Family, Kind, Membership, Socket};

/// A UDP socket.
///
/// Without a connection it sends to and receives from anyone: [`send_to`](Self::send_to),
/// [`recv_from`](Self::recv_from). After [`connect`](Self::connect) it has one peer: [`send`](Self::send),
/// [`recv`](Self::recv). All operations take `&self`: share it in an `Arc` to send and receive in different
/// tasks.
///
/// # On WASI
///
/// Options that the host does not have (multicast, hops) fail with
/// [`Unsupported`](io::ErrorKind::Unsupported).
///
/// # Examples
///
/// ```
/// use wasio::net::UdpSocket;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let a = UdpSocket::bind("127.0.0.1:0").await?;
/// let b = UdpSocket::bind("127.0.0.1:0").await?;
/// a.send_to(b"hello", b.local_addr()?).await?;
/// let mut buf = [0; 16];
/// let (n, sender) = b.recv_from(&mut buf).await?;
/// assert_eq!((&buf[..n], sender), (&b"hello"[..], a.local_addr()?));
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct UdpSocket {
    io: Registered,
}

impl UdpSocket {
    /// Opens a socket and binds it to an address. With port 0 the system chooses the port, which
    /// [`local_addr`](Self::local_addr) returns. Several addresses are tried in order.
    ///
    /// # Errors
    ///
    /// The error of the last address, which the error names.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub async fn bind<A: ToSocketAddrs>(addr: A) -> io::Result<UdpSocket> {
        local_addrs(addr).await?.each(|addr| {
            let bound = || {
                let socket = Socket::open(Family::of(addr), Kind::Datagram)?;
                socket.bind(addr)?;
                Ok(socket)
            };
            let socket = bound().map_err(error::bind(addr))?;
            Registered::unread(socket).map(|io| UdpSocket { io })
        })
    }

    #[track_caller]
    fn new(socket: Socket) -> io::Result<UdpSocket> {
        Registered::new(socket).map(|io| UdpSocket { io })
    }

    /// Converts a socket of the standard library, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be registered with the reactor.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, in one without I/O, and in a debug build if the socket blocks.
    ///
    /// # On WASI
    ///
    /// The socket is made non-blocking. On WASI 0.2 the standard library's own sockets are accepted with the C library
    /// of Rust 1.95. With another one they fail with [`Unsupported`](io::ErrorKind::Unsupported).
    #[track_caller]
    pub fn from_std(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::new(Socket::from_std(socket)?)
    }

    /// Converts into the standard library's type. The socket stays non-blocking.
    ///
    /// # Errors
    ///
    /// On WASI 0.2, fails with [`Unsupported`](io::ErrorKind::Unsupported) if [`peek_from`](Self::peek_from) has seen a
    /// message that has not been received. The message would be lost.
    ///
    /// # On WASI
    ///
    /// On preview 1 the standard library can do little with it. On WASI 0.2 with the C library of a Rust release that
    /// this crate does not know, only [`from_std`](Self::from_std) can use the result.
    pub fn into_std(self) -> io::Result<std::net::UdpSocket> {
        self.io.into_socket().into_std()
    }

    /// Sets the only peer to send to and receive from. Several addresses are tried in order. Nothing is sent.
    ///
    /// # Errors
    ///
    /// The error of the last address, which the error names.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::net::UdpSocket;
    ///
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// let server = UdpSocket::bind("127.0.0.1:0").await?;
    /// let client = UdpSocket::bind("127.0.0.1:0").await?;
    /// client.connect(server.local_addr()?).await?;
    /// client.send(b"ping").await?;
    ///
    /// let mut buf = [0; 16];
    /// let (n, sender) = server.recv_from(&mut buf).await?;
    /// server.send_to(&buf[..n], sender).await?;
    /// let n = client.recv(&mut buf).await?;
    /// assert_eq!(&buf[..n], b"ping");
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub async fn connect<A: ToSocketAddrs>(&self, addr: A) -> io::Result<()> {
        to_socket_addrs(addr)
            .await?
            .each(|addr| self.io.set_peer(addr).map_err(error::connect(addr)))
    }

    /// Returns the address of this socket.
    ///
    /// # Errors
    ///
    /// An error of `getsockname`.
    pub fn local_addr(&self) -> io::Result<SocketAddr> {
        self.socket().local_addr()
    }

    /// Returns the address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// [`NotConnected`](io::ErrorKind::NotConnected) when it is not.
    pub fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.socket().peer_addr()
    }

    /// Sends a message. Returns its length. If there are several addresses, the first is used.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the host does not grant the address,
    /// [`NetworkUnreachable`](io::ErrorKind::NetworkUnreachable), `EMSGSIZE` if the message is too long, or another
    /// error of `sendto`. [`InvalidInput`](io::ErrorKind::InvalidInput) if there is no address.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped before it completes, the message was not sent.
    pub async fn send_to<A: ToSocketAddrs>(&self, buf: &[u8], addr: A) -> io::Result<usize> {
        let Some(target) = to_socket_addrs(addr).await?.next() else {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "no addresses to send data to",
            ));
        };
        self.io.async_io(Interest::WRITABLE, |socket| send_to(socket, buf, target)).await
    }

    /// Like [`send_to`](Self::send_to), for hand-written futures.
    ///
    /// # Errors
    ///
    /// See [`send_to`](Self::send_to).
    pub fn poll_send_to(
        &self,
        cx: &mut Context<'_>,
        buf: &[u8],
        target: SocketAddr,
    ) -> Poll<io::Result<usize>> {
        self.io.poll_write(cx, |socket| send_to(socket, buf, target))
    }

    /// Like [`send_to`](Self::send_to), without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no room is known to be available: wait for
    /// [`writable`](Self::writable) first. Otherwise the same as for [`send_to`](Self::send_to).
    pub fn try_send_to(&self, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
        self.io.try_io(Interest::WRITABLE, |socket| send_to(socket, buf, target))
    }

    /// Receives a message without consuming it: the next call receives it again.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported that
    /// nothing listens there, or another error of `recv`.
    ///
    /// # Cancel safety
    ///
    /// Nothing is consumed, so nothing is lost.
    pub async fn peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.async_io(Interest::READABLE, |socket| socket.peek(buf)).await
    }

    /// Like [`peek`](Self::peek), for hand-written futures.
    ///
    /// # Errors
    ///
    /// See [`peek`](Self::peek).
    pub fn poll_peek(&self, cx: &mut Context<'_>, buf: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        ready!(self.io.poll_peek(cx, buf))?;
        Poll::Ready(Ok(()))
    }

    /// Like [`peek`](Self::peek), without waiting.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no message is known to be available. Others as of
    /// [`peek`](Self::peek).
    pub fn try_peek(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.io.try_io(Interest::READABLE, |socket| socket.peek(buf))
    }

    /// Like [`peek`](Self::peek), with the sender.
    ///
    /// # Errors
    ///
    /// See [`peek`](Self::peek).
    ///
    /// # Cancel safety
    ///
    /// Nothing is consumed, so nothing is lost.
    pub async fn peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.async_io(Interest::READABLE, |socket| socket.peek_from(buf)).await
    }

    /// Like [`peek_from`](Self::peek_from), for hand-written futures.
    ///
    /// # Errors
    ///
    /// See [`peek`](Self::peek).
    pub fn poll_peek_from(
        &self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<SocketAddr>> {
        self.io.poll_read(cx, |socket| socket.recv_from_into(buf, true))
    }

    /// Like [`peek_from`](Self::peek_from), without waiting.
    ///
    /// # Errors
    ///
    /// See [`try_peek`](Self::try_peek).
    pub fn try_peek_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.io.try_io(Interest::READABLE, |socket| socket.peek_from(buf))
    }

    /// Waits for a message and returns only its sender. A sender's address can be forged.
    ///
    /// # Errors
    ///
    /// See [`peek`](Self::peek).
    ///
    /// # Cancel safety
    ///
    /// Nothing is consumed, so nothing is lost.
    pub async fn peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.async_io(Interest::READABLE, sender).await
    }

    /// Like [`peek_sender`](Self::peek_sender), for hand-written futures.
    ///
    /// # Errors
    ///
    /// See [`peek`](Self::peek).
    pub fn poll_peek_sender(&self, cx: &mut Context<'_>) -> Poll<io::Result<SocketAddr>> {
        self.io.poll_read(cx, sender)
    }

    /// Like [`peek_sender`](Self::peek_sender), without waiting.
    ///
    /// # Errors
    ///
    /// See [`try_peek`](Self::try_peek).
    pub fn try_peek_sender(&self) -> io::Result<SocketAddr> {
        self.io.try_io(Interest::READABLE, sender)
    }

    /// Joins a multicast group on an interface, given by its address; the unspecified one lets the system
    /// choose.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the socket is a member already, `ENODEV` if there is no such
    /// interface, or another error of `setsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn join_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.socket().set_membership(Membership::V4(multiaddr, interface), true)
    }

    /// Joins a multicast group on an interface, given by its index; 0 lets the system choose.
    ///
    /// # Errors
    ///
    /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the socket is a member already, `ENODEV` if there is no such
    /// interface, or another error of `setsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn join_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket().set_membership(Membership::V6(*multiaddr, interface), true)
    }

    /// Leaves a multicast group. See [`join_multicast_v4`](Self::join_multicast_v4).
    ///
    /// # Errors
    ///
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) if the socket is not a member, or another error of
    /// `setsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn leave_multicast_v4(&self, multiaddr: Ipv4Addr, interface: Ipv4Addr) -> io::Result<()> {
        self.socket().set_membership(Membership::V4(multiaddr, interface), false)
    }

    /// Leaves a multicast group. See [`join_multicast_v6`](Self::join_multicast_v6).
    ///
    /// # Errors
    ///
    /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) if the socket is not a member, or another error of
    /// `setsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn leave_multicast_v6(&self, multiaddr: &Ipv6Addr, interface: u32) -> io::Result<()> {
        self.socket().set_membership(Membership::V6(*multiaddr, interface), false)
    }

    pub(crate) fn io(&self) -> &Registered {
        &self.io
    }

    pub(crate) fn socket(&self) -> &Socket {
        self.io.socket()
    }
}

/// Sends. If the host refuses, the error names the grant that permits it.
fn send_to(socket: &Socket, buf: &[u8], target: SocketAddr) -> io::Result<usize> {
    target.send_to(socket, buf).map_err(|e| match e.kind() {
        io::ErrorKind::PermissionDenied => error::connect(target)(e),
        _ => e,
    })
}

fn sender(socket: &Socket) -> io::Result<SocketAddr> {
    // Some systems return the sender only if at least one byte is taken.
    socket.peek_from(&mut [0]).map(|(_, addr)| addr)
}

/// Pairs of a getter and a setter for an option. Targets add options that only they have.
macro_rules! options {
    ($(
        $(#[doc = $what:literal])+
        $opt:ident: $get:ident, $set:ident: $type:ty, $read:ident, $write:ident;
    )*) => {
        impl UdpSocket {$(
            $(#[doc = $what])+
            ///
            /// # Errors
            ///
            /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such
            /// option.
            pub fn $get(&self) -> io::Result<$type> {
                self.socket().$read($crate::sys::Opt::$opt)
            }

            #[doc = concat!("Sets what [`", stringify!($get), "`](Self::", stringify!($get), ") returns.")]
            ///
            /// # Errors
            ///
            /// An error of `setsockopt`, for example if the system refuses the value.
            /// [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
            pub fn $set(&self, value: $type) -> io::Result<()> {
                self.socket().$write($crate::sys::Opt::$opt, value)
            }
        )*}
    };
}

#[allow(unused_imports)] // Not every target has more.
pub(crate) use options;

options! {
    /// Returns whether messages may be sent to broadcast addresses (`SO_BROADCAST`).
    Broadcast: broadcast, set_broadcast: bool, switch, set_switch;
    /// Returns whether messages to IPv4 multicast groups come back to this machine.
    MulticastLoopV4: multicast_loop_v4, set_multicast_loop_v4: bool, switch, set_switch;
    /// Returns whether messages to IPv6 multicast groups come back to this machine.
    MulticastLoopV6: multicast_loop_v6, set_multicast_loop_v6: bool, switch, set_switch;
    /// Returns the maximum number of hops of a message to an IPv4 multicast group.
    MulticastTtlV4: multicast_ttl_v4, set_multicast_ttl_v4: u32, option, set_option;
    /// Returns the maximum number of hops of a message.
    Ttl: ttl, set_ttl: u32, option, set_option;
}

crate::ops::messaging!(UdpSocket, SocketAddr);

impl TryFrom<std::net::UdpSocket> for UdpSocket {
    type Error = io::Error;

    /// See [`UdpSocket::from_std`].
    fn try_from(socket: std::net::UdpSocket) -> io::Result<UdpSocket> {
        UdpSocket::from_std(socket)
    }
}

impl fmt::Debug for UdpSocket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        debug_socket("UdpSocket", self.socket(), f)
    }
}
