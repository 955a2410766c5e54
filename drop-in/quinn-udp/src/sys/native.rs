//! Unix: the system calls.

use std::io;
use std::net::SocketAddr;
use std::os::fd::BorrowedFd;

use rustix::net::{RecvFlags, SendFlags, recvfrom, sendto, sockopt};

#[derive(Debug)]
pub(crate) struct Socket<'a>(BorrowedFd<'a>);

impl<'a> Socket<'a> {
    pub(crate) fn lent(fd: BorrowedFd<'a>) -> Socket<'a> {
        Socket(fd)
    }

    pub(crate) fn set_nonblocking(&self) -> io::Result<()> {
        Ok(rustix::io::ioctl_fionbio(self.0, true)?)
    }

    pub(crate) fn send_to(&self, buf: &[u8], addr: SocketAddr) -> io::Result<()> {
        sendto(self.0, buf, SendFlags::empty(), &addr)?;
        Ok(())
    }

    pub(crate) fn recv_from(&self, buf: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
        let (len, _, addr) = recvfrom(self.0, buf, RecvFlags::empty())?;
        let addr = addr.and_then(|addr| SocketAddr::try_from(addr).ok());
        Ok((len, addr.ok_or_else(|| io::Error::other("the sender has no internet address"))?))
    }

    pub(crate) fn send_buffer_size(&self) -> io::Result<usize> {
        Ok(sockopt::socket_send_buffer_size(self.0)?)
    }

    pub(crate) fn recv_buffer_size(&self) -> io::Result<usize> {
        Ok(sockopt::socket_recv_buffer_size(self.0)?)
    }

    pub(crate) fn set_send_buffer_size(&self, bytes: usize) -> io::Result<()> {
        Ok(sockopt::set_socket_send_buffer_size(self.0, bytes)?)
    }

    pub(crate) fn set_recv_buffer_size(&self, bytes: usize) -> io::Result<()> {
        Ok(sockopt::set_socket_recv_buffer_size(self.0, bytes)?)
    }
}
