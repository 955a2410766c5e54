//! What a socket is opened as, and how it is kept alive.

use std::net::SocketAddr;
use std::time::Duration;

/// The numbers of the system, or Linux' where there is no system.
mod number {
    #[cfg(unix)]
    pub(super) use libc::{
        AF_INET, AF_INET6, AF_UNIX, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP,
        SOCK_DGRAM, SOCK_STREAM,
    };

    #[cfg(not(unix))]
    mod fixed {
        pub(in super::super) const AF_UNIX: i32 = 1;
        pub(in super::super) const AF_INET: i32 = 2;
        pub(in super::super) const AF_INET6: i32 = 10;
        pub(in super::super) const SOCK_STREAM: i32 = 1;
        pub(in super::super) const SOCK_DGRAM: i32 = 2;
        pub(in super::super) const IPPROTO_ICMP: i32 = 1;
        pub(in super::super) const IPPROTO_TCP: i32 = 6;
        pub(in super::super) const IPPROTO_UDP: i32 = 17;
        pub(in super::super) const IPPROTO_ICMPV6: i32 = 58;
    }
    #[cfg(not(unix))]
    pub(super) use fixed::*;
}

macro_rules! kind {
    ($(#[$doc:meta])* $name:ident { $($(#[$const_doc:meta])* $const:ident = $value:ident;)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub struct $name(i32);

        impl $name {
            $($(#[$const_doc])* pub const $const: $name = $name(number::$value);)*
        }

        impl From<i32> for $name {
            fn from(number: i32) -> $name {
                $name(number)
            }
        }

        impl From<$name> for i32 {
            fn from(kind: $name) -> i32 {
                kind.0
            }
        }
    };
}

kind! {
    /// The kind of addresses a socket has.
    Domain {
        /// IPv4.
        IPV4 = AF_INET;
        /// IPv6.
        IPV6 = AF_INET6;
        /// Paths of this machine; no such socket can be opened here.
        UNIX = AF_UNIX;
    }
}

kind! {
    /// Whether bytes or messages are sent.
    Type {
        /// Bytes.
        STREAM = SOCK_STREAM;
        /// Messages.
        DGRAM = SOCK_DGRAM;
    }
}

kind! {
    /// The protocol of a socket.
    Protocol {
        /// TCP.
        TCP = IPPROTO_TCP;
        /// UDP.
        UDP = IPPROTO_UDP;
        /// ICMP; no such socket can be opened here.
        ICMPV4 = IPPROTO_ICMP;
        /// ICMP of IPv6; no such socket can be opened here.
        ICMPV6 = IPPROTO_ICMPV6;
    }
}

impl Domain {
    /// The kind that an address is of.
    pub const fn for_address(address: SocketAddr) -> Domain {
        match address {
            SocketAddr::V4(_) => Domain::IPV4,
            SocketAddr::V6(_) => Domain::IPV6,
        }
    }
}

/// How lost peers of idle connections are noticed.
#[derive(Clone, Debug, Default)]
pub struct TcpKeepalive {
    pub(crate) time: Option<Duration>,
    pub(crate) interval: Option<Duration>,
    pub(crate) retries: Option<u32>,
}

impl TcpKeepalive {
    /// Keepalive with the system's times.
    pub const fn new() -> TcpKeepalive {
        TcpKeepalive { time: None, interval: None, retries: None }
    }

    /// How long a connection is idle before the first question.
    pub const fn with_time(self, time: Duration) -> TcpKeepalive {
        TcpKeepalive { time: Some(time), ..self }
    }

    /// How long after a question the next one is asked.
    pub const fn with_interval(self, interval: Duration) -> TcpKeepalive {
        TcpKeepalive { interval: Some(interval), ..self }
    }

    /// How many questions may stay without an answer.
    pub const fn with_retries(self, retries: u32) -> TcpKeepalive {
        TcpKeepalive { retries: Some(retries), ..self }
    }
}
