//! Sockets: TCP, UDP, Unix, and the lookup of names.
//!
//! See the documentation of the single types for what differs on WASI.

pub use wasio_net::ToSocketAddrs;

#[cfg(feature = "net")]
pub use wasio_net::{
    TcpListener, TcpSocket, TcpStream, UdpSocket, UnixDatagram, UnixListener, UnixSocket,
    UnixStream, lookup_host,
};

/// The halves of a TCP stream.
#[cfg(feature = "net")]
pub mod tcp {
    pub use wasio_net::tcp::{OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, WriteHalf};
}

#[cfg(feature = "net")]
pub use wasio_net::unix;
