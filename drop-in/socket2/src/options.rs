//! Options of sockets, except for those of the feature `all` and those that versions 0.5 and 0.6 name differently.

use std::ffi::c_int;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::num::NonZeroU32;
use std::time::Duration;

use crate::sys::{Membership, opt};
use crate::{Socket, TcpKeepalive, Type};

/// The value of an option that the system keeps as an integer.
pub(crate) trait Value {
    fn from_int(int: c_int) -> Self;
    fn to_int(self) -> c_int;
}

impl Value for bool {
    fn from_int(int: c_int) -> bool {
        int != 0
    }

    fn to_int(self) -> c_int {
        self.into()
    }
}

macro_rules! integers {
    ($($type:ty),*) => {$(
        impl Value for $type {
            fn from_int(int: c_int) -> $type {
                int as $type
            }

            fn to_int(self) -> c_int {
                self as c_int
            }
        }
    )*};
}

integers!(u8, u32, usize);

/// The index of a network interface. Zero is `None`.
impl Value for Option<NonZeroU32> {
    fn from_int(int: c_int) -> Self {
        NonZeroU32::new(int as u32)
    }

    fn to_int(self) -> c_int {
        self.map_or(0, NonZeroU32::get) as c_int
    }
}

/// Milliseconds. Zero is `None`.
impl Value for Option<Duration> {
    fn from_int(int: c_int) -> Self {
        (int != 0).then(|| Duration::from_millis((int as u32).into()))
    }

    fn to_int(self) -> c_int {
        self.map_or(0, |time| u32::try_from(time.as_millis()).unwrap_or(u32::MAX)) as c_int
    }
}

