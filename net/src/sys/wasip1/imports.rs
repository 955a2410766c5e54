//! The imports, their types, and the errors they return.
#![allow(unsafe_code)] // Imports.

use std::io;

pub(super) const NONBLOCK: u16 = 4;
/// A flag of the result, on hosts with the poll extension: nothing is left to read.
pub(super) const RECV_DRAINED: u16 = 1 << 15;
pub(super) const RECV_PEEK: u32 = 1;
pub(super) const SHUT_READ: u32 = 1;
pub(super) const SHUT_WRITE: u32 = 2;

pub(super) const EAFNOSUPPORT: i32 = 5;
pub(super) const EAGAIN: i32 = 6;
pub(super) const EINPROGRESS: i32 = 26;
pub(super) const EINTR: i32 = 27;
pub(super) const EINVAL: i32 = 28;
pub(super) const ENOPROTOOPT: i32 = 50;
pub(super) const ENOSYS: i32 = 52;
pub(super) const ENOTCONN: i32 = 53;
pub(super) const ENOTSUP: i32 = 58;
pub(super) const ENOTCAPABLE: i32 = 76;

pub(super) const SOL_SOCKET: u32 = 0;
pub(super) const SO_ERROR: u32 = 2;

/// `RawAddress` of WasmEdge: the octets, whose number determines their family.
#[repr(C)]
pub(super) struct RawAddress {
    pub(super) buf: *mut u8,
    pub(super) len: usize,
}

/// `iovec` of the WASI preview 1 witx.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Iovec {
    pub(super) buf: *mut u8,
    pub(super) len: usize,
}

/// `ciovec` of the WASI preview 1 witx.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Ciovec {
    pub(super) buf: *const u8,
    pub(super) len: usize,
}

/// An address after its family, in the form that the second versions of the imports use.
#[repr(C, align(2))]
pub(super) struct Storage(pub(super) [u8; 128]);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    pub(super) fn sock_open(family: u32, kind: u32, fd: *mut i32) -> u32;
    pub(super) fn sock_bind(fd: i32, addr: *const RawAddress, port: u32) -> u32;
    pub(super) fn sock_listen(fd: i32, backlog: u32) -> u32;
    pub(super) fn sock_accept(fd: i32, flags: u32, accepted: *mut i32) -> u32;
    pub(super) fn sock_connect(fd: i32, addr: *const RawAddress, port: u32) -> u32;
    pub(super) fn sock_recv(
        fd: i32,
        iov: *const Iovec,
        count: usize,
        flags: u32,
        len: *mut usize,
        out_flags: *mut u16,
    ) -> u32;
    pub(super) fn sock_recv_from(
        fd: i32,
        iov: *const Iovec,
        count: usize,
        addr: *const RawAddress,
        flags: u32,
        port: *mut u16,
        len: *mut usize,
        out_flags: *mut u16,
    ) -> u32;
    pub(super) fn sock_send(
        fd: i32,
        iov: *const Ciovec,
        count: usize,
        flags: u32,
        len: *mut usize,
    ) -> u32;
    pub(super) fn sock_send_to(
        fd: i32,
        iov: *const Ciovec,
        count: usize,
        addr: *const RawAddress,
        port: u32,
        flags: u32,
        len: *mut usize,
    ) -> u32;
    pub(super) fn sock_shutdown(fd: i32, how: u32) -> u32;
    pub(super) fn sock_getlocaladdr(
        fd: i32,
        addr: *const RawAddress,
        family: *mut u32,
        port: *mut u32,
    ) -> u32;
    pub(super) fn sock_getpeeraddr(
        fd: i32,
        addr: *const RawAddress,
        family: *mut u32,
        port: *mut u32,
    ) -> u32;
    pub(super) fn sock_getsockopt(
        fd: i32,
        level: u32,
        name: u32,
        value: *mut u8,
        size: *mut u32,
    ) -> u32;
    pub(super) fn sock_setsockopt(
        fd: i32,
        level: u32,
        name: u32,
        value: *const u8,
        size: u32,
    ) -> u32;
    pub(super) fn fd_fdstat_set_flags(fd: i32, flags: u32) -> u32;
}

/// Converts the result of an import.
#[inline] // SIZE: 71 bytes of an echo server.
pub(super) fn check(errno: u32) -> io::Result<()> {
    if errno == 0 { Ok(()) } else { Err(error(errno as i32)) }
}

#[cold]
pub(super) fn error(errno: i32) -> io::Error {
    match errno {
        // std has no kind for it. It means that the host does not permit this.
        ENOTCAPABLE => io::ErrorKind::PermissionDenied.into(),
        // Hosts without a call return these, and std maps neither to `Unsupported`.
        ENOSYS | ENOTSUP => io::ErrorKind::Unsupported.into(),
        errno => io::Error::from_raw_os_error(errno),
    }
}
