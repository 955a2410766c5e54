//! A socket of the operating system.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::time::Duration;

use rustix::net::{
    self, AddressFamily, RecvAncillaryBuffer, RecvFlags, SendAncillaryBuffer, SendFlags,
    SocketAddrAny, SocketType, sockopt,
};

use wasio_runtime::reactor::Source;

use crate::sys::{Address, Family, Kind, Membership, Opt, SocketHooks};

/// The kernel refuses more buffers than this in one call.
const IOV_MAX: usize = 1024;

#[cfg(not(target_vendor = "apple"))]
pub(super) const NO_SIGNAL: SendFlags = SendFlags::NOSIGNAL;
#[cfg(target_vendor = "apple")]
pub(super) const NO_SIGNAL: SendFlags = SendFlags::empty();

/// A socket that does not block.
#[derive(Debug)]
pub(crate) struct Socket(pub(super) OwnedFd);

impl Socket {
    pub(crate) fn open(family: Family, kind: Kind) -> io::Result<Socket> {
        let family = match family {
            Family::V4 => AddressFamily::INET,
            Family::V6 => AddressFamily::INET6,
        };
        open(family, kind)
    }

    #[track_caller]
    pub(crate) fn from_fd(fd: OwnedFd) -> io::Result<Socket> {
        debug_assert!(
            rustix::fs::fcntl_getfl(&fd)?.contains(rustix::fs::OFlags::NONBLOCK),
            "Registering a blocking socket with the tokio runtime is unsupported. Call \
             `set_nonblocking(true)` on it first."
        );
        Ok(Socket(fd))
    }

    /// Takes a socket that is not registered yet, without changing it.
    pub(crate) fn from_fd_unchecked(fd: OwnedFd) -> Socket {
        Socket(fd)
    }

    /// Registers the socket with the reactor.
    #[track_caller]
    pub(crate) fn register(&self) -> io::Result<Source> {
        Source::new(self.0.as_raw_fd())
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0
    }

    pub(crate) fn bind(&self, addr: SocketAddr) -> io::Result<()> {
        Ok(net::bind(&self.0, &addr)?)
    }

    pub(crate) fn listen(&self, backlog: u32) -> io::Result<()> {
        Ok(net::listen(&self.0, i32::try_from(backlog).unwrap_or(i32::MAX))?)
    }

    pub(crate) fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        let (socket, addr) = accept(self)?;
        Ok((socket, ip(addr.ok_or(io::ErrorKind::ConnectionAborted)?)?))
    }

    pub(crate) fn connect(&self, addr: SocketAddr) -> io::Result<()> {
        match net::connect(&self.0, &addr) {
            Err(rustix::io::Errno::INPROGRESS | rustix::io::Errno::INTR) => Ok(()),
            result => Ok(result?),
        }
    }

    pub(crate) fn connected(&self) -> io::Result<()> {
        if let Some(error) = self.take_error()? {
            return Err(error);
        }
        match net::getpeername(&self.0) {
            Err(rustix::io::Errno::NOTCONN) => Err(io::ErrorKind::WouldBlock.into()),
            result => Ok(result.map(drop)?),
        }
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        Ok(sockopt::socket_error(&self.0)?.err().map(io::Error::from))
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        let how = match how {
            Shutdown::Read => net::Shutdown::Read,
            Shutdown::Write => net::Shutdown::Write,
            Shutdown::Both => net::Shutdown::Both,
        };
        Ok(net::shutdown(&self.0, how)?)
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        ip(net::getsockname(&self.0)?)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        ip(net::getpeername(&self.0)?.ok_or(io::ErrorKind::NotConnected)?)
    }

    pub(crate) fn recv_uninit(&self, buf: &mut [MaybeUninit<u8>], peek: bool) -> io::Result<usize> {
        let ((filled, _), _) = net::recv(&self.0, buf, flags(peek))?;
        Ok(filled.len())
    }

    pub(crate) fn recv_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        let count = bufs.len().min(IOV_MAX);
        let mut control = RecvAncillaryBuffer::default();
        Ok(net::recvmsg(&self.0, &mut bufs[..count], &mut control, flags(false))?.bytes)
    }

    pub(crate) fn send(&self, buf: &[u8]) -> io::Result<usize> {
        Ok(net::send(&self.0, buf, NO_SIGNAL)?)
    }

    pub(crate) fn send_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        let bufs = &bufs[..bufs.len().min(IOV_MAX)];
        Ok(net::sendmsg(&self.0, bufs, &mut SendAncillaryBuffer::default(), NO_SIGNAL)?)
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        Ok(sockopt::socket_linger(&self.0)?)
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        Ok(sockopt::set_socket_linger(&self.0, linger)?)
    }

    pub(crate) fn set_membership(&self, group: Membership, join: bool) -> io::Result<()> {
        let fd = &self.0;
        Ok(match (group, join) {
            (Membership::V4(group, at), true) => sockopt::set_ip_add_membership(fd, &group, &at),
            (Membership::V4(group, at), false) => sockopt::set_ip_drop_membership(fd, &group, &at),
            (Membership::V6(group, at), true) => sockopt::set_ipv6_add_membership(fd, &group, at),
            (Membership::V6(group, at), false) => sockopt::set_ipv6_drop_membership(fd, &group, at),
        }?)
    }

    pub(crate) fn option(&self, opt: Opt) -> io::Result<u32> {
        let fd = &self.0;
        Ok(match opt {
            Opt::Broadcast => sockopt::socket_broadcast(fd)?.into(),
            Opt::Keepalive => sockopt::socket_keepalive(fd)?.into(),
            Opt::MulticastLoopV4 => sockopt::ip_multicast_loop(fd)?.into(),
            Opt::MulticastLoopV6 => sockopt::ipv6_multicast_loop(fd)?.into(),
            Opt::MulticastTtlV4 => sockopt::ip_multicast_ttl(fd)?,
            Opt::NoDelay => sockopt::tcp_nodelay(fd)?.into(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::QuickAck => sockopt::tcp_quickack(fd)?.into(),
            Opt::RecvBuffer => saturate(sockopt::socket_recv_buffer_size(fd)?),
            Opt::ReuseAddr => sockopt::socket_reuseaddr(fd)?.into(),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::ReusePort => sockopt::socket_reuseport(fd)?.into(),
            Opt::SendBuffer => saturate(sockopt::socket_send_buffer_size(fd)?),
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::TclassV6 => sockopt::ipv6_tclass(fd)?,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::Tos => sockopt::ip_tos(fd)?.into(),
            Opt::Ttl => sockopt::ip_ttl(fd)?,
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            _ => return Err(io::ErrorKind::Unsupported.into()),
        })
    }

    pub(crate) fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        let fd = &self.0;
        let on = value != 0;
        match opt {
            Opt::Broadcast => sockopt::set_socket_broadcast(fd, on)?,
            Opt::Keepalive => sockopt::set_socket_keepalive(fd, on)?,
            Opt::MulticastLoopV4 => sockopt::set_ip_multicast_loop(fd, on)?,
            Opt::MulticastLoopV6 => sockopt::set_ipv6_multicast_loop(fd, on)?,
            Opt::MulticastTtlV4 => sockopt::set_ip_multicast_ttl(fd, value)?,
            Opt::NoDelay => sockopt::set_tcp_nodelay(fd, on)?,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::QuickAck => sockopt::set_tcp_quickack(fd, on)?,
            Opt::RecvBuffer => sockopt::set_socket_recv_buffer_size(fd, value as usize)?,
            Opt::ReuseAddr => sockopt::set_socket_reuseaddr(fd, on)?,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::ReusePort => sockopt::set_socket_reuseport(fd, on)?,
            Opt::SendBuffer => sockopt::set_socket_send_buffer_size(fd, value as usize)?,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::TclassV6 => sockopt::set_ipv6_tclass(fd, value)?,
            #[cfg(any(target_os = "linux", target_os = "android"))]
            Opt::Tos => {
                let tos = u8::try_from(value).map_err(|_| io::ErrorKind::InvalidInput)?;
                sockopt::set_ip_tos(fd, tos)?
            }
            Opt::Ttl => sockopt::set_ip_ttl(fd, value)?,
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            _ => return Err(io::ErrorKind::Unsupported.into()),
        }
        Ok(())
    }
}