/// Methods that read an option and methods that set it.
macro_rules! options {
    ($($(#[doc = $what:literal])+ $get:ident $(, $set:ident)?: $type:ty = $opt:ident;)*) => {
        impl $crate::Socket {$(
            $(#[doc = $what])+
            ///
            /// # Errors
            ///
            /// An error of `getsockopt`. [`Unsupported`](std::io::ErrorKind::Unsupported) where the host has no such
            /// option.
            pub fn $get(&self) -> std::io::Result<$type> {
                let int = self.0.int($crate::sys::opt::$opt)?;
                Ok($crate::options::Value::from_int(int))
            }

            $(
                #[doc = concat!("Sets what [`", stringify!($get), "`](Self::", stringify!($get), ") returns.")]
                ///
                /// # Errors
                ///
                /// An error of `setsockopt`, for example if the system refuses the value.
                /// [`Unsupported`](std::io::ErrorKind::Unsupported) where the host has no such option.
                pub fn $set(&self, value: $type) -> std::io::Result<()> {
                    self.0.set_int($crate::sys::opt::$opt, $crate::options::Value::to_int(value))
                }
            )?
        )*}
    };
}
pub(crate) use options;

options! {
    /// Returns whether messages may go to broadcast addresses (`SO_BROADCAST`).
    broadcast, set_broadcast: bool = SO_BROADCAST;
    /// Returns whether a silent peer is probed (`SO_KEEPALIVE`).
    keepalive, set_keepalive: bool = SO_KEEPALIVE;
    /// Returns whether out-of-band data stays in the stream (`SO_OOBINLINE`).
    out_of_band_inline, set_out_of_band_inline: bool = SO_OOBINLINE;
    /// Returns whether messages are received with the sender's credentials (`SO_PASSCRED`).
    passcred, set_passcred: bool = SO_PASSCRED;
    /// Returns the size of the receive buffer, in bytes (`SO_RCVBUF`). Linux doubles the value.
    recv_buffer_size, set_recv_buffer_size: usize = SO_RCVBUF;
    /// Returns whether an address that was in use a moment ago can be bound (`SO_REUSEADDR`). Always on on
    /// wasm32-wasip2.
    reuse_address, set_reuse_address: bool = SO_REUSEADDR;
    /// Returns the size of the send buffer, in bytes (`SO_SNDBUF`). Linux doubles the value.
    send_buffer_size, set_send_buffer_size: usize = SO_SNDBUF;
    /// Returns whether multicast messages of IPv4 come back to this machine (`IP_MULTICAST_LOOP`).
    multicast_loop_v4, set_multicast_loop_v4: bool = IP_MULTICAST_LOOP;
    /// Returns the maximum number of hops of an IPv4 multicast packet (`IP_MULTICAST_TTL`).
    multicast_ttl_v4, set_multicast_ttl_v4: u32 = IP_MULTICAST_TTL;
    /// Returns the maximum number of hops of an IPv6 multicast packet (`IPV6_MULTICAST_HOPS`).
    multicast_hops_v6, set_multicast_hops_v6: u32 = IPV6_MULTICAST_HOPS;
    /// Returns the index of the interface for multicast packets of IPv6 (`IPV6_MULTICAST_IF`).
    multicast_if_v6, set_multicast_if_v6: u32 = IPV6_MULTICAST_IF;
    /// Returns whether multicast messages of IPv6 come back to this machine (`IPV6_MULTICAST_LOOP`).
    multicast_loop_v6, set_multicast_loop_v6: bool = IPV6_MULTICAST_LOOP;
    /// Returns the maximum number of hops of an IPv6 packet (`IPV6_UNICAST_HOPS`).
    unicast_hops_v6, set_unicast_hops_v6: u32 = IPV6_UNICAST_HOPS;
    /// Returns whether the socket refuses IPv4 (`IPV6_V6ONLY`). Always on on wasm32-wasip2.
    only_v6, set_only_v6: bool = IPV6_V6ONLY;
    /// Returns whether messages are received with their traffic class (`IPV6_RECVTCLASS`).
    recv_tclass_v6, set_recv_tclass_v6: bool = IPV6_RECVTCLASS;
}

/// A network interface, for multicast.
#[derive(Clone, Copy, Debug)]
pub enum InterfaceIndexOrAddress {
    /// The interface's index.
    Index(u32),
    /// One of the interface's addresses.
    Address(Ipv4Addr),
}

/// Joining and leaving multicast groups.
macro_rules! groups {
    ($(
        $(#[doc = $what:literal])+
        $join:ident, $leave:ident($($arg:ident: $type:ty),*) = $group:expr;
    )*) => {
        impl Socket {$(
            $(#[doc = $what])+
            ///
            /// # Errors
            ///
            /// [`AddrInUse`](io::ErrorKind::AddrInUse) if the socket is a member already, `ENODEV` if there is no
            /// such interface, or another error of `setsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
            pub fn $join(&self, $($arg: $type),*) -> io::Result<()> {
                self.0.set_membership($group, true)
            }

            #[doc = concat!("Leaves what [`", stringify!($join), "`](Self::", stringify!($join), ") joined.")]
            ///
            /// # Errors
            ///
            /// [`AddrNotAvailable`](io::ErrorKind::AddrNotAvailable) if the socket is not a member, or another error
            /// of `setsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
            pub fn $leave(&self, $($arg: $type),*) -> io::Result<()> {
                self.0.set_membership($group, false)
            }
        )*}
    };
}

groups! {
    /// Joins a group of IPv4 at the interface with an address; the unspecified address leaves the choice to the
    /// system.
    join_multicast_v4, leave_multicast_v4(multiaddr: &Ipv4Addr, interface: &Ipv4Addr) =
        Membership::V4(*multiaddr, *interface);
    /// Joins a group of IPv4 at an interface.
    join_multicast_v4_n, leave_multicast_v4_n(
        multiaddr: &Ipv4Addr, interface: &InterfaceIndexOrAddress
    ) = match interface {
        InterfaceIndexOrAddress::Index(index) => Membership::V4At(*multiaddr, *index),
        InterfaceIndexOrAddress::Address(address) => Membership::V4(*multiaddr, *address),
    };
    /// Joins an IPv4 group for the messages of one source.
    join_ssm_v4, leave_ssm_v4(source: &Ipv4Addr, group: &Ipv4Addr, interface: &Ipv4Addr) =
        Membership::Source { source: *source, group: *group, interface: *interface };
    /// Joins a group of IPv6 at the interface with an index; zero leaves the choice to the system.
    join_multicast_v6, leave_multicast_v6(multiaddr: &Ipv6Addr, interface: u32) =
        Membership::V6(*multiaddr, interface);
}

impl Socket {
    /// The type of the socket (`SO_TYPE`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn r#type(&self) -> io::Result<Type> {
        self.0.kind().map(Type)
    }

    /// Returns the pending error, if any, which this takes away (`SO_ERROR`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`.
    pub fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    /// Returns how long closing waits until everything is sent (`SO_LINGER`). The system takes whole seconds.
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2.
    pub fn linger(&self) -> io::Result<Option<Duration>> {
        self.0.linger()
    }

    /// Sets what [`linger`](Self::linger) returns.
    ///
    /// # Errors
    ///
    /// The same as for [`linger`](Self::linger).
    pub fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        self.0.set_linger(linger)
    }

    /// Returns how long a blocking receive waits (`SO_RCVTIMEO`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2, where no receive blocks.
    pub fn read_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.timeout(opt::SO_RCVTIMEO)
    }

    /// Sets what [`read_timeout`](Self::read_timeout) returns. `None` and zero wait without limit.
    ///
    /// # Errors
    ///
    /// The same as for [`read_timeout`](Self::read_timeout).
    pub fn set_read_timeout(&self, duration: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(opt::SO_RCVTIMEO, duration)
    }

    /// Returns how long a blocking send waits (`SO_SNDTIMEO`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI 0.2, where no send blocks.
    pub fn write_timeout(&self) -> io::Result<Option<Duration>> {
        self.0.timeout(opt::SO_SNDTIMEO)
    }

    /// Sets what [`write_timeout`](Self::write_timeout) returns. `None` and zero wait without limit.
    ///
    /// # Errors
    ///
    /// The same as for [`write_timeout`](Self::write_timeout).
    pub fn set_write_timeout(&self, duration: Option<Duration>) -> io::Result<()> {
        self.0.set_timeout(opt::SO_SNDTIMEO, duration)
    }

    /// Turns keepalive on, with its times. On wasm32-wasip1 the times are the host's.
    ///
    /// # Errors
    ///
    /// An error of `setsockopt`, for example if the system refuses the value.
    pub fn set_tcp_keepalive(&self, params: &TcpKeepalive) -> io::Result<()> {
        self.set_keepalive(true)?;
        self.0.set_keepalive_times(params)
    }

    /// Returns the address of the interface for multicast packets of IPv4 (`IP_MULTICAST_IF`).
    ///
    /// # Errors
    ///
    /// An error of `getsockopt`. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    pub fn multicast_if_v4(&self) -> io::Result<Ipv4Addr> {
        self.0.int(opt::IP_MULTICAST_IF).map(|int| Ipv4Addr::from(int.to_ne_bytes()))
    }

    /// Sets what [`multicast_if_v4`](Self::multicast_if_v4) returns.
    ///
    /// # Errors
    ///
    /// The same as for [`multicast_if_v4`](Self::multicast_if_v4).
    pub fn set_multicast_if_v4(&self, interface: &Ipv4Addr) -> io::Result<()> {
        self.0.set_int(opt::IP_MULTICAST_IF, c_int::from_ne_bytes(interface.octets()))
    }
}
