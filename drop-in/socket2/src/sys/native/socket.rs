//! A socket of the operating system.
#![allow(unsafe_code)] // System calls.

use std::ffi::{OsStr, c_int};
use std::io;
use std::mem::{ManuallyDrop, MaybeUninit};
use std::net::Shutdown;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::time::{Duration, Instant};

use super::message::{Incoming, Outgoing};
use crate::address::Storage;
use crate::sys::no_address;
use crate::{SockAddr, Socket};

pub(crate) use libc::{sa_family_t, socklen_t};

/// Whether Unix sockets can have names that are not paths.
pub(crate) const HAS_ABSTRACT: bool = cfg!(any(target_os = "linux", target_os = "android"));
/// The room for a path in an address.
pub(crate) const PATH_MAX: usize = size_of::<libc::sockaddr_un>() - 2;
/// Some systems refuse to transfer more than this at once.
const LARGEST: usize =
    if cfg!(target_vendor = "apple") { c_int::MAX as usize - 1 } else { isize::MAX as usize };

/// Returns the family in the bytes of an address. On systems that store the length, the length is in the first byte.
pub(crate) const fn family(bytes: &[u8; 128]) -> sa_family_t {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    return sa_family_t::from_ne_bytes([bytes[0], bytes[1]]);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    return bytes[1];
}

pub(crate) fn set_family(bytes: &mut [u8; 128], family: sa_family_t, len: usize) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        let _ = len;
        bytes[..2].copy_from_slice(&family.to_ne_bytes());
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        bytes[0] = len as u8;
        bytes[1] = family;
    }
}

pub(crate) fn path(bytes: &[u8]) -> Option<&Path> {
    Some(Path::new(OsStr::from_bytes(bytes)))
}

