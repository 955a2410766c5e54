//! Options of TCP sockets.

use std::io;

use crate::TcpSocket;
use crate::sys::Opt;

impl TcpSocket {
    /// Sets whether several sockets can be bound to one address (`SO_REUSEPORT`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_reuseport(&self, reuseport: bool) -> io::Result<()> {
        self.socket().set_switch(Opt::ReusePort, reuseport)
    }

    /// Returns whether several sockets can be bound to one address (`SO_REUSEPORT`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn reuseport(&self) -> io::Result<bool> {
        self.socket().switch(Opt::ReusePort)
    }

    /// Returns the traffic class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn tclass_v6(&self) -> io::Result<u32> {
        self.socket().option(Opt::TclassV6)
    }

    /// Sets the traffic class of IPv6 packets (`IPV6_TCLASS`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_tclass_v6(&self, tclass: u32) -> io::Result<()> {
        self.socket().set_option(Opt::TclassV6, tclass)
    }

    /// Returns the type of service of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn tos_v4(&self) -> io::Result<u32> {
        self.socket().option(Opt::Tos)
    }

    /// The older name of [`tos_v4`](Self::tos_v4).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    #[deprecated(note = "renamed to `tos_v4`")]
    pub fn tos(&self) -> io::Result<u32> {
        self.tos_v4()
    }

    /// Sets the type of service of IPv4 packets (`IP_TOS`).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`. [`InvalidInput`](io::ErrorKind::InvalidInput) for a value above 255.
    pub fn set_tos_v4(&self, tos: u32) -> io::Result<()> {
        self.socket().set_option(Opt::Tos, tos)
    }

    /// The older name of [`set_tos_v4`](Self::set_tos_v4).
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    #[deprecated(note = "renamed to `set_tos_v4`")]
    pub fn set_tos(&self, tos: u32) -> io::Result<()> {
        self.set_tos_v4(tos)
    }
}
