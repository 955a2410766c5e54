//! The descriptors of the public types, on targets that have descriptors. No other code depends on this file.
#![allow(unsafe_code)] // `FromRawFd` is an unsafe function.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, IntoRawFd, OwnedFd, RawFd};

use crate::sys::Socket;
use crate::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream,
};

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
            /// The descriptor is a socket of the right kind, nothing else owns it, and it does not block.
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
