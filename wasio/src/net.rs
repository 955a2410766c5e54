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

/// Unix sockets: their addresses, the halves of a stream, and natively pipes. On WASI the types exist, and
/// whatever would make one returns [`Unsupported`](std::io::ErrorKind::Unsupported).
#[cfg(feature = "net")]
pub mod unix {
    #[cfg(unix)]
    pub use wasio_net::unix::pipe;
    pub use wasio_net::unix::{
        OwnedReadHalf, OwnedWriteHalf, ReadHalf, ReuniteError, SocketAddr, UCred, WriteHalf, gid_t,
        pid_t, uid_t,
    };
}
