//! `Socket` and `SockRef`.
#![allow(unsafe_code)] // `FromRawFd` is an unsafe trait.

use std::io::{self, IoSlice, Read, Write};
use std::marker::PhantomData;
use std::mem::MaybeUninit;
use std::net::{self, Shutdown};
use std::ops::Deref;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use wasio_net::raw::RawSocket;

use crate::{Domain, Protocol, SockAddr, Type};

/// A socket of the system.
#[derive(Debug)]
pub struct Socket(pub(crate) RawSocket);

fn unsupported<T>() -> io::Result<T> {
    Err(io::ErrorKind::Unsupported.into())
}

impl Socket {
    /// Opens a socket. Natively it blocks, on WASI it never does.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) for anything but TCP and UDP.
    pub fn new(domain: Domain, ty: Type, protocol: Option<Protocol>) -> io::Result<Socket> {
        let v6 = match domain {
            Domain::IPV4 => false,
            Domain::IPV6 => true,
            _ => return unsupported(),
        };
        let stream = match (ty, protocol) {
            (Type::STREAM, None | Some(Protocol::TCP)) => true,
            (Type::DGRAM, None | Some(Protocol::UDP)) => false,
            _ => return unsupported(),
        };
        let socket = RawSocket::open(v6, stream)?;
        #[cfg(unix)]
        socket.set_nonblocking(false)?;
        Ok(Socket(socket))
    }

    /// Gives the socket an address.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn bind(&self, address: &SockAddr) -> io::Result<()> {
        self.0.bind(address.std())
    }

    /// Connects. A socket that does not block is not connected yet when this returns.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn connect(&self, address: &SockAddr) -> io::Result<()> {
        self.0.connect(address.std())
    }

    /// Makes the socket accept connections.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn listen(&self, backlog: i32) -> io::Result<()> {
        self.0.listen(u32::try_from(backlog).unwrap_or(0))
    }

    /// Accepts a connection.
    ///
    /// # Errors
    ///
    /// Those of the system; [`WouldBlock`](io::ErrorKind::WouldBlock) when there is none and the socket does
    /// not block.
    pub fn accept(&self) -> io::Result<(Socket, SockAddr)> {
        let (socket, addr) = self.0.accept()?;
        #[cfg(unix)]
        socket.set_nonblocking(false)?;
        Ok((Socket(socket), addr.into()))
    }

    /// The address that the socket is bound to.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn local_addr(&self) -> io::Result<SockAddr> {
        self.0.local_addr().map(SockAddr::from)
    }

    /// The address that the socket is connected to.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn peer_addr(&self) -> io::Result<SockAddr> {
        self.0.peer_addr().map(SockAddr::from)
    }

    /// A second handle of the same socket.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn try_clone(&self) -> io::Result<Socket> {
        self.0.try_clone().map(Socket)
    }

    /// Whether operations return instead of waiting.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) on WASI if they are to wait.
    pub fn set_nonblocking(&self, nonblocking: bool) -> io::Result<()> {
        self.0.set_nonblocking(nonblocking)
    }

    /// Ends one or both directions.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    /// The error that is pending, if any.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Receives; the first bytes of `buf`, as many as are returned, are initialised.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn recv(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        self.0.recv_uninit(buf, false)
    }

    /// Like [`recv`](Self::recv); what was received stays.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn peek(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
        self.0.recv_uninit(buf, true)
    }

    /// Like [`recv`](Self::recv), with the sender.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn recv_from(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, SockAddr)> {
        self.0.recv_from(buf, false).map(|(n, addr)| (n, addr.into()))
    }

    /// Like [`recv_from`](Self::recv_from); what was received stays.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn peek_from(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, SockAddr)> {
        self.0.recv_from(buf, true).map(|(n, addr)| (n, addr.into()))
    }

    /// Sends to the connected peer.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    /// Like [`send`](Self::send), from several buffers.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        self.0.send_vectored(bufs)
    }

    /// Sends a message to an address.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn send_to(&self, buf: &[u8], addr: &SockAddr) -> io::Result<usize> {
        self.0.send_to(buf, addr.std())
    }
}

impl Read for &Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }
}

impl Read for Socket {
    fn read(&mut self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }
}

impl Write for &Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Write for Socket {
    fn write(&mut self, buf: &[u8]) -> io::Result<usize> {
        self.0.send(buf)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
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
    /// The descriptor is a socket that nobody else owns.
    unsafe fn from_raw_fd(fd: RawFd) -> Socket {
        // SAFETY: promised by the caller.
        Socket::from(unsafe { OwnedFd::from_raw_fd(fd) })
    }
}

impl From<OwnedFd> for Socket {
    fn from(fd: OwnedFd) -> Socket {
        Socket(RawSocket::from_fd(fd))
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

standard!(net::TcpStream, net::TcpListener, net::UdpSocket);

/// A socket that somebody else owns, to be configured.
#[derive(Debug)]
pub struct SockRef<'s> {
    socket: Socket,
    _lifetime: PhantomData<&'s Socket>,
}

impl Deref for SockRef<'_> {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.socket
    }
}

impl<'s, S: AsFd> From<&'s S> for SockRef<'s> {
    fn from(socket: &'s S) -> SockRef<'s> {
        SockRef { socket: Socket(RawSocket::lent(socket.as_fd())), _lifetime: PhantomData }
    }
}
