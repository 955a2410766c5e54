//! Unix sockets on a target without them: no address exists, and every function fails.

use std::io;
use std::mem::MaybeUninit;
use std::path::Path;

use crate::sys::{Address, Kind, Socket};

/// The data of a Unix socket's address. There is none.
#[derive(Clone, Debug)]
pub(crate) enum UnixAddr {}

impl UnixAddr {
    pub(crate) fn is_unnamed(&self) -> bool {
        match *self {}
    }

    pub(crate) fn as_pathname(&self) -> Option<&Path> {
        match *self {}
    }
}

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this target has no Unix sockets"))
}

pub(crate) fn unix_addr(_: &Path) -> io::Result<UnixAddr> {
    unsupported()
}

impl Socket {
    pub(crate) fn open_unix(_: Kind) -> io::Result<Socket> {
        unsupported()
    }

    pub(crate) fn pair_unix(_: Kind) -> io::Result<(Socket, Socket)> {
        unsupported()
    }

    pub(crate) fn is_datagram(&self) -> io::Result<bool> {
        unsupported()
    }

    pub(crate) fn bind_unix(&self, addr: &UnixAddr) -> io::Result<()> {
        match *addr {}
    }

    pub(crate) fn connect_unix(&self, addr: &UnixAddr) -> io::Result<()> {
        match *addr {}
    }

    pub(crate) fn accept_unix(&self) -> io::Result<(Socket, UnixAddr)> {
        unsupported()
    }

    pub(crate) fn local_unix(&self) -> io::Result<UnixAddr> {
        unsupported()
    }

    pub(crate) fn peer_unix(&self) -> io::Result<UnixAddr> {
        unsupported()
    }

    pub(crate) fn peer_cred(&self) -> io::Result<(Option<i32>, u32, u32)> {
        unsupported()
    }
}

impl Address for UnixAddr {
    fn recv_from(_: &Socket, _: &mut [MaybeUninit<u8>], _: bool) -> io::Result<(usize, UnixAddr)> {
        unsupported()
    }

    fn send_to(&self, _: &Socket, _: &[u8]) -> io::Result<usize> {
        match *self {}
    }
}
