//! The descriptors of our types, for code that goes around us.
#![allow(unsafe_code)] // `FromRawFd` is an unsafe function.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use crate::sys::{Hooks as _, Socket};
use crate::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream,
};

impl Socket {
    /// Takes a socket of the standard library, which must not block.
    #[track_caller]
    pub(crate) fn from_std(std: impl Into<OwnedFd>) -> io::Result<Socket> {
        Socket::from_fd(std.into())
    }

    /// Takes a socket that is not registered yet, as it is.
    pub(crate) fn from_std_unchecked(std: impl Into<OwnedFd>) -> Socket {
        Socket::from_fd_unchecked(std.into())
    }

    /// Converts into a type of the standard library.
    pub(crate) fn into_std<T: From<OwnedFd>>(self) -> io::Result<T> {
        self.must_be_whole()?;
        Ok(self.into_fd().into())
    }

    /// The number that `Debug` shows.
    pub(crate) fn fd_number(&self) -> RawFd {
        self.as_raw_fd()
    }
}

macro_rules! descriptor {
    ($($type:ty),*) => {$(
        impl AsRawFd for $type {
            fn as_raw_fd(&self) -> RawFd {
                self.socket().as_raw_fd()
            }
        }

        impl AsFd for $type {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.socket().as_fd()
            }
        }
    )*};
}

macro_rules! owned_descriptor {
    ($($type:ty),*) => {$(
        impl IntoRawFd for $type {
            fn into_raw_fd(self) -> RawFd {
                self.socket.into_fd().into_raw_fd()
            }
        }

        impl FromRawFd for $type {
            /// Takes a socket by its descriptor.
            ///
            /// # Safety
            ///
            /// The descriptor is a socket of the right kind that nobody else owns, and it does not block.
            unsafe fn from_raw_fd(fd: RawFd) -> Self {
                // SAFETY: promised by the caller.
                let fd = unsafe { OwnedFd::from_raw_fd(fd) };
                Self::from_socket(Socket::from_fd_unchecked(fd))
            }
        }
    )*};
}

descriptor!(TcpListener, TcpSocket, TcpStream, UdpSocket);
descriptor!(UnixDatagram, UnixListener, UnixSocket, UnixStream);
owned_descriptor!(TcpSocket, UnixSocket);
