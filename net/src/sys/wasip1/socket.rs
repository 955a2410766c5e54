//! A socket of WasmEdge's imports.
#![allow(unsafe_code)] // Imports.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::AtomicBool;

use wasio_runtime::reactor::Source;

use super::address::{ip, name, with_address};
use super::imports::*;
use super::wasi::MAX_DEAD_PEERS;
use crate::sys::{Address, Family, Kind, Membership, SocketHooks};

/// The maximum number of buffers in one call. A stream may accept less than it is offered.
const MAX_BUFFERS: usize = 64;

/// A socket that does not block.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    /// The last value set for `TCP_NODELAY`, for hosts without it.
    pub(super) nodelay: AtomicBool,
}

impl Socket {
    pub(super) fn own(fd: OwnedFd) -> Socket {
        Socket { fd, nodelay: AtomicBool::new(false) }
    }

    pub(crate) fn open(family: Family, kind: Kind) -> io::Result<Socket> {
        let family = match family {
            Family::V4 => 1,
            Family::V6 => 2,
        };
        Socket::open_family(family, kind)
    }

    pub(super) fn open_family(family: u32, kind: Kind) -> io::Result<Socket> {
        let kind = match kind {
            Kind::Datagram => 1,
            Kind::Stream => 2,
        };
        let mut fd = -1;
        // SAFETY: `fd` has room for the result.
        check(unsafe { sock_open(family, kind, &mut fd) })?;
        // SAFETY: the host created the descriptor for the guest.
        let socket = Socket::own(unsafe { OwnedFd::from_raw_fd(fd) });
        socket.unblock()?;
        Ok(socket)
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> io::Result<Socket> {
        let socket = Socket::own(fd);
        socket.unblock()?;
        Ok(socket)
    }

    /// Takes a socket that is not registered yet, without changing it.
    pub(crate) fn from_fd_unchecked(fd: OwnedFd) -> Socket {
        Socket::own(fd)
    }

    /// Registers the socket with the reactor.
    #[track_caller]
    pub(crate) fn register(&self) -> io::Result<Source> {
        Source::new(self.fd())
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.fd
    }

    pub(super) fn fd(&self) -> i32 {
        self.fd.as_raw_fd()
    }

    fn unblock(&self) -> io::Result<()> {
        // SAFETY: no pointers.
        check(unsafe { fd_fdstat_set_flags(self.fd(), NONBLOCK.into()) })
    }

    pub(crate) fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        // SAFETY: the address lives for the call.
        with_address(addr, |address| unsafe { sock_bind(self.fd(), address, addr.port().into()) })
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        // SAFETY: no pointers.
        check(unsafe { sock_listen(self.fd(), backlog.min(i32::MAX as u32)) })
    }

