//! The address of a Unix socket.

use std::fmt;
use std::io;
use std::mem::MaybeUninit;
use std::path::Path;

use crate::sys::{Address, Socket, UnixAddr};

/// The address of a Unix socket: a path, on Linux also an abstract name, or nothing.
///
/// Natively it converts from and into `std::os::unix::net::SocketAddr`.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let listener = wasio::net::UnixListener::bind("server.sock")?;
/// assert_eq!(listener.local_addr()?.as_pathname(), Some("server.sock".as_ref()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct SocketAddr(pub(crate) UnixAddr);

impl SocketAddr {
    /// Returns whether the socket has no name.
    pub fn is_unnamed(&self) -> bool {
        self.0.is_unnamed()
    }

    /// Returns the path, if it is one.
    pub fn as_pathname(&self) -> Option<&Path> {
        self.0.as_pathname()
    }
}

impl fmt::Debug for SocketAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Address for SocketAddr {
    fn recv_from(
        socket: &Socket,
        buf: &mut [MaybeUninit<u8>],
        peek: bool,
    ) -> io::Result<(usize, SocketAddr)> {
        UnixAddr::recv_from(socket, buf, peek).map(|(n, addr)| (n, SocketAddr(addr)))
    }

    fn send_to(&self, socket: &Socket, buf: &[u8]) -> io::Result<usize> {
        self.0.send_to(socket, buf)
    }
}
