//! Methods that only Linux and Android have.

use std::io;

use crate::sys::Opt;
use crate::unix::SocketAddr;
use crate::{TcpSocket, TcpStream, UdpSocket};

impl TcpSocket {
    /// Returns the name of the network interface that the socket is tied to, if it is.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.socket().device()
    }

    /// Ties the socket to a network interface, or to none.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`: `ENODEV` if there is no such interface, or
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the process may not bind to it.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket().bind_device(interface)
    }
}

impl TcpStream {
    /// Returns whether acknowledgements are sent at once (`TCP_QUICKACK`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn quickack(&self) -> io::Result<bool> {
        self.socket().switch(Opt::QuickAck)
    }

    /// Sets whether acknowledgements are sent at once (`TCP_QUICKACK`). The system may change it back.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_quickack(&self, quickack: bool) -> io::Result<()> {
        self.socket().set_switch(Opt::QuickAck, quickack)
    }
}

impl UdpSocket {
    /// Returns the name of the network interface that the socket is tied to, if it is.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn device(&self) -> io::Result<Option<Vec<u8>>> {
        self.socket().device()
    }

    /// Ties the socket to a network interface, or to none.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`: `ENODEV` if there is no such interface, or
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the process may not bind to it.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.socket().bind_device(interface)
    }
}

impl SocketAddr {
    /// Returns the name in Linux's abstract namespace, if it is one.
    pub fn as_abstract_name(&self) -> Option<&[u8]> {
        #[cfg(target_os = "android")]
        use std::os::android::net::SocketAddrExt;
        #[cfg(target_os = "linux")]
        use std::os::linux::net::SocketAddrExt;
        self.0.as_abstract_name()
    }
}