    pub(crate) fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        for _ in 0..MAX_DEAD_PEERS {
            let mut fd = -1;
            // SAFETY: `fd` has room for the result.
            check(unsafe { sock_accept(self.fd(), NONBLOCK.into(), &mut fd) })?;
            // SAFETY: the host created the descriptor for the guest.
            let socket = Socket::own(unsafe { OwnedFd::from_raw_fd(fd) });
            match socket.peer() {
                Ok(addr) => return Ok((socket, addr)),
                // The peer is gone, and with it its address.
                Err(ENOTCONN | EINVAL) => {}
                Err(errno) => return Err(error(errno)),
            }
        }
        Err(io::ErrorKind::WouldBlock.into())
    }

    pub(crate) fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        // SAFETY: the address lives for the call.
        let connect = |address| unsafe { sock_connect(self.fd(), address, addr.port().into()) };
        match with_address(addr, connect) {
            Err(e) if matches!(e.raw_os_error(), Some(EINPROGRESS | EAGAIN | EINTR)) => Ok(()),
            result => result,
        }
    }

    pub(crate) fn connected(&self) -> io::Result<()> {
        if let Some(error) = self.take_error()? {
            return Err(error);
        }
        match self.peer() {
            Ok(_) => Ok(()),
            Err(ENOTCONN) => Err(io::ErrorKind::WouldBlock.into()),
            Err(errno) => Err(error(errno)),
        }
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let mut errno = [0; 4];
        check(self.get(SOL_SOCKET, SO_ERROR, &mut errno))?;
        Ok(check(u32::from_le_bytes(errno)).err())
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => SHUT_READ,
            Shutdown::Write => SHUT_WRITE,
            Shutdown::Both => SHUT_READ | SHUT_WRITE,
        };
        // SAFETY: no pointers.
        check(unsafe { sock_shutdown(self.fd(), how) })
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        // SAFETY: `name` passes pointers to memory that lives for the call.
        name(|addr, family, port| unsafe { sock_getlocaladdr(self.fd(), addr, family, port) })
            .map_err(error)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer().map_err(error)
    }

    /// Returns the peer's address, or the host's error number.
    fn peer(&self) -> Result<SocketAddr, i32> {
        // SAFETY: `name` passes pointers to memory that lives for the call.
        name(|addr, family, port| unsafe { sock_getpeeraddr(self.fd(), addr, family, port) })
    }

    pub(crate) fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        self.recv_one(buf, peek).map(|(n, _)| n)
    }

    fn recv_one(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<(usize, bool)> {
        let iov = [Iovec { buf: buf.as_mut_ptr().cast(), len: buf.len() }];
        self.recv_iov(&iov, peek).map(|(n, is_all)| (n.min(buf.len()), is_all))
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let mut iov = [Iovec { buf: std::ptr::null_mut(), len: 0 }; MAX_BUFFERS];
        let mut count = 0;
        for (iov, buf) in iov.iter_mut().zip(bufs) {
            *iov = Iovec { buf: buf.as_mut_ptr(), len: buf.len() };
            count += 1;
        }
        self.recv_iov(&iov[..count], false).map(|(n, _)| n)
    }

    /// Returns the number of bytes, and whether the host says that these were all (`host/POLL_EXTENSION.md`).
    fn recv_iov(&self, iov: &[Iovec], peek: bool) -> io::Result<(usize, bool)> {
        let (mut len, mut out_flags) = (0, 0);
        // SAFETY: the callers borrow the buffers exclusively, and everything lives for the call.
        check(unsafe {
            let flags = u32::from(peek) * RECV_PEEK;
            sock_recv(self.fd(), iov.as_ptr(), iov.len(), flags, &mut len, &mut out_flags)
        })?;
        Ok((len, out_flags & RECV_DRAINED != 0))
    }

    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        self.send_iov(&[Ciovec { buf: buf.as_ptr(), len: buf.len() }])
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let mut iov = [Ciovec { buf: std::ptr::null(), len: 0 }; MAX_BUFFERS];
        let mut count = 0;
        for (iov, buf) in iov.iter_mut().zip(bufs) {
            *iov = Ciovec { buf: buf.as_ptr(), len: buf.len() };
            count += 1;
        }
        self.send_iov(&iov[..count])
    }

    fn send_iov(&self, iov: &[Ciovec]) -> io::Result<usize> {
        let mut len = 0;
        // SAFETY: the callers borrow the buffers, and everything lives for the call.
        check(unsafe { sock_send(self.fd(), iov.as_ptr(), iov.len(), 0, &mut len) })?;
        Ok(len)
    }

    pub(crate) fn set_membership(&self, _: Membership, _: bool) -> io::Result<()> {
        Err(unsupported())
    }

    /// Receives a message. Stores its sender's address in `from`. Returns the message's length and the sender's port.
    pub(super) fn recv_from_storage(
        &self,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
        from: &mut Storage,
    ) -> io::Result<(usize, u16)> {
        let iov = [Iovec { buf: buf.as_mut_ptr().cast(), len: buf.len() }];
        let address = RawAddress { buf: from.0.as_mut_ptr(), len: from.0.len() };
        let (mut port, mut len, mut out_flags) = (0, 0, 0);
        // SAFETY: all of these live for the call, and the lengths are theirs.
        check(unsafe {
            sock_recv_from(
                self.fd(),
                iov.as_ptr(),
                iov.len(),
                &address,
                u32::from(peek) * RECV_PEEK,
                &mut port,
                &mut len,
                &mut out_flags,
            )
        })?;
        // Only this port is in network byte order.
        Ok((len.min(buf.len()), u16::from_be(port)))
    }
}

impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.fd()
    }
}

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

impl SocketHooks for Socket {
    fn recv_drained(&self, buf: &mut [MaybeUninit<u8>]) -> io::Result<(usize, bool)> {
        self.recv_one(buf, false)
    }
}

impl Address for SocketAddr {
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        let mut from = Storage([0; 128]);
        let (len, port) = socket.recv_from_storage(buf, peek, &mut from)?;
        let ip = match u16::from_le_bytes([from.0[0], from.0[1]]) {
            1 => ip(&from.0[2..6]),
            2 => ip(&from.0[2..18]),
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        Ok((len, SocketAddr::new(ip, port)))
    }

    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize> {
        let iov = Ciovec { buf: buf.as_ptr(), len: buf.len() };
        let mut len = 0;
        // SAFETY: all of these live for the call.
        with_address(*self, |address| unsafe {
            sock_send_to(socket.fd(), &iov, 1, address, self.port().into(), 0, &mut len)
        })?;
        Ok(len)
    }
}

pub(super) fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}
