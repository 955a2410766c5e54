//! Unix sockets of WasmEdge, which allows them with `--allow-af-unix`. On other hosts none can be opened.
//!
//! The imports are the second versions by name. The first versions, which have the plain names, know IP addresses only.
//! A path is the host's, not in one of the guest's directories, and at most 107 bytes long. Pairs, credentials and
//! abstract names do not exist.
#![allow(unsafe_code)] // Imports.

use std::ffi::OsStr;
use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::wasi::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::imports::{Ciovec, NONBLOCK, RawAddress, SOL_SOCKET, Storage, check, sock_accept};
use super::socket::Socket;
use crate::sys::{Address, Kind};

/// `AF_UNIX` of WasmEdge.
const UNIX: u16 = 3;
/// The room for a path in `sockaddr_un`, with a zero byte at the end.
const PATH_MAX: usize = 108;
const SO_TYPE: u32 = 1;
const DATAGRAM: u32 = 1;

const EAFNOSUPPORT: i32 = 5;
const EINPROGRESS: i32 = 26;

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn sock_bind_v2(fd: i32, addr: *const RawAddress, port: u32) -> u32;
    fn sock_connect_v2(fd: i32, addr: *const RawAddress, port: u32) -> u32;
    fn sock_send_to_v2(
        fd: i32,
        iov: *const Ciovec,
        count: usize,
        addr: *const RawAddress,
        port: u32,
        flags: u32,
        len: *mut usize,
    ) -> u32;
    fn sock_getlocaladdr_v2(fd: i32, addr: *const RawAddress, port: *mut u32) -> u32;
    fn sock_getpeeraddr_v2(fd: i32, addr: *const RawAddress, port: *mut u32) -> u32;
}

/// The data of a Unix socket's address: a path, empty if there is none.
#[derive(Clone)]
pub(crate) struct UnixAddr(PathBuf);

impl UnixAddr {
    pub(crate) fn is_unnamed(&self) -> bool {
        self.0.as_os_str().is_empty()
    }

    pub(crate) fn as_pathname(&self) -> Option<&Path> {
        (!self.is_unnamed()).then_some(&*self.0)
    }
}

impl std::fmt::Debug for UnixAddr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.as_pathname() {
            Some(path) => write!(f, "{path:?} (pathname)"),
            None => f.write_str("(unnamed)"),
        }
    }
}

/// Returns the address of a path.
pub(crate) fn unix_addr(path: &Path) -> io::Result<UnixAddr> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.contains(&0) {
        let why = "paths of Unix sockets must not contain zero bytes; abstract names do not exist on WASI";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    if bytes.len() >= PATH_MAX {
        let why = "the path of a Unix socket has at most 107 bytes";
        return Err(io::Error::new(io::ErrorKind::InvalidInput, why));
    }
    Ok(UnixAddr(path.to_owned()))
}

fn unsupported<T>(why: &str) -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, why))
}

/// Passes an address to an import.
fn with_address(addr: &UnixAddr, call: impl FnOnce(*const RawAddress) -> u32) -> io::Result<()> {
    let mut storage = Storage([0; 128]);
    storage.0[..2].copy_from_slice(&UNIX.to_le_bytes());
    let path = addr.0.as_os_str().as_bytes();
    storage.0[2..][..path.len()].copy_from_slice(path);
    check(call(&RawAddress { buf: storage.0.as_mut_ptr(), len: storage.0.len() }))
}

/// Reads an address from an import, which fills in an address and a port.
fn name(call: impl FnOnce(*const RawAddress, *mut u32) -> u32) -> io::Result<UnixAddr> {
    let mut storage = Storage([0; 128]);
    let address = RawAddress { buf: storage.0.as_mut_ptr(), len: storage.0.len() };
    check(call(&address, &mut 0))?;
    Ok(from_storage(&storage))
}

fn from_storage(storage: &Storage) -> UnixAddr {
    let path = storage.0[2..][..PATH_MAX].split(|&byte| byte == 0).next().unwrap_or_default();
    UnixAddr(PathBuf::from(OsStr::from_bytes(path)))
}

impl Socket {
    pub(crate) fn open_unix(kind: Kind) -> io::Result<Socket> {
        match Socket::open_family(UNIX.into(), kind) {
            Err(e)
                if e.kind() == io::ErrorKind::Unsupported
                    || e.raw_os_error() == Some(EAFNOSUPPORT) =>
            {
                unsupported(
                    "this host has no Unix sockets: only WasmEdge has, with --allow-af-unix",
                )
            }
            result => result,
        }
    }

    pub(crate) fn pair_unix(_: Kind) -> io::Result<(Socket, Socket)> {
        unsupported("WASI cannot make a pair of Unix sockets: bind a path and connect to it")
    }

    pub(crate) fn is_datagram(&self) -> io::Result<bool> {
        let mut kind = [0; 4];
        check(self.get(SOL_SOCKET, SO_TYPE, &mut kind))?;
        Ok(u32::from_le_bytes(kind) == DATAGRAM)
    }

    pub(crate) fn bind_unix(&self, addr: &UnixAddr) -> io::Result<()> {
        // SAFETY: the address lives for the call.
        with_address(addr, |address| unsafe { sock_bind_v2(self.fd(), address, 0) })
    }

    pub(crate) fn connect_unix(&self, addr: &UnixAddr) -> io::Result<()> {
        // SAFETY: the address lives for the call.
        let connect = |address| unsafe { sock_connect_v2(self.fd(), address, 0) };
        match with_address(addr, connect) {
            Err(e) if e.raw_os_error() == Some(EINPROGRESS) => Ok(()),
            result => result,
        }
    }

    pub(crate) fn accept_unix(&self) -> io::Result<(Socket, UnixAddr)> {
        let mut fd = -1;
        // SAFETY: `fd` has room for the result.
        check(unsafe { sock_accept(self.fd(), NONBLOCK.into(), &mut fd) })?;
        // SAFETY: the host created the descriptor for the guest.
        let socket = Socket::own(unsafe { OwnedFd::from_raw_fd(fd) });
        // The address of a peer that is gone is not known any more, but the bytes that it sent can still be read.
        let peer = socket.peer_unix().unwrap_or_else(|_| UnixAddr(PathBuf::new()));
        Ok((socket, peer))
    }

    pub(crate) fn local_unix(&self) -> io::Result<UnixAddr> {
        // SAFETY: `name` passes pointers to memory that lives for the call.
        name(|addr, port| unsafe { sock_getlocaladdr_v2(self.fd(), addr, port) })
    }

    pub(crate) fn peer_unix(&self) -> io::Result<UnixAddr> {
        // SAFETY: `name` passes pointers to memory that lives for the call.
        name(|addr, port| unsafe { sock_getpeeraddr_v2(self.fd(), addr, port) })
    }

    pub(crate) fn peer_cred(&self) -> io::Result<(Option<i32>, u32, u32)> {
        unsupported("WASI does not tell who a Unix socket's peer is")
    }
}

impl Address for UnixAddr {
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, UnixAddr)> {
        let mut from = Storage([0; 128]);
        let (len, _) = socket.recv_from_storage(buf, peek, &mut from)?;
        Ok((len, from_storage(&from)))
    }

    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize> {
        let iov = Ciovec { buf: buf.as_ptr(), len: buf.len() };
        let mut len = 0;
        // SAFETY: all of these live for the call.
        with_address(self, |address| unsafe {
            sock_send_to_v2(socket.fd(), &iov, 1, address, 0, 0, &mut len)
        })?;
        Ok(len)
    }
}
