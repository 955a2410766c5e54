//! A socket without a host. None can be opened. The standard library's are accepted, and every operation on them fails.

use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::time::Duration;

use wasio_runtime::reactor::Source;

use crate::sys::{Address, Family, Kind, Membership, Opt, SocketHooks};

#[derive(Debug)]
pub(crate) struct Socket(());

fn unsupported<T>() -> io::Result<T> {
    Err(io::Error::new(io::ErrorKind::Unsupported, "this target has no sockets"))
}

impl Socket {
    pub(crate) fn open(_: Family, _: Kind) -> io::Result<Socket> {
        unsupported()
    }

    pub(crate) fn from_std<T>(_: T) -> io::Result<Socket> {
        unsupported()
    }

    pub(crate) fn from_std_unchecked<T>(_: T) -> Socket {
        Socket(())
    }

    pub(crate) fn into_std<T>(self) -> io::Result<T> {
        unsupported()
    }

    pub(crate) fn fd_number(&self) -> i32 {
        -1
    }

    pub(crate) fn register(&self) -> io::Result<Source> {
        unsupported()
    }

    pub(crate) fn bind(&self, _: SocketAddr) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn listen(&self, _: u32) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn accept(&self) -> io::Result<(Socket, SocketAddr)> {
        unsupported()
    }

    pub(crate) fn connect(&self, _: SocketAddr) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn connected(&self) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        unsupported()
    }

    pub(crate) fn shutdown(&self, _: Shutdown) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn local_addr(&self) -> io::Result<SocketAddr> {
        unsupported()
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SocketAddr> {
        unsupported()
    }

    pub(crate) fn recv_uninit(&self, _: &mut [MaybeUninit<u8>], _: bool) -> io::Result<usize> {
        unsupported()
    }

    pub(crate) fn recv_vectored(&self, _: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        unsupported()
    }

    pub(crate) fn send(&self, _: &[u8]) -> io::Result<usize> {
        unsupported()
    }

    pub(crate) fn send_vectored(&self, _: &[IoSlice<'_>]) -> io::Result<usize> {
        unsupported()
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        unsupported()
    }

    pub(crate) fn set_linger(&self, _: Option<Duration>) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn option(&self, _: Opt) -> io::Result<u32> {
        unsupported()
    }

    pub(crate) fn set_option(&self, _: Opt, _: u32) -> io::Result<()> {
        unsupported()
    }

    pub(crate) fn set_membership(&self, _: Membership, _: bool) -> io::Result<()> {
        unsupported()
    }
}

impl SocketHooks for Socket {}

impl Address for SocketAddr {
    fn recv_from(
        _: &Socket,
        _: &mut [MaybeUninit<u8>],
        _: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        unsupported()
    }

    fn send_to(&self, _: &Socket, _: &[u8]) -> io::Result<usize> {
        unsupported()
    }
}
