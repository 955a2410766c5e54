//! Options of sockets.

use std::io;
use std::time::Duration;

use wasio_net::raw::Opt;

use crate::{Socket, TcpKeepalive};

/// Pairs of a getter and a setter.
macro_rules! options {
    ($($(#[doc = $what:literal])+ $opt:ident: $get:ident, $set:ident: $type:ty, $from:expr, $to:expr;)*) => {
        impl Socket {$(
            $(#[doc = $what])+
            ///
            /// # Errors
            ///
            /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such
            /// option.
            pub fn $get(&self) -> io::Result<$type> {
                self.0.option(Opt::$opt).map($from)
            }

            #[doc = concat!("Sets what [`", stringify!($get), "`](Self::", stringify!($get), ") returns.")]
            ///
            /// # Errors
            ///
            /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such
            /// option.
            pub fn $set(&self, value: $type) -> io::Result<()> {
                self.0.set_option(Opt::$opt, $to(value))
            }
        )*}
    };
}

fn is_on(value: u32) -> bool {
    value != 0
}

fn size(value: u32) -> usize {
    value as usize
}

fn saturate(value: usize) -> u32 {
    u32::try_from(value).unwrap_or(u32::MAX)
}

options! {
    /// Whether messages may be sent to broadcast addresses.
    Broadcast: broadcast, set_broadcast: bool, is_on, u32::from;
    /// Whether lost peers of idle connections are noticed.
    Keepalive: keepalive, set_keepalive: bool, is_on, u32::from;
    /// Whether small segments are sent at once. Setting it succeeds where the host has no such option.
    NoDelay: tcp_nodelay, set_tcp_nodelay: bool, is_on, u32::from;
    /// The size of the buffer for what was received.
    RecvBuffer: recv_buffer_size, set_recv_buffer_size: usize, size, saturate;
    /// Whether an address that was used just now can be bound.
    ReuseAddr: reuse_address, set_reuse_address: bool, is_on, u32::from;
    /// The size of the buffer for what is to be sent.
    SendBuffer: send_buffer_size, set_send_buffer_size: usize, size, saturate;
    /// How many hops a packet of IPv4 may make.
    Ttl: ttl_v4, set_ttl_v4: u32, std::convert::identity, std::convert::identity;
}

#[cfg(unix)]
options! {
    /// Whether several sockets may be bound to one address.
    ReusePort: reuse_port, set_reuse_port: bool, is_on, u32::from;
}

impl Socket {
    /// How long closing waits for what is not sent yet.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.0.linger()
    }

    /// Sets what [`linger`](Self::linger) returns.
    ///
    /// # Errors
    ///
    /// Those of the system; [`Unsupported`](io::ErrorKind::Unsupported) where the host has no such option.
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.0.set_linger(linger)
    }

    /// Turns keepalive on, with its times. On wasip1 the times are the host's.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn set_tcp_keepalive(&self, params: &TcpKeepalive) -> io::Result<()> {
        self.0.set_keepalive(params.time, params.interval, params.retries)
    }
}

#[cfg(any(target_os = "android", target_os = "linux"))]
impl Socket {
    /// Ties the socket to a network interface, or to none.
    ///
    /// # Errors
    ///
    /// Those of the system; it may need a privilege.
    pub fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        self.0.bind_device(interface)
    }

    /// Marks the packets of the socket, for the system's routing and filters.
    ///
    /// # Errors
    ///
    /// Those of the system; it needs a privilege.
    pub fn set_mark(&self, mark: u32) -> io::Result<()> {
        self.0.set_mark(mark)
    }

    /// How long what was sent may stay unacknowledged before the connection is given up.
    ///
    /// # Errors
    ///
    /// Those of the system.
    pub fn set_tcp_user_timeout(&self, timeout: Option<Duration>) -> io::Result<()> {
        self.0.set_user_timeout(timeout)
    }
}
