//! WASI: calls through `wasio-net`, which supports the sockets of each host.

use std::io;
use std::marker::PhantomData;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use wasio_net::raw::{Opt, RawSocket};

#[derive(Debug)]
pub(crate) struct Socket<'a>(RawSocket, PhantomData<&'a ()>);

impl<'a> Socket<'a> {
    pub(crate) fn lent(fd: BorrowedFd<'a>) -> Socket<'a> {
        Socket(RawSocket::lent(fd), PhantomData)
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        self.0.set_nonblocking(true)
    }

    pub(crate) fn send_to(&self, buf: &[u8], addr: SocketAddr) -> io::Result<()> {
        self.0.send_to(buf, addr).map(drop)
    }

    pub(crate) fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        self.0.recv_from_init(buf)
    }

    pub(crate) fn send_buffer_size(&self) -> io::Result<usize> {
        self.0.option(Opt::SendBuffer).map(|size| size as usize)
    }

    pub(crate) fn recv_buffer_size(&self) -> io::Result<usize> {
        self.0.option(Opt::RecvBuffer).map(|size| size as usize)
    }

    pub(crate) fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.0.set_option(Opt::SendBuffer, saturated(bytes))
    }

    pub(crate) fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        self.0.set_option(Opt::RecvBuffer, saturated(bytes))
    }
}

fn saturated(bytes: usize) -> u32 {
    u32::try_from(bytes).unwrap_or(u32::MAX)
}
