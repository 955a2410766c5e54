//! Addresses.

use std::io;
use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};

use crate::Domain;

/// The address of a socket: of IPv4 or IPv6.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct SockAddr(SocketAddr);

impl SockAddr {
    /// The address as std's type.
    pub fn as_socket(&self) -> Option<SocketAddr> {
        Some(self.0)
    }

    /// The address, if it is of IPv4.
    pub fn as_socket_ipv4(&self) -> Option<SocketAddrV4> {
        match self.0 {
            SocketAddr::V4(addr) => Some(addr),
            SocketAddr::V6(_) => None,
        }
    }

    /// The address, if it is of IPv6.
    pub fn as_socket_ipv6(&self) -> Option<SocketAddrV6> {
        match self.0 {
            SocketAddr::V4(_) => None,
            SocketAddr::V6(addr) => Some(addr),
        }
    }

    /// The kind of the address.
    pub const fn domain(&self) -> Domain {
        Domain::for_address(self.0)
    }

    /// Whether the address is of IPv4.
    pub fn is_ipv4(&self) -> bool {
        self.0.is_ipv4()
    }

    /// Whether the address is of IPv6.
    pub fn is_ipv6(&self) -> bool {
        self.0.is_ipv6()
    }

    /// Whether the address is a path: never.
    pub fn is_unix(&self) -> bool {
        false
    }

    /// Addresses that are paths do not exist here.
    ///
    /// # Errors
    ///
    /// Always [`Unsupported`](io::ErrorKind::Unsupported).
    pub fn unix<P: AsRef<std::path::Path>>(_: P) -> io::Result<SockAddr> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) fn std(&self) -> SocketAddr {
        self.0
    }
}

impl From<SocketAddr> for SockAddr {
    fn from(addr: SocketAddr) -> SockAddr {
        SockAddr(addr)
    }
}

impl From<SocketAddrV4> for SockAddr {
    fn from(addr: SocketAddrV4) -> SockAddr {
        SockAddr(addr.into())
    }
}

impl From<SocketAddrV6> for SockAddr {
    fn from(addr: SocketAddrV6) -> SockAddr {
        SockAddr(addr.into())
    }
}
