//! Options of UDP sockets.

use std::io;

use crate::UdpSocket;
use crate::udp::options;

options! {
    /// Returns the type of service of IPv4 packets (`IP_TOS`).
    Tos: tos_v4, set_tos_v4: u32, option, set_option;
    /// Returns the traffic class of IPv6 packets (`IPV6_TCLASS`).
    TclassV6: tclass_v6, set_tclass_v6: u32, option, set_option;
}

impl UdpSocket {
    /// The older name of [`tos_v4`](Self::tos_v4).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    #[deprecated(note = "renamed to `tos_v4`")]
    pub fn tos(&self) -> io::Result<u32> {
        self.tos_v4()
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
