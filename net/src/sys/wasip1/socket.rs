//! A socket of WasmEdge's imports.
#![allow(unsafe_code)] // Imports.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use wasio_runtime::reactor::Source;

use super::wasi::DEAD_PEERS;
use crate::sys::{Address, Family, Hooks, Kind, Membership, Opt};

pub(super) const NONBLOCK: u16 = 4;
/// A flag of the result, on hosts with flat polling: nothing is left to read.
const RECV_DRAINED: u16 = 1 << 15;
const RECV_PEEK: u32 = 1;
const SHUT_READ: u32 = 1;
const SHUT_WRITE: u32 = 2;

const EAFNOSUPPORT: i32 = 5;
const EAGAIN: i32 = 6;
const EINPROGRESS: i32 = 26;
const EINTR: i32 = 27;
const EINVAL: i32 = 28;
const ENOPROTOOPT: i32 = 50;
const ENOSYS: i32 = 52;
const ENOTCONN: i32 = 53;
const ENOTSUP: i32 = 58;
const ENOTCAPABLE: i32 = 76;

pub(super) const SOL_SOCKET: u32 = 0;
const SO_ERROR: u32 = 2;
const SO_LINGER: u32 = 9;
/// Not of WasmEdge: `wasio run` knows `IPPROTO_TCP` and its first option.
const IPPROTO_TCP: u32 = 6;
const TCP_NODELAY: u32 = 1;

/// At most this many buffers go into one call; a stream may take less than it is offered.
const MAX_BUFFERS: usize = 64;

/// `RawAddress` of WasmEdge: the octets, whose number says which family they are of.
#[repr(C)]
pub(super) struct RawAddress {
    pub(super) buf: *mut u8,
    pub(super) len: usize,
}

/// `iovec` of the WASI preview 1 witx.
#[repr(C)]
#[derive(Clone, Copy)]
struct Iovec {
    buf: *mut u8,
    len: usize,
}

/// `ciovec` of the WASI preview 1 witx.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Ciovec {
    pub(super) buf: *const u8,
    pub(super) len: usize,
}

/// `struct linger`, as the kernel has it.
#[repr(C)]
struct Linger {
    on: i32,
    seconds: i32,
}

/// Address with its family in front: what the second versions of the imports pass.
#[repr(C, align(2))]
pub(super) struct Storage(pub(super) [u8; 128]);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_open(family: u32, kind: u32, fd: *mut i32) -> u32;
    fn sock_bind(fd: i32, addr: *const RawAddress, port: u32) -> u32;
    fn sock_listen(fd: i32, backlog: u32) -> u32;
    pub(super) fn sock_accept(fd: i32, flags: u32, accepted: *mut i32) -> u32;
    fn sock_connect(fd: i32, addr: *const RawAddress, port: u32) -> u32;
    fn sock_recv(
        fd: i32,
        iov: *const Iovec,
        count: usize,
        flags: u32,
        len: *mut usize,
        out_flags: *mut u16,
    ) -> u32;
    fn sock_recv_from(
        fd: i32,
        iov: *const Iovec,
        count: usize,
        addr: *const RawAddress,
        flags: u32,
        port: *mut u16,
        len: *mut usize,
        out_flags: *mut u16,
    ) -> u32;
    fn sock_send(fd: i32, iov: *const Ciovec, count: usize, flags: u32, len: *mut usize) -> u32;
    fn sock_send_to(
        fd: i32,
        iov: *const Ciovec,
        count: usize,
        addr: *const RawAddress,
        port: u32,
        flags: u32,
        len: *mut usize,
    ) -> u32;
    fn sock_shutdown(fd: i32, how: u32) -> u32;
    fn sock_getlocaladdr(fd: i32, addr: *const RawAddress, family: *mut u32, port: *mut u32)
    -> u32;
    fn sock_getpeeraddr(fd: i32, addr: *const RawAddress, family: *mut u32, port: *mut u32) -> u32;
    fn sock_getsockopt(fd: i32, level: u32, name: u32, value: *mut u8, size: *mut u32) -> u32;
    fn sock_setsockopt(fd: i32, level: u32, name: u32, value: *const u8, size: u32) -> u32;
    pub(super) fn fd_fdstat_set_flags(fd: i32, flags: u32) -> u32;
}

