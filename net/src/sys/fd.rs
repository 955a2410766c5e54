//! The descriptors of our types, for code that goes around us.
#![allow(unsafe_code)] // `FromRawFd` is an unsafe function.

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use super::Socket;
use crate::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream,
};

/// Somebody else's socket: it is not closed when this is dropped.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
#[derive(Debug)]
pub(crate) struct Borrowed(std::mem::ManuallyDrop<Socket>);

#[cfg(all(target_os = "wasi", target_env = "p1"))]
impl std::ops::Deref for Borrowed {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
impl Socket {
    /// Uses a socket that outlives the result.
    #[cfg(target_os = "wasi")]
    pub(crate) fn borrowed(fd: BorrowedFd<'_>) -> Borrowed {
        // SAFETY: it is never closed here; the caller sees to it that the owner lives longer.
        let fd = unsafe { OwnedFd::from_raw_fd(fd.as_raw_fd()) };
        Borrowed(std::mem::ManuallyDrop::new(Socket::from_fd_unchecked(fd)))
    }

    /// What the reactor waits for.
    pub(crate) fn raw(&self) -> RawFd {
        self.as_raw_fd()
    }

    /// Nothing is read ahead here.
    pub(crate) fn must_be_whole(&self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(not(all(target_os = "wasi", target_env = "p2")))]
impl AsRawFd for Socket {
    fn as_raw_fd(&self) -> RawFd {
        self.as_fd().as_raw_fd()
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
                self.into_socket().into_fd().into_raw_fd()
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