/// Converts the result of a system call that returns -1 for an error.
pub(super) fn check(result: c_int) -> io::Result<c_int> {
    if result == -1 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

pub(super) fn size(result: isize) -> io::Result<usize> {
    usize::try_from(result).map_err(|_| io::Error::last_os_error())
}

/// A socket of the operating system.
pub(crate) struct Inner(OwnedFd);

/// A socket that another type closes.
pub(crate) type Lent = ManuallyDrop<Socket>;

pub(crate) fn lend(fd: BorrowedFd<'_>) -> Lent {
    // SAFETY: it is never closed here, and the lender outlives the lifetime of `SockRef`.
    ManuallyDrop::new(unsafe { Socket::from_raw_fd(fd.as_raw_fd()) })
}

impl Inner {
    /// Takes a descriptor that a system call has just returned.
    fn take(fd: c_int) -> Inner {
        // SAFETY: the descriptor is new, so nothing else owns it.
        Inner(unsafe { OwnedFd::from_raw_fd(fd) })
    }

    pub(crate) fn from_fd(fd: OwnedFd) -> Inner {
        Inner(fd)
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    pub(super) fn fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }

    pub(crate) fn open(domain: c_int, ty: c_int, protocol: c_int) -> io::Result<Inner> {
        Inner::open_raw(domain, ty | CLOEXEC, protocol)?.with_flags(true)
    }

    pub(crate) fn open_raw(domain: c_int, ty: c_int, protocol: c_int) -> io::Result<Inner> {
        // SAFETY: no pointers.
        check(unsafe { libc::socket(domain, ty, protocol) }).map(Inner::take)
    }

    pub(crate) fn pair(domain: c_int, ty: c_int, protocol: c_int) -> io::Result<(Inner, Inner)> {
        let (a, b) = Inner::pair_raw(domain, ty | CLOEXEC, protocol)?;
        Ok((a.with_flags(true)?, b.with_flags(true)?))
    }

    pub(crate) fn pair_raw(
        domain: c_int,
        ty: c_int,
        protocol: c_int,
    ) -> io::Result<(Inner, Inner)> {
        let mut fds = [0; 2];
        // SAFETY: there is room for two descriptors.
        check(unsafe { libc::socketpair(domain, ty, protocol, fds.as_mut_ptr()) })?;
        Ok((Inner::take(fds[0]), Inner::take(fds[1])))
    }

    /// Sets the flags that Apple's systems do not accept when the socket is opened.
    #[cfg_attr(not(target_vendor = "apple"), allow(clippy::unnecessary_wraps))]
    fn with_flags(self, opened: bool) -> io::Result<Inner> {
        #[cfg(target_vendor = "apple")]
        {
            self.set_cloexec(true)?;
            if opened {
                self.set_int(super::table::opt::SO_NOSIGPIPE, 1)?;
            }
        }
        let _ = opened;
        Ok(self)
    }

    /// Makes a system call that takes an address.
    fn with_address(
        &self,
        address: &SockAddr,
        call: unsafe extern "C" fn(c_int, *const libc::sockaddr, socklen_t) -> c_int,
    ) -> io::Result<()> {
        // SAFETY: the address lives for the call, and has that length.
        let result = unsafe { call(self.fd(), (&raw const address.storage).cast(), address.len) };
        check(result).map(drop)
    }

    /// Makes a system call that fills in an address.
    fn address_of(
        &self,
        call: impl FnOnce(c_int, *mut libc::sockaddr, *mut socklen_t) -> c_int,
    ) -> io::Result<(c_int, SockAddr)> {
        let mut address = no_address();
        let storage: *mut Storage = &raw mut address.storage;
        let result = check(call(self.fd(), storage.cast(), &raw mut address.len))?;
        Ok((result, address))
    }

    pub(crate) fn bind(&self, address: &SockAddr) -> io::Result<()> {
        self.with_address(address, libc::bind)
    }

    pub(crate) fn connect(&self, address: &SockAddr) -> io::Result<()> {
        self.with_address(address, libc::connect)
    }

    pub(crate) fn connect_timeout(&self, address: &SockAddr, timeout: Duration) -> io::Result<()> {
        self.set_nonblocking(true)?;
        let result = self.connect(address);
        self.set_nonblocking(false)?;
        match result {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) if e.raw_os_error() == Some(libc::EINPROGRESS) => {}
            result => return result,
        }
        self.wait_connected(timeout)
    }

    fn wait_connected(&self, timeout: Duration) -> io::Result<()> {
        let start = Instant::now();
        let mut poll =
            libc::pollfd { fd: self.fd(), events: libc::POLLIN | libc::POLLOUT, revents: 0 };
        loop {
            let left = timeout.saturating_sub(start.elapsed());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            let millis = left.as_millis().clamp(1, c_int::MAX as u128) as c_int;
            // SAFETY: there is one `pollfd`.
            match check(unsafe { libc::poll(&raw mut poll, 1, millis) }) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
                Ok(0) => {}
                Ok(_) if poll.revents & (libc::POLLHUP | libc::POLLERR) == 0 => return Ok(()),
                Ok(_) => {
                    let error = self.take_error()?;
                    return Err(error.unwrap_or_else(|| io::ErrorKind::NotConnected.into()));
                }
            }
        }
    }

    pub(crate) fn listen(&self, backlog: c_int) -> io::Result<()> {
        // SAFETY: no pointers.
        check(unsafe { libc::listen(self.fd(), backlog) }).map(drop)
    }

    pub(crate) fn accept(&self) -> io::Result<(Inner, SockAddr)> {
        #[cfg(not(target_vendor = "apple"))]
        return self.accept_flags(libc::SOCK_CLOEXEC);
        #[cfg(target_vendor = "apple")]
        {
            let (socket, from) = self.accept_raw()?;
            Ok((socket.with_flags(false)?, from))
        }
    }

    pub(crate) fn accept_raw(&self) -> io::Result<(Inner, SockAddr)> {
        // SAFETY: `address_of` passes room for an address, and its length.
        let accepted = self.address_of(|fd, to, len| unsafe { libc::accept(fd, to, len) });
        accepted.map(|(fd, from)| (Inner::take(fd), from))
    }

    pub(crate) fn accept4(&self, flags: c_int) -> io::Result<(Inner, SockAddr)> {
        self.accept_flags(flags)
    }

    fn accept_flags(&self, flags: c_int) -> io::Result<(Inner, SockAddr)> {
        #[cfg(not(target_vendor = "apple"))]
        {
            // SAFETY: `address_of` passes room for an address, and its length.
            let accepted =
                self.address_of(|fd, to, len| unsafe { libc::accept4(fd, to, len, flags) });
            accepted.map(|(fd, from)| (Inner::take(fd), from))
        }
        #[cfg(target_vendor = "apple")]
        {
            let _ = flags;
            Err(super::options::lacks("accept4"))
        }
    }

    pub(crate) fn local_addr(&self) -> io::Result<SockAddr> {
        // SAFETY: `address_of` passes room for an address, and its length.
        let call = |fd, to, len| unsafe { libc::getsockname(fd, to, len) };
        self.address_of(call).map(|(_, address)| address)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SockAddr> {
        // SAFETY: `address_of` passes room for an address, and its length.
        let call = |fd, to, len| unsafe { libc::getpeername(fd, to, len) };
        self.address_of(call).map(|(_, address)| address)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Inner> {
        self.0.try_clone().map(Inner)
    }

    fn flags(&self, get: c_int) -> io::Result<c_int> {
        // SAFETY: no pointers.
        check(unsafe { libc::fcntl(self.fd(), get) })
    }

    fn set_flag(&self, get: c_int, set: c_int, flag: c_int, on: bool) -> io::Result<()> {
        let before = self.flags(get)?;
        let after = if on { before | flag } else { before & !flag };
        if after == before {
            return Ok(());
        }
        // SAFETY: no pointers.
        check(unsafe { libc::fcntl(self.fd(), set, after) }).map(drop)
    }

    pub(crate) fn nonblocking(&self) -> io::Result<bool> {
        self.flags(libc::F_GETFL).map(|flags| flags & libc::O_NONBLOCK != 0)
    }

    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        self.set_flag(libc::F_GETFL, libc::F_SETFL, libc::O_NONBLOCK, on)
    }

    pub(crate) fn set_cloexec(&self, on: bool) -> io::Result<()> {
        self.set_flag(libc::F_GETFD, libc::F_SETFD, libc::FD_CLOEXEC, on)
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => libc::SHUT_RD,
            Shutdown::Write => libc::SHUT_WR,
            Shutdown::Both => libc::SHUT_RDWR,
        };
        // SAFETY: no pointers.
        check(unsafe { libc::shutdown(self.fd(), how) }).map(drop)
    }

    pub(crate) fn recv(&self, buf: &mut [MaybeUninit<u8>], flags: c_int) -> io::Result<usize> {
        let len = buf.len().min(LARGEST);
        // SAFETY: the buffer is exclusively borrowed and at least that long.
        size(unsafe { libc::recv(self.fd(), buf.as_mut_ptr().cast(), len, flags) })
    }

    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        let len = buf.len().min(LARGEST);
        // SAFETY: the buffer is exclusively borrowed and at least that long.
        size(unsafe { libc::recv(self.fd(), buf.as_mut_ptr().cast(), len, 0) })
    }

    pub(crate) fn read_vectored(&self, bufs: &mut [io::IoSliceMut<'_>]) -> io::Result<usize> {
        let mut message = Incoming::new();
        message.set_slices(bufs);
        self.recvmsg(&mut message, 0)
    }

    pub(crate) fn recv_from(
        &self,
        buf: &mut [MaybeUninit<u8>],
        flags: c_int,
    ) -> io::Result<(usize, SockAddr)> {
        let mut from = no_address();
        let storage: *mut Storage = &raw mut from.storage;
        let len = buf.len().min(LARGEST);
        let fd = self.fd();
        // SAFETY: the buffer is exclusively borrowed and at least that long, and there is room for an address.
        let n = size(unsafe {
            let len_of_address = &raw mut from.len;
            libc::recvfrom(fd, buf.as_mut_ptr().cast(), len, flags, storage.cast(), len_of_address)
        })?;
        Ok((n, from))
    }

    pub(crate) fn recvmsg(
        &self,
        message: &mut Incoming<'_, '_, '_>,
        flags: c_int,
    ) -> io::Result<usize> {
        // SAFETY: all memory that the header points to is exclusively borrowed for its lifetime.
        size(unsafe { libc::recvmsg(self.fd(), message.header(), flags) })
    }

    pub(crate) fn send(&self, buf: &[u8], flags: c_int) -> io::Result<usize> {
        let len = buf.len().min(LARGEST);
        // SAFETY: the buffer is at least that long.
        size(unsafe { libc::send(self.fd(), buf.as_ptr().cast(), len, flags) })
    }

    pub(crate) fn send_to(&self, buf: &[u8], to: &SockAddr, flags: c_int) -> io::Result<usize> {
        let len = buf.len().min(LARGEST);
        let address = &raw const to.storage;
        // SAFETY: the buffer and the address are at least that long.
        size(unsafe {
            libc::sendto(self.fd(), buf.as_ptr().cast(), len, flags, address.cast(), to.len)
        })
    }

    pub(crate) fn sendmsg(
        &self,
        message: &Outgoing<'_, '_, '_>,
        flags: c_int,
    ) -> io::Result<usize> {
        // SAFETY: all memory that the header points to is borrowed for its lifetime.
        size(unsafe { libc::sendmsg(self.fd(), message.header(), flags) })
    }
}

#[cfg(not(target_vendor = "apple"))]
const CLOEXEC: c_int = libc::SOCK_CLOEXEC;
#[cfg(target_vendor = "apple")]
const CLOEXEC: c_int = 0;

impl SockAddr {
    /// Returns the path as std's type, if the address belongs to a Unix socket that has one.
    pub fn as_unix(&self) -> Option<std::os::unix::net::SocketAddr> {
        std::os::unix::net::SocketAddr::from_pathname(self.as_pathname()?).ok()
    }
}

#[cfg(feature = "all")]
crate::socket::standard!(
    std::os::unix::net::UnixStream,
    std::os::unix::net::UnixListener,
    std::os::unix::net::UnixDatagram
);

#[cfg(all(feature = "all", target_vendor = "apple"))]
impl Socket {
    /// Sets whether writing to a socket whose peer is gone raises no signal (`SO_NOSIGPIPE`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_nosigpipe(&self, nosigpipe: bool) -> io::Result<()> {
        self.0.set_int(super::table::opt::SO_NOSIGPIPE, nosigpipe.into())
    }
}