/// The result of an import.
#[inline]
pub(super) fn check(errno: u32) -> io::Result<()> {
    if errno == 0 { Ok(()) } else { Err(error(errno as i32)) }
}

#[cold]
#[inline(never)]
fn error(errno: i32) -> io::Error {
    match errno {
        // std has no kind for it; it means that the host does not permit this.
        ENOTCAPABLE => io::ErrorKind::PermissionDenied.into(),
        // Hosts without a call answer so; std calls neither of them unsupported.
        ENOSYS | ENOTSUP => io::ErrorKind::Unsupported.into(),
        errno => io::Error::from_raw_os_error(errno),
    }
}

/// A socket that does not block.
#[derive(Debug)]
pub(crate) struct Socket {
    fd: OwnedFd,
    /// `TCP_NODELAY` as it was set, for hosts without it.
    nodelay: AtomicBool,
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
        // SAFETY: `fd` is a place for the result.
        check(unsafe { sock_open(family, kind, &mut fd) })?;
        // SAFETY: the host made it for us.
        let socket = Socket::own(unsafe { OwnedFd::from_raw_fd(fd) });
        socket.unblock()?;
        Ok(socket)
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> io::Result<Socket> {
        let socket = Socket::own(fd);
        socket.unblock()?;
        Ok(socket)
    }

    /// Takes a socket that is not registered yet, as it is.
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
        for _ in 0..DEAD_PEERS {
            let mut fd = -1;
            // SAFETY: `fd` is a place for the result.
            check(unsafe { sock_accept(self.fd(), NONBLOCK.into(), &mut fd) })?;
            // SAFETY: the host made it for us.
            let socket = Socket::own(unsafe { OwnedFd::from_raw_fd(fd) });
            match socket.peer() {
                Ok(addr) => return Ok((socket, addr)),
                // The peer has gone, and with it the only way to learn who it was.
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
        // SAFETY: `name` passes pointers to what lives for the call.
        name(|addr, family, port| unsafe { sock_getlocaladdr(self.fd(), addr, family, port) })
            .map_err(error)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.peer().map_err(error)
    }

    /// The peer's address, or the host's number for why not.
    fn peer(&self) -> Result<SocketAddr, i32> {
        // SAFETY: `name` passes pointers to what lives for the call.
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

    /// How many bytes came, and whether the host says that these were all (`host/POLL_EXTENSION.md`).
    fn recv_iov(&self, iov: &[Iovec], peek: bool) -> io::Result<(usize, bool)> {
        let (mut len, mut out_flags) = (0, 0);
        // SAFETY: the buffers are exclusively borrowed by the callers, everything lives for the call.
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
        // SAFETY: the buffers are borrowed by the callers, everything lives for the call.
        check(unsafe { sock_send(self.fd(), iov.as_ptr(), iov.len(), 0, &mut len) })?;
        Ok(len)
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        let mut linger = [0; size_of::<Linger>()];
        check(self.get(SOL_SOCKET, SO_LINGER, &mut linger))?;
        let [a, b, c, d, seconds @ ..] = linger;
        let on = u32::from_le_bytes([a, b, c, d]) != 0;
        Ok(on.then(|| Duration::from_secs(u32::from_le_bytes(seconds).into())))
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        let mut value = [0; size_of::<Linger>()];
        if let Some(duration) = linger {
            let seconds = i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
            value[0] = 1;
            value[4..].copy_from_slice(&seconds.to_le_bytes());
        }
        check(self.set(SOL_SOCKET, SO_LINGER, &value))
    }

    /// The times are the host's; they change only when a lost peer is noticed.
    pub(crate) fn set_keepalive_times(
        &self,
        _: Option<Duration>,
        _: Option<Duration>,
        _: Option<u32>,
    ) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn option(&self, opt: Opt) -> io::Result<u32> {
        let (level, name) = place(opt)?;
        let mut value = [0; 4];
        match self.get(level, name, &mut value) {
            0 => Ok(u32::from_le_bytes(value)),
            errno if is_refusal(errno) && opt == Opt::NoDelay => {
                Ok(self.nodelay.load(Ordering::Relaxed).into())
            }
            errno if is_refusal(errno) => Err(unsupported()),
            errno => Err(error(errno as i32)),
        }
    }

    pub(crate) fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        let (level, name) = place(opt)?;
        // Kernels double the size of a buffer and take it as a signed number.
        let value = value.min(i32::MAX as u32);
        match self.set(level, name, &value.to_le_bytes()) {
            errno if opt == Opt::NoDelay && is_refusal(errno) => {
                self.nodelay.store(value != 0, Ordering::Relaxed);
                Ok(())
            }
            errno => check(errno),
        }
    }

    pub(crate) fn set_membership(&self, _: Membership, _: bool) -> io::Result<()> {
        Err(unsupported())
    }

    /// Receives a message, whose sender's address goes to `from`; returns its length and the sender's port.
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
        // This port alone comes in network order.
        Ok((len.min(buf.len()), u16::from_be(port)))
    }

