//! Addresses, as the bytes that the system takes.
//!
//! The layout is the target's `sockaddr_in`, `sockaddr_in6`, `sockaddr_un` and `sockaddr_vm`; on WASI it is Linux's.
#![allow(unsafe_code)] // `set_length` is an unsafe function.

use std::ffi::c_int;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::path::Path;

use crate::Domain;
use crate::sys::{self, number, sa_family_t, socklen_t};

/// As large and as aligned as `sockaddr_storage`.
#[repr(C, align(8))]
#[derive(Clone, Copy)]
pub(crate) struct Storage(pub(crate) [u8; 128]);

/// The length of `sockaddr_in`, `sockaddr_in6` and `sockaddr_vm`, and the offset of the path in `sockaddr_un`.
const IN: usize = 16;
const IN6: usize = 28;
const VM: usize = 16;
const PATH: usize = 2;

impl Storage {
    pub(crate) const ZERO: Storage = Storage([0; 128]);

    fn new(family: c_int, len: usize) -> Storage {
        let mut storage = Storage::ZERO;
        sys::set_family(&mut storage.0, family as sa_family_t, len);
        storage
    }

    fn put(&mut self, at: usize, bytes: &[u8]) {
        self.0[at..at + bytes.len()].copy_from_slice(bytes);
    }

    const fn four(&self, at: usize) -> [u8; 4] {
        [self.0[at], self.0[at + 1], self.0[at + 2], self.0[at + 3]]
    }

    const fn port(&self) -> u16 {
        u16::from_be_bytes([self.0[2], self.0[3]])
    }
}

/// The address of a socket.
#[derive(Clone)]
pub struct SockAddr {
    pub(crate) storage: Storage,
    pub(crate) len: socklen_t,
}

#[allow(clippy::len_without_is_empty)] // As upstream.
impl SockAddr {
    fn with(storage: Storage, len: usize) -> SockAddr {
        SockAddr { storage, len: len as socklen_t }
    }

    /// The address of a Unix socket: a path, or on Linux a name that starts with a zero byte.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) if the path is too long.
    pub fn unix<P: AsRef<Path>>(path: P) -> io::Result<SockAddr> {
        let path = path.as_ref().as_os_str().as_encoded_bytes();
        // An abstract name has the given length. A path is followed by a zero, which it does not contain.
        let is_abstract = path.first() == Some(&0);
        if path.len() > sys::PATH_MAX - usize::from(!is_abstract) {
            let text = format!("a Unix socket's path has fewer than {} bytes", sys::PATH_MAX);
            return Err(io::Error::new(io::ErrorKind::InvalidInput, text));
        }
        let ends = usize::from(!path.is_empty() && !is_abstract);
        let len = PATH + path.len() + ends;
        let mut storage = Storage::new(number::AF_UNIX, len);
        storage.put(PATH, path);
        Ok(SockAddr::with(storage, len))
    }

    /// The address of a socket between a virtual machine and its host.
    #[cfg(feature = "all")]
    pub fn vsock(cid: u32, port: u32) -> SockAddr {
        let mut storage = Storage::new(number::AF_VSOCK, VM);
        storage.put(4, &port.to_ne_bytes());
        storage.put(8, &cid.to_ne_bytes());
        SockAddr::with(storage, VM)
    }

    /// Sets the length of the address.
    ///
    /// # Safety
    ///
    /// This many bytes of the address are initialised.
    pub unsafe fn set_length(&mut self, length: socklen_t) {
        self.len = length;
    }

    /// Returns the family of the address.
    pub const fn family(&self) -> sa_family_t {
        sys::family(&self.storage.0)
    }

    /// Returns the family of the address.
    pub const fn domain(&self) -> Domain {
        Domain(self.family() as c_int)
    }

    /// Returns the length of the address, in bytes.
    pub const fn len(&self) -> socklen_t {
        self.len
    }

    /// Returns whether the address belongs to IPv4.
    pub const fn is_ipv4(&self) -> bool {
        self.family() == number::AF_INET as sa_family_t
    }

    /// Returns whether the address belongs to IPv6.
    pub const fn is_ipv6(&self) -> bool {
        self.family() == number::AF_INET6 as sa_family_t
    }

    /// Returns whether the address belongs to a Unix socket.
    pub fn is_unix(&self) -> bool {
        self.family() == number::AF_UNIX as sa_family_t
    }