impl Address for SocketAddr {
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        let ((filled, _), _, addr) = net::recvfrom(&socket.0, buf, flags(peek))?;
        Ok((filled.len(), ip(addr.ok_or(io::ErrorKind::InvalidData)?)?))
    }

    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize> {
        Ok(net::sendto(&socket.0, buf, NO_SIGNAL, self)?)
    }
}

impl SocketHooks for Socket {}

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

/// Opens a socket of any family.
pub(super) fn open(family: AddressFamily, kind: Kind) -> io::Result<Socket> {
    let kind = match kind {
        Kind::Stream => SocketType::STREAM,
        Kind::Datagram => SocketType::DGRAM,
    };
    #[cfg(not(target_vendor = "apple"))]
    let fd = {
        let flags = net::SocketFlags::NONBLOCK | net::SocketFlags::CLOEXEC;
        net::socket_with(family, kind, flags, None)?
    };
    #[cfg(target_vendor = "apple")]
    let fd = unblock(net::socket(family, kind, None)?)?;
    Ok(Socket(fd))
}

/// Accepts a connection of any family.
pub(super) fn accept(socket: &Socket) -> io::Result<(Socket, Option<SocketAddrAny>)> {
    #[cfg(not(target_vendor = "apple"))]
    let (fd, addr) = {
        let flags = net::SocketFlags::NONBLOCK | net::SocketFlags::CLOEXEC;
        net::acceptfrom_with(&socket.0, flags)?
    };
    #[cfg(target_vendor = "apple")]
    let (fd, addr) = {
        let (fd, addr) = net::acceptfrom(&socket.0)?;
        (unblock(fd)?, addr)
    };
    Ok((Socket(fd), addr))
}

#[cfg(target_vendor = "apple")]
pub(super) fn unblock(fd: OwnedFd) -> io::Result<OwnedFd> {
    rustix::io::fcntl_setfd(&fd, rustix::io::FdFlags::CLOEXEC)?;
    rustix::io::ioctl_fionbio(&fd, true)?;
    Ok(fd)
}

pub(super) fn flags(peek: bool) -> RecvFlags {
    if peek { RecvFlags::PEEK } else { RecvFlags::empty() }
}

fn ip(addr: SocketAddrAny) -> io::Result<SocketAddr> {
    Ok(SocketAddr::try_from(addr)?)
}

fn saturate(value: usize) -> u32 {
    value.try_into().unwrap_or(u32::MAX)
}
