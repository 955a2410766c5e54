//! Unix sockets of the operating system.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
#[cfg(target_os = "android")]
use std::os::android::net::SocketAddrExt;
#[cfg(target_os = "linux")]
use std::os::linux::net::SocketAddrExt;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::SocketAddr as StdAddr;
use std::path::Path;

use rustix::net::{self, AddressFamily, SocketAddrAny, SocketAddrUnix, SocketFlags, SocketType};

use super::socket::{NO_SIGNAL, Socket, accept, flags, open};
use crate::sys::{Address, Kind};

/// The length of an address before its path.
const FAMILY: u32 = 2;

/// The data of a Unix socket's address.
pub(crate) type UnixAddr = StdAddr;

/// Returns the address of a path. On Linux a path that begins with a zero byte is an abstract name.
pub(crate) fn unix_addr(path: &Path) -> io::Result<UnixAddr> {
    let bytes = path.as_os_str().as_bytes();
    match bytes.strip_prefix(b"\0") {
        Some(name) => abstract_addr(name),
        None => StdAddr::from_pathname(path),
    }
}

#[cfg(any(target_os = "linux", target_os = "android"))]
fn abstract_addr(name: &[u8]) -> io::Result<UnixAddr> {
    StdAddr::from_abstract_name(name)
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
fn abstract_addr(_: &[u8]) -> io::Result<UnixAddr> {
    Err(io::Error::new(io::ErrorKind::InvalidInput, "paths must not contain interior null bytes"))
}

fn to_system(addr: &UnixAddr) -> io::Result<SocketAddrUnix> {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = addr.as_abstract_name() {
        return Ok(SocketAddrUnix::new_abstract_name(name)?);
    }
    match addr.as_pathname() {
        Some(path) => Ok(SocketAddrUnix::new(path)?),
        #[cfg(any(target_os = "linux", target_os = "android"))]
        None => Ok(SocketAddrUnix::new_unnamed()),
        #[cfg(not(any(target_os = "linux", target_os = "android")))]
        None => Err(io::ErrorKind::InvalidInput.into()),
    }
}

fn unnamed() -> io::Result<UnixAddr> {
    StdAddr::from_pathname("")
}

fn from_system(addr: Option<SocketAddrAny>) -> io::Result<UnixAddr> {
    // An address that consists only of its family has no name. rustix would turn it into an empty abstract one.
    let named = addr.filter(|addr| addr.addr_len() > FAMILY);
    let Some(addr) = named.and_then(|addr| SocketAddrUnix::try_from(addr).ok()) else {
        return unnamed();
    };
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if let Some(name) = addr.abstract_name() {
        return abstract_addr(name);
    }
    match addr.path() {
        Some(path) => StdAddr::from_pathname(Path::new(OsStr::from_bytes(path.to_bytes()))),
        None => unnamed(),
    }
}

impl Socket {
    pub(crate) fn open_unix(kind: Kind) -> io::Result<Socket> {
        open(AddressFamily::UNIX, kind)
    }

    pub(crate) fn pair_unix(kind: Kind) -> io::Result<(Socket, Socket)> {
        let kind = match kind {
            Kind::Stream => SocketType::STREAM,
            Kind::Datagram => SocketType::DGRAM,
        };
        #[cfg(not(target_vendor = "apple"))]
        let (a, b) = {
            let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
            net::socketpair(AddressFamily::UNIX, kind, flags, None)?
        };
        #[cfg(target_vendor = "apple")]
        let (a, b) = {
            let (a, b) = net::socketpair(AddressFamily::UNIX, kind, SocketFlags::empty(), None)?;
            (super::socket::unblock(a)?, super::socket::unblock(b)?)
        };
        Ok((Socket(a), Socket(b)))
    }

    /// Returns whether the socket sends messages instead of bytes.
    pub(crate) fn is_datagram(&self) -> io::Result<bool> {
        Ok(net::sockopt::socket_type(&self.0)? == SocketType::DGRAM)
    }

    pub(crate) fn bind_unix(&self, addr: &UnixAddr) -> io::Result<()> {
        Ok(net::bind(&self.0, &to_system(addr)?)?)
    }

    pub(crate) fn connect_unix(&self, addr: &UnixAddr) -> io::Result<()> {
        match net::connect(&self.0, &to_system(addr)?) {
            Err(rustix::io::Errno::INPROGRESS) => Ok(()),
            result => Ok(result?),
        }
    }

    pub(crate) fn accept_unix(&self) -> io::Result<(Socket, UnixAddr)> {
        let (socket, addr) = accept(self)?;
        Ok((socket, from_system(addr)?))
    }

    pub(crate) fn local_unix(&self) -> io::Result<UnixAddr> {
        from_system(Some(net::getsockname(&self.0)?))
    }

    pub(crate) fn peer_unix(&self) -> io::Result<UnixAddr> {
        from_system(net::getpeername(&self.0)?)
    }

    /// Returns the peer's process, user and group.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub(crate) fn peer_cred(&self) -> io::Result<(Option<i32>, u32, u32)> {
        let cred = net::sockopt::socket_peercred(&self.0)?;
        Ok((Some(cred.pid.as_raw_nonzero().get()), cred.uid.as_raw(), cred.gid.as_raw()))
    }

    /// Returns the peer's process, user and group.
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    pub(crate) fn peer_cred(&self) -> io::Result<(Option<i32>, u32, u32)> {
        Err(io::ErrorKind::Unsupported.into())
    }
}

impl Address for UnixAddr {
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, UnixAddr)> {
        let ((filled, _), _, addr) = net::recvfrom(&socket.0, buf, flags(peek))?;
        Ok((filled.len(), from_system(addr)?))
    }

    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize> {
        Ok(net::sendto(&socket.0, buf, NO_SIGNAL, &to_system(self)?)?)
    }
}
