//! Conversions from and into the standard library's sockets, on targets where both are descriptors.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use crate::sys::{Socket, SocketHooks as _};

impl Socket {
    /// Takes a socket of the standard library, which must not block.
    #[track_caller]
    pub(crate) fn from_std(std: impl Into<OwnedFd>) -> io::Result<Socket> {
        Socket::from_fd(std.into())
    }

    /// Takes a socket that is not registered yet, without changing it.
    pub(crate) fn from_std_unchecked(std: impl Into<OwnedFd>) -> Socket {
        Socket::from_fd_unchecked(std.into())
    }

    /// Converts into a type of the standard library.
    pub(crate) fn into_std<T: From<OwnedFd>>(self) -> io::Result<T> {
        self.ensure_nothing_ahead()?;
        Ok(self.into_fd().into())
    }

    /// The number that `Debug` shows.
    pub(crate) fn fd_number(&self) -> RawFd {
        self.as_raw_fd()
    }
}
