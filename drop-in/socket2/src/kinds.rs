//! The kinds of sockets, the flags of a received message, and keepalive.

use std::ffi::c_int;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

use crate::sys::number;

macro_rules! kind {
    (
        $(#[$doc:meta])* $name:ident {
            $($(#[$const_doc:meta])* $const:ident = $value:ident;)*
        }
    ) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq)]
        pub struct $name(pub(crate) c_int);

        impl $name {
            $($(#[$const_doc])* pub const $const: $name = $name(number::$value);)*
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                $(
                    if self.0 == number::$value {
                        return f.write_str(stringify!($value));
                    }
                )*
                write!(f, "{}", self.0)
            }
        }

        impl From<c_int> for $name {
            fn from(number: c_int) -> $name {
                $name(number)
            }
        }

        impl From<$name> for c_int {
            fn from(kind: $name) -> c_int {
                kind.0
            }
        }
    };
}

kind! {
    /// The family of a socket's addresses.
    Domain {
        /// IPv4.
        IPV4 = AF_INET;
        /// IPv6.
        IPV6 = AF_INET6;
        /// Paths on this machine.
        UNIX = AF_UNIX;
        /// Packets of a network interface.
        #[cfg(feature = "all")]
        PACKET = AF_PACKET;
        /// Between a virtual machine and its host.
        #[cfg(feature = "all")]
        VSOCK = AF_VSOCK;
    }
}

kind! {
    /// The semantics of a socket.
    Type {
        /// A stream of bytes.
        STREAM = SOCK_STREAM;
        /// Messages.
        DGRAM = SOCK_DGRAM;
        /// DCCP.
        #[cfg(feature = "all")]
        DCCP = SOCK_DCCP;
        /// Messages in sequence.
        #[cfg(feature = "all")]
        SEQPACKET = SOCK_SEQPACKET;
        /// Packets of the protocol below.
        #[cfg(feature = "all")]
        RAW = SOCK_RAW;
    }
}

kind! {
    /// The protocol of a socket.
    Protocol {
        /// ICMP for IPv4.
        ICMPV4 = IPPROTO_ICMP;
        /// ICMP for IPv6.
        ICMPV6 = IPPROTO_ICMPV6;
        /// TCP.
        TCP = IPPROTO_TCP;
        /// UDP.
        UDP = IPPROTO_UDP;
        /// Multipath TCP.
        MPTCP = IPPROTO_MPTCP;
        /// DCCP.
        #[cfg(feature = "all")]
        DCCP = IPPROTO_DCCP;
        /// SCTP.
        #[cfg(feature = "all")]
        SCTP = IPPROTO_SCTP;
        /// UDP-Lite.
        #[cfg(feature = "all")]
        UDPLITE = IPPROTO_UDPLITE;
    }
}

impl Domain {
    /// The family of an address.
    pub const fn for_address(address: SocketAddr) -> Domain {
        match address {
            SocketAddr::V4(_) => Domain::IPV4,
            SocketAddr::V6(_) => Domain::IPV6,
        }
    }
}

impl Type {
    /// Returns the type with `SOCK_NONBLOCK`.
    #[cfg(feature = "all")]
    pub const fn nonblocking(self) -> Type {
        Type(self.0 | number::SOCK_NONBLOCK)
    }

    /// Returns the type with `SOCK_CLOEXEC`.
    #[cfg(feature = "all")]
    pub const fn cloexec(self) -> Type {
        Type(self.0 | number::SOCK_CLOEXEC)
    }
}

/// The flags of a received message.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct RecvFlags(pub(crate) c_int);

impl RecvFlags {
    const fn has(self, flag: c_int) -> bool {
        self.0 & flag != 0
    }

    /// Returns whether the message was longer than the buffer.
    pub const fn is_truncated(self) -> bool {
        self.has(number::MSG_TRUNC)
    }

    /// Returns whether a record ends here (`SOCK_SEQPACKET`).
    pub const fn is_end_of_record(self) -> bool {
        self.has(number::MSG_EOR)
    }

    /// Returns whether the data is out of band.
    pub const fn is_out_of_band(self) -> bool {
        self.has(number::MSG_OOB)
    }

    /// Returns whether the peer confirmed the path (`MSG_CONFIRM`).
    #[cfg(feature = "all")]
    pub const fn is_confirm(self) -> bool {
        self.has(number::MSG_CONFIRM)
    }

    /// Returns whether the message went past the routing table (`MSG_DONTROUTE`).
    #[cfg(feature = "all")]
    pub const fn is_dontroute(self) -> bool {
        self.has(number::MSG_DONTROUTE)
    }
}

impl fmt::Debug for RecvFlags {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("RecvFlags");
        debug.field("is_end_of_record", &self.is_end_of_record());
        debug.field("is_out_of_band", &self.is_out_of_band());
        debug.field("is_truncated", &self.is_truncated());
        #[cfg(feature = "all")]
        debug.field("is_confirm", &self.is_confirm());
        #[cfg(feature = "all")]
        debug.field("is_dontroute", &self.is_dontroute());
        debug.finish()
    }
}

/// The parameters of TCP keepalive.
#[derive(Clone, Debug)]
pub struct TcpKeepalive {
    pub(crate) time: Option<Duration>,
    pub(crate) interval: Option<Duration>,
    pub(crate) retries: Option<u32>,
}

impl TcpKeepalive {
    /// Returns the system's defaults.
    #[allow(clippy::new_without_default)] // As upstream.
    pub const fn new() -> TcpKeepalive {
        TcpKeepalive { time: None, interval: None, retries: None }
    }

    /// Sets the idle time before the first probe. The system takes whole seconds.
    pub const fn with_time(self, time: Duration) -> TcpKeepalive {
        TcpKeepalive { time: Some(time), ..self }
    }

    /// Sets the time between two probes. The system takes whole seconds.
    pub const fn with_interval(self, interval: Duration) -> TcpKeepalive {
        TcpKeepalive { interval: Some(interval), ..self }
    }

    /// Sets the number of unanswered probes after which the connection is dropped.
    #[cfg(feature = "all")]
    pub const fn with_retries(self, retries: u32) -> TcpKeepalive {
        TcpKeepalive { retries: Some(retries), ..self }
    }
}