    /// Returns the host's number.
    pub(super) fn get(&self, level: u32, name: u32, value: &mut [u8]) -> u32 {
        let mut size = value.len() as u32;
        // SAFETY: `size` is the length of `value`, both live for the call.
        unsafe { sock_getsockopt(self.fd(), level, name, value.as_mut_ptr(), &mut size) }
    }

    /// Returns the host's number.
    #[inline(never)]
    pub(super) fn set(&self, level: u32, name: u32, value: &[u8]) -> u32 {
        // SAFETY: the size is that of `value`, which lives for the call.
        unsafe { sock_setsockopt(self.fd(), level, name, value.as_ptr(), value.len() as u32) }
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

impl Hooks for Socket {
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

/// Where an option is found.
fn place(opt: Opt) -> io::Result<(u32, u32)> {
    Ok(match opt {
        Opt::ReuseAddr => (SOL_SOCKET, 0),
        Opt::Broadcast => (SOL_SOCKET, 4),
        Opt::SendBuffer => (SOL_SOCKET, 5),
        Opt::RecvBuffer => (SOL_SOCKET, 6),
        Opt::Keepalive => (SOL_SOCKET, 7),
        Opt::NoDelay => (IPPROTO_TCP, TCP_NODELAY),
        _ => return Err(unsupported()),
    })
}

/// Whether the host does not know an option.
fn is_refusal(errno: u32) -> bool {
    matches!(errno as i32, EINVAL | ENOPROTOOPT | ENOSYS | ENOTSUP)
}

fn unsupported() -> io::Error {
    io::ErrorKind::Unsupported.into()
}

/// Passes an address to an import.
fn with_address(addr: SocketAddr, call: impl FnOnce(*const RawAddress) -> u32) -> io::Result<()> {
    let (mut octets, len) = ([0; 16], if addr.is_ipv4() { 4 } else { 16 });
    match addr.ip() {
        IpAddr::V4(ip) => octets[..4].copy_from_slice(&ip.octets()),
        IpAddr::V6(ip) => octets = ip.octets(),
    }
    check(call(&RawAddress { buf: octets.as_mut_ptr(), len }))
}

/// Reads an address from an import, which gets an address, a family and a port to fill.
fn name(
    call: impl FnOnce(*const RawAddress, *mut u32, *mut u32) -> u32,
) -> Result<SocketAddr, i32> {
    let mut octets = [0; 16];
    let address = RawAddress { buf: octets.as_mut_ptr(), len: octets.len() };
    let (mut family, mut port) = (0, 0);
    match call(&address, &mut family, &mut port) {
        0 => {}
        errno => return Err(errno as i32),
    }
    let ip = match family {
        4 => ip(&octets[..4]),
        6 => ip(&octets),
        _ => return Err(EAFNOSUPPORT),
    };
    Ok(SocketAddr::new(ip, port as u16))
}

/// The IP address of 4 or 16 octets.
pub(super) fn ip(octets: &[u8]) -> IpAddr {
    match octets.try_into() {
        Ok::<[u8; 4], _>(octets) => Ipv4Addr::from(octets).into(),
        Err(_) => <[u8; 16]>::try_from(octets).map_or(Ipv6Addr::UNSPECIFIED, Ipv6Addr::from).into(),
    }
}
