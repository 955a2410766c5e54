//! `Socket`: opening, connecting, sending and receiving.
#![allow(unsafe_code)] // `FromRawFd` is an unsafe trait.

use std::ffi::c_int;
use std::fmt;
use std::io::{self, IoSlice, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::net::{self, Shutdown};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};
use std::time::Duration;

use crate::sys::number::{MSG_OOB, MSG_PEEK};
use crate::{
    Domain, MaybeUninitSlice, MsgHdr, MsgHdrMut, Protocol, RecvFlags, SockAddr, Type, sys,
};

/// A socket of the system, closed when it is dropped.
pub struct Socket(pub(crate) sys::Inner);

/// Documents that a method returns the system's errors.
macro_rules! system {
    ($($(#[$meta:meta])* $name:ident($($arg:ident: $type:ty),*) -> $result:ty = $do:expr;)*) => {$(
        $(#[$meta])*
        ///
        /// # Errors
        ///
        /// An error of the system call of the same name. [`Unsupported`](std::io::ErrorKind::Unsupported) where a
        /// WASI host has no such operation.
        pub fn $name(&self, $($arg: $type),*) -> io::Result<$result> {
            let run: fn(&Socket, $($type),*) -> io::Result<$result> = $do;
            run(self, $($arg),*)
        }
    )*};
}

impl Socket {
    /// Opens a socket that blocks and that programs started from this one do not inherit. On wasm32-wasip2 it does
    /// not block.
    ///
    /// # Errors
    ///
    /// An error of `socket`, such as too many open files (`EMFILE`). [`Unsupported`](std::io::ErrorKind::Unsupported)
    /// on WASI for anything but TCP and UDP.
    pub fn new(domain: Domain, ty: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
        sys::Inner::open(domain.0, ty.0, protocol.map_or(0, |p| p.0)).map(Socket)
    }

    /// Like [`new`](Self::new), with no flag set.
    ///
    /// # Errors
    ///
    /// The same as for [`new`](Self::new).
    pub fn new_raw(domain: Domain, ty: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
        sys::Inner::open_raw(domain.0, ty.0, protocol.map_or(0, |p| p.0)).map(Socket)
    }

    /// Opens two sockets that are connected to each other.
    ///
    /// # Errors
    ///
    /// An error of `socket`, such as too many open files (`EMFILE`). [`Unsupported`](std::io::ErrorKind::Unsupported)
    /// on WASI.
    #[cfg(feature = "all")]
    pub fn pair(
        domain: Domain,
        ty: Type,
        protocol: Option<Protocol>,
    ) -> io::Result<(Socket, Socket)> {
        let pair = sys::Inner::pair(domain.0, ty.0, protocol.map_or(0, |p| p.0));
        pair.map(|(a, b)| (Socket(a), Socket(b)))
    }

    /// Like [`pair`](Self::pair), with no flag set.
    ///
    /// # Errors
    ///
    /// The same as for [`pair`](Self::pair).
    #[cfg(feature = "all")]
    pub fn pair_raw(
        domain: Domain,
        ty: Type,
        protocol: Option<Protocol>,
    ) -> io::Result<(Socket, Socket)> {
        let pair = sys::Inner::pair_raw(domain.0, ty.0, protocol.map_or(0, |p| p.0));
        pair.map(|(a, b)| (Socket(a), Socket(b)))
    }

    system! {
        /// Binds the socket to an address.
        bind(address: &SockAddr) -> () = |s, address| s.0.bind(address);
        /// Connects. A non-blocking socket is not connected yet when this returns.
        connect(address: &SockAddr) -> () = |s, address| s.0.connect(address);
        /// Makes the socket accept connections.
        listen(backlog: c_int) -> () = |s, backlog| s.0.listen(backlog);
        /// Accepts a connection.
        accept() -> (Socket, SockAddr) = |s| s.0.accept().map(|(new, from)| (Socket(new), from));
        /// Like [`accept`](Self::accept), with no flag set.
        accept_raw() -> (Socket, SockAddr) =
            |s| s.0.accept_raw().map(|(new, from)| (Socket(new), from));
        /// Returns the address that the socket is bound to.
        local_addr() -> SockAddr = |s| s.0.local_addr();
        /// Returns the address that the socket is connected to.
        peer_addr() -> SockAddr = |s| s.0.peer_addr();
        /// Returns another handle of the same socket.
        try_clone() -> Socket = |s| s.0.try_clone().map(Socket);
        /// Sets whether operations return [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting.
        set_nonblocking(nonblocking: bool) -> () = |s, nonblocking| s.0.set_nonblocking(nonblocking);
        /// Ends one or both directions.
        shutdown(how: Shutdown) -> () = |s, how| s.0.shutdown(how);
        /// Receives out-of-band data.
        recv_out_of_band(buf: &mut [MaybeUninit<u8>]) -> usize = |s, buf| s.0.recv(buf, MSG_OOB);
        /// Returns the sender of the next message, which stays in the socket.
        peek_sender() -> SockAddr =
            |s| s.0.recv_from(&mut [MaybeUninit::uninit(); 8], MSG_PEEK).map(|(_, from)| from);
        /// Sends to the connected peer.
        send(buf: &[u8]) -> usize = |s, buf| s.0.send(buf, 0);
        /// Like [`send`](Self::send), with flags.
        send_with_flags(buf: &[u8], flags: c_int) -> usize = |s, buf, flags| s.0.send(buf, flags);
        /// Sends out-of-band data.
        send_out_of_band(buf: &[u8]) -> usize = |s, buf| s.0.send(buf, MSG_OOB);
        /// Sends a message to an address.
        send_to(buf: &[u8], addr: &SockAddr) -> usize = |s, buf, addr| s.0.send_to(buf, addr, 0);
        /// Like [`send_to`](Self::send_to), with flags.
        send_to_with_flags(buf: &[u8], addr: &SockAddr, flags: c_int) -> usize =
            |s, buf, addr, flags| s.0.send_to(buf, addr, flags);
    }

    #[cfg(feature = "all")]
    system! {
        /// Returns whether operations return [`WouldBlock`](io::ErrorKind::WouldBlock) instead of waiting.
        nonblocking() -> bool = |s| s.0.nonblocking();
        /// Like [`accept`](Self::accept), with flags (`SOCK_NONBLOCK`, `SOCK_CLOEXEC`).
        accept4(flags: c_int) -> (Socket, SockAddr) =
            |s, flags| s.0.accept4(flags).map(|(new, from)| (Socket(new), from));
        /// Sets whether programs started from this one do not inherit the socket.
        set_cloexec(close_on_exec: bool) -> () = |s, on| s.0.set_cloexec(on);
    }

    /// Connects, and waits until the connection is there, or for `timeout`. Natively and on wasm32-wasip1 the socket
    /// blocks afterwards.
    ///
    /// # Errors
    ///
    /// [`TimedOut`](io::ErrorKind::TimedOut) if the connection took longer; it may be established all the same. Those
    /// of the system otherwise.
    pub fn connect_timeout(&self, addr: &SockAddr, timeout: Duration) -> io::Result<()> {
        self.0.connect_timeout(addr, timeout)
    }

    /// Receives. The first bytes of `buf`, as many as are returned, are initialised.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`.
    pub fn recv(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        self.0.recv(buf, 0)
    }

    /// Like [`recv`](Self::recv), with flags.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`. [`Unsupported`](std::io::ErrorKind::Unsupported) on
    /// WASI for any flag but `MSG_PEEK`.
    pub fn recv_with_flags(&self, buf: &mut [MaybeUninit<u8>], flags: c_int) -> io::Result<usize> {
        self.0.recv(buf, flags)
    }

    /// Receives into several buffers, one after the other.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`.
    pub fn recv_vectored(
        &self,
        bufs: &mut [MaybeUninitSlice<'_>],
    ) -> io::Result<(usize, RecvFlags)> {
        self.recv_vectored_with_flags(bufs, 0)
    }

    /// Like [`recv_vectored`](Self::recv_vectored), with flags.
    ///
    /// # Errors
    ///
    /// The same as for [`recv_with_flags`](Self::recv_with_flags).
    pub fn recv_vectored_with_flags(
        &self,
        bufs: &mut [MaybeUninitSlice<'_>],
        flags: c_int,
    ) -> io::Result<(usize, RecvFlags)> {
        let mut message = MsgHdrMut::new().with_buffers(bufs);
        let n = self.0.recvmsg(&mut message.0, flags)?;
        Ok((n, message.flags()))
    }

    /// Like [`recv`](Self::recv), but the received bytes stay in the socket.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`.
    pub fn peek(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        self.0.recv(buf, MSG_PEEK)
    }

    /// Receives a message and its sender.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`.
    pub fn recv_from(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, SockAddr)> {
        self.0.recv_from(buf, 0)
    }

    /// Like [`recv_from`](Self::recv_from), with flags.
    ///
    /// # Errors
    ///
    /// The same as for [`recv_with_flags`](Self::recv_with_flags).
    pub fn recv_from_with_flags(
        &self,
        buf: &mut [MaybeUninit<u8>],
        flags: c_int,
    ) -> io::Result<(usize, SockAddr)> {
        self.0.recv_from(buf, flags)
    }

    /// Receives a message into several buffers, one after the other, and its sender.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`.
    pub fn recv_from_vectored(
        &self,
        bufs: &mut [MaybeUninitSlice<'_>],
    ) -> io::Result<(usize, RecvFlags, SockAddr)> {
        self.recv_from_vectored_with_flags(bufs, 0)
    }

    /// Like [`recv_from_vectored`](Self::recv_from_vectored), with flags.
    ///
    /// # Errors
    ///
    /// The same as for [`recv_with_flags`](Self::recv_with_flags).
    pub fn recv_from_vectored_with_flags(
        &self,
        bufs: &mut [MaybeUninitSlice<'_>],
        flags: c_int,
    ) -> io::Result<(usize, RecvFlags, SockAddr)> {
        let mut from = sys::no_address();
        let mut message = MsgHdrMut::new().with_addr(&mut from).with_buffers(bufs);
        let n = self.0.recvmsg(&mut message.0, flags)?;
        let (flags, len) = (message.flags(), message.0.addr_len());
        from.len = len;
        Ok((n, flags, from))
    }

    /// Like [`recv_from`](Self::recv_from); the message stays in the socket.
    ///
    /// # Errors
    ///
    /// [`ConnectionRefused`](std::io::ErrorKind::ConnectionRefused) if the peer of a connected socket has reported
    /// that nothing listens there, or another error of `recv`.
    pub fn peek_from(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, SockAddr)> {
        self.0.recv_from(buf, MSG_PEEK)
    }

    /// Receives a message with its control data.
    ///
    /// # Errors
    ///
    /// The same as for [`recv_with_flags`](Self::recv_with_flags). On WASI no control data comes.
    pub fn recvmsg(&self, msg: &mut MsgHdrMut<'_, '_, '_>, flags: c_int) -> io::Result<usize> {
        self.0.recvmsg(&mut msg.0, flags)
    }

    /// Sends several buffers as one.
    ///
    /// # Errors
    ///
    /// An error of `sendmsg`, such as `EMSGSIZE` if a message is too long.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.send_vectored_with_flags(bufs, 0)
    }

    /// Like [`send_vectored`](Self::send_vectored), with flags.
    ///
    /// # Errors
    ///
    /// An error of `sendmsg`, such as `EMSGSIZE` if a message is too long.
    /// [`Unsupported`](std::io::ErrorKind::Unsupported) on WASI for any flag but `MSG_NOSIGNAL`.
    pub fn send_vectored_with_flags(
        &self,
        bufs: &[IoSlice<'_>],
        flags: c_int,
    ) -> io::Result<usize> {
        self.sendmsg(&MsgHdr::new().with_buffers(bufs), flags)
    }

    /// Sends several buffers as one message to an address.
    ///
    /// # Errors
    ///
    /// An error of `sendmsg`, such as `EMSGSIZE` if a message is too long.
    pub fn send_to_vectored(&self, bufs: &[IoSlice<'_>], addr: &SockAddr) -> io::Result<usize> {
        self.send_to_vectored_with_flags(bufs, addr, 0)
    }

    /// Like [`send_to_vectored`](Self::send_to_vectored), with flags.
    ///
    /// # Errors
    ///
    /// The same as for [`send_vectored_with_flags`](Self::send_vectored_with_flags).
    pub fn send_to_vectored_with_flags(
        &self,
        bufs: &[IoSlice<'_>],
        addr: &SockAddr,
        flags: c_int,
    ) -> io::Result<usize> {
        self.sendmsg(&MsgHdr::new().with_addr(addr).with_buffers(bufs), flags)
    }

    /// Sends a message with its control data.
    ///
    /// # Errors
    ///
    /// The same as for [`send_vectored_with_flags`](Self::send_vectored_with_flags); on WASI also
    /// [`Unsupported`](io::ErrorKind::Unsupported) if there is control data.
    pub fn sendmsg(&self, msg: &MsgHdr<'_, '_, '_>, flags: c_int) -> io::Result<usize> {
        self.0.sendmsg(&msg.0, flags)
    }
}

/// `Read` and `Write` for a socket and for a reference to one.
macro_rules! streams {
    ($($type:ty),*) => {$(
        impl Read for $type {
            fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
                self.0.read(buf)
            }

            fn read_vectored(&mut self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
                self.0.read_vectored(bufs)
            }
        }

        impl Write for $type {
            fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
                self.send(buf)
            }

            fn write_vectored(&mut self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
                self.send_vectored(bufs)
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
    )*};
}

streams!(Socket, &Socket);

impl fmt::Debug for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Socket")
            .field("raw", &self.as_raw_fd())
            .field("local_addr", &self.local_addr().ok())
            .field("peer_addr", &self.peer_addr().ok())
            .finish()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
    }
}

impl IntoRawFd for Socket {
    fn into_raw_fd(self) -> RawFd {
        self.0.into_fd().into_raw_fd()
    }
}

impl FromRawFd for Socket {
    /// Takes a socket by its descriptor.
    ///
    /// # Safety
    ///
    /// The descriptor is a socket, and nothing else owns it.
    unsafe fn from_raw_fd(fd: RawFd) -> Socket {
        // SAFETY: promised by the caller.
        Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Socket {
        Socket(sys::Inner::from_fd(fd))
    }
}

impl From<Socket> for OwnedFd {
    fn from(socket: Socket) -> OwnedFd {
        socket.0.into_fd()
    }
}

macro_rules! standard {
    ($($type:ty),*) => {$(
        impl From<$type> for Socket {
            fn from(socket: $type) -> Socket {
                Socket::from(OwnedFd::from(socket))
            }
        }

        impl From<Socket> for $type {
            fn from(socket: Socket) -> $type {
                <$type>::from(OwnedFd::from(socket))
            }
        }
    )*};
}
#[cfg(feature = "all")]
#[allow(unused_imports)] // Not every target has more.
pub(crate) use standard;

standard!(net::TcpStream, net::TcpListener, net::UdpSocket);
