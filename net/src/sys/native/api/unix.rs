//! Conversions of Unix sockets from and into the standard library's.

use std::io;
use std::os::unix::net;

use crate::sys::Socket;
use crate::unix::SocketAddr;
use crate::{UnixDatagram, UnixListener, UnixStream};

impl UnixStream {
    /// Converts a stream of the standard library, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be registered with the reactor.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, in one without I/O, and in a debug build if the stream blocks.
    #[track_caller]
    pub fn from_std(stream: net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::new(Socket::from_std(stream)?)
    }

    /// Converts into the standard library's type. The socket stays non-blocking.
    ///
    /// # Errors
    ///
    /// It does not fail at present.
    pub fn into_std(self) -> io::Result<net::UnixStream> {
        self.io.into_socket().into_std()
    }
}

impl TryFrom<net::UnixStream> for UnixStream {
    type Error = io::Error;

    /// See [`UnixStream::from_std`].
    fn try_from(stream: net::UnixStream) -> io::Result<UnixStream> {
        UnixStream::from_std(stream)
    }
}

impl UnixListener {
    /// Converts a listener of the standard library, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be registered with the reactor.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, in one without I/O, and in a debug build if the listener blocks.
    #[track_caller]
    pub fn from_std(listener: net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::new(Socket::from_std(listener)?)
    }

    /// Converts into the standard library's type. The socket stays non-blocking.
    ///
    /// # Errors
    ///
    /// It does not fail at present.
    pub fn into_std(self) -> io::Result<net::UnixListener> {
        self.io.into_socket().into_std()
    }
}

impl TryFrom<net::UnixListener> for UnixListener {
    type Error = io::Error;

    /// See [`UnixListener::from_std`].
    fn try_from(listener: net::UnixListener) -> io::Result<UnixListener> {
        UnixListener::from_std(listener)
    }
}

impl UnixDatagram {
    /// Converts a socket of the standard library, which must be non-blocking.
    ///
    /// # Errors
    ///
    /// Fails if it cannot be registered with the reactor.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, in one without I/O, and in a debug build if the socket blocks.
    #[track_caller]
    pub fn from_std(datagram: net::UnixDatagram) -> io::Result<UnixDatagram> {
        UnixDatagram::new(Socket::from_std(datagram)?)
    }

    /// Converts into the standard library's type. The socket stays non-blocking.
    ///
    /// # Errors
    ///
    /// It does not fail at present.
    pub fn into_std(self) -> io::Result<net::UnixDatagram> {
        self.io.into_socket().into_std()
    }
}

impl TryFrom<net::UnixDatagram> for UnixDatagram {
    type Error = io::Error;

    /// See [`UnixDatagram::from_std`].
    fn try_from(datagram: net::UnixDatagram) -> io::Result<UnixDatagram> {
        UnixDatagram::from_std(datagram)
    }
}

impl From<net::SocketAddr> for SocketAddr {
    fn from(addr: net::SocketAddr) -> SocketAddr {
        SocketAddr(addr)
    }
}

impl From<SocketAddr> for net::SocketAddr {
    fn from(addr: SocketAddr) -> net::SocketAddr {
        addr.0
    }
}