    /// Returns the address as std's type, if it belongs to IPv4 or IPv6.
    pub fn as_socket(&self) -> Option<SocketAddr> {
        match self.as_socket_ipv4() {
            Some(address) => Some(address.into()),
            None => self.as_socket_ipv6().map(SocketAddr::from),
        }
    }

    /// Returns the address, if it belongs to IPv4.
    pub fn as_socket_ipv4(&self) -> Option<SocketAddrV4> {
        let ip = Ipv4Addr::from(self.storage.four(4));
        self.is_ipv4().then(|| SocketAddrV4::new(ip, self.storage.port()))
    }

    /// Returns the address, if it belongs to IPv6.
    pub fn as_socket_ipv6(&self) -> Option<SocketAddrV6> {
        if !self.is_ipv6() {
            return None;
        }
        let ip: [u8; 16] = self.storage.0[8..24].try_into().ok()?;
        let number = |at| u32::from_ne_bytes(self.storage.four(at));
        Some(SocketAddrV6::new(Ipv6Addr::from(ip), self.storage.port(), number(4), number(24)))
    }

    /// Returns the numbers of the machine and the port, if the address belongs to a vsock.
    #[cfg(feature = "all")]
    pub fn as_vsock_address(&self) -> Option<(u32, u32)> {
        let number = |at| u32::from_ne_bytes(self.storage.four(at));
        let is_vsock = self.family() == number::AF_VSOCK as sa_family_t;
        is_vsock.then(|| (number(8), number(4)))
    }

    /// Returns the bytes after the family in the address of a Unix socket.
    fn path(&self) -> Option<&[u8]> {
        let end = (self.len as usize).min(self.storage.0.len());
        self.is_unix().then(|| self.storage.0.get(PATH..end).unwrap_or_default())
    }

    /// Returns whether the address belongs to a Unix socket that has no name.
    pub fn is_unnamed(&self) -> bool {
        self.path().is_some_and(|path| path.is_empty() || (!sys::HAS_ABSTRACT && path[0] == 0))
    }

    /// Returns the path, if the address belongs to a Unix socket that has one.
    pub fn as_pathname(&self) -> Option<&Path> {
        let path = self.path().filter(|path| !path.is_empty() && path[0] != 0)?;
        // As natively, up to the zero, which the length includes.
        sys::path(&path[..path.len() - 1])
    }

    /// Returns the name, if the address belongs to a Unix socket with an abstract one (Linux).
    pub fn as_abstract_namespace(&self) -> Option<&[u8]> {
        let path = self.path().filter(|_| sys::HAS_ABSTRACT)?;
        path.split_first().filter(|(first, _)| **first == 0).map(|(_, name)| name)
    }

    fn bytes(&self) -> &[u8] {
        &self.storage.0[..(self.len as usize).min(self.storage.0.len())]
    }
}

impl From<SocketAddr> for SockAddr {
    fn from(address: SocketAddr) -> SockAddr {
        match address {
            SocketAddr::V4(address) => address.into(),
            SocketAddr::V6(address) => address.into(),
        }
    }
}

impl From<SocketAddrV4> for SockAddr {
    fn from(address: SocketAddrV4) -> SockAddr {
        let mut storage = Storage::new(number::AF_INET, IN);
        storage.put(2, &address.port().to_be_bytes());
        storage.put(4, &address.ip().octets());
        SockAddr::with(storage, IN)
    }
}

impl From<SocketAddrV6> for SockAddr {
    fn from(address: SocketAddrV6) -> SockAddr {
        let mut storage = Storage::new(number::AF_INET6, IN6);
        storage.put(2, &address.port().to_be_bytes());
        storage.put(4, &address.flowinfo().to_ne_bytes());
        storage.put(8, &address.ip().octets());
        storage.put(24, &address.scope_id().to_ne_bytes());
        SockAddr::with(storage, IN6)
    }
}

impl fmt::Debug for SockAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("SockAddr");
        debug.field("ss_family", &self.family()).field("len", &self.len).finish()
    }
}

impl PartialEq for SockAddr {
    fn eq(&self, other: &SockAddr) -> bool {
        self.bytes() == other.bytes()
    }
}

impl Eq for SockAddr {}

impl Hash for SockAddr {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.bytes().hash(state);
    }
}
