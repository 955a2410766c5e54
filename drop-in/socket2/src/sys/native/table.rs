//! The C library's constants, and the place of each option.

use std::ffi::c_int;
use std::io;

/// Constants. A constant that a system lacks has a number that the system refuses.
pub(crate) mod number {
    use std::ffi::c_int;

    pub(crate) use libc::{
        AF_INET, AF_INET6, AF_UNIX, IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_TCP, IPPROTO_UDP,
        MSG_EOR, MSG_OOB, MSG_PEEK, MSG_TRUNC, SOCK_DGRAM, SOCK_STREAM,
    };
    pub(crate) use libc::{MSG_DONTROUTE, SOCK_RAW, SOCK_SEQPACKET};

    macro_rules! linux {
        ($($name:ident),*) => {$(
            #[cfg(any(target_os = "linux", target_os = "android"))]
            pub(crate) const $name: c_int = libc::$name;
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            pub(crate) const $name: c_int = -1;
        )*};
    }

    linux!(IPPROTO_MPTCP);
    linux!(AF_PACKET, AF_VSOCK, IPPROTO_DCCP, IPPROTO_SCTP, IPPROTO_UDPLITE, SOCK_DCCP);

    /// A flag that a system lacks is 0.
    macro_rules! flags {
        ($($name:ident),*) => {$(
            #[cfg(any(target_os = "linux", target_os = "android"))]
            pub(crate) const $name: c_int = libc::$name;
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            pub(crate) const $name: c_int = 0;
        )*};
    }

    flags!(MSG_CONFIRM, SOCK_CLOEXEC, SOCK_NONBLOCK);

    /// The longest name of a network interface, including the terminating zero.
    pub(crate) const IFNAMSIZ: usize = libc::IFNAMSIZ;
    /// The longest name of a congestion control, including the terminating zero.
    pub(crate) const TCP_CA_NAME_MAX: usize = 16;
}

/// An option, if the system has it.
#[derive(Clone, Copy)]
pub(crate) struct Opt {
    name: &'static str,
    place: Option<(c_int, c_int)>,
}

impl Opt {
    /// Returns its level and number on this system.
    pub(super) fn place(self) -> io::Result<(c_int, c_int)> {
        self.place.ok_or_else(|| super::options::lacks(self.name))
    }
}

/// The options, named as in the C library.
pub(crate) mod opt {
    use super::Opt;

    macro_rules! options {
        ($($level:ident: $($name:ident $(= $number:ident)?),*;)*) => {$($(
            pub(crate) const $name: Opt = options!(@ $level, $name $(, $number)?);
        )*)*};
        (@ $level:ident, $name:ident) => { options!(@ $level, $name, $name) };
        (@ $level:ident, $name:ident, $number:ident) => {
            Opt { name: stringify!($name), place: Some((libc::$level, libc::$number as _)) }
        };
    }

    /// Options that only Linux has.
    macro_rules! linux {
        ($($level:ident: $($name:ident $(= $number:ident)?),*;)*) => {$($(
            #[cfg(any(target_os = "linux", target_os = "android"))]
            pub(crate) const $name: Opt = options!(@ $level, $name $(, $number)?);
            #[cfg(not(any(target_os = "linux", target_os = "android")))]
            pub(crate) const $name: Opt = Opt { name: stringify!($name), place: None };
        )*)*};
    }

    options! {
        SOL_SOCKET: SO_BROADCAST, SO_ERROR, SO_KEEPALIVE, SO_LINGER, SO_OOBINLINE, SO_RCVBUF,
            SO_RCVTIMEO, SO_REUSEADDR, SO_REUSEPORT, SO_SNDBUF, SO_SNDTIMEO, SO_TYPE;
        IPPROTO_IP: IP_ADD_MEMBERSHIP, IP_ADD_SOURCE_MEMBERSHIP, IP_DROP_MEMBERSHIP,
            IP_DROP_SOURCE_MEMBERSHIP, IP_HDRINCL, IP_MULTICAST_IF, IP_MULTICAST_LOOP,
            IP_MULTICAST_TTL, IP_RECVTOS, IP_TOS, IP_TTL;
        IPPROTO_IPV6: IPV6_MULTICAST_HOPS, IPV6_MULTICAST_IF, IPV6_MULTICAST_LOOP,
            IPV6_RECVHOPLIMIT, IPV6_RECVTCLASS, IPV6_TCLASS, IPV6_UNICAST_HOPS, IPV6_V6ONLY;
        IPPROTO_TCP: TCP_KEEPCNT, TCP_KEEPINTVL, TCP_MAXSEG, TCP_NODELAY;
    }

    linux! {
        SOL_SOCKET: SO_ACCEPTCONN, SO_ATTACH_FILTER, SO_BINDTODEVICE, SO_BUSY_POLL, SO_COOKIE,
            SO_DETACH_FILTER, SO_DOMAIN, SO_INCOMING_CPU, SO_MARK, SO_PASSCRED, SO_PRIORITY,
            SO_PROTOCOL;
        SOL_IP: IP_FREEBIND, IP_MULTICAST_ALL, IP_TRANSPARENT, SO_ORIGINAL_DST;
        SOL_IPV6: IP6T_SO_ORIGINAL_DST, IPV6_FREEBIND, IPV6_HDRINCL, IPV6_MULTICAST_ALL,
            IPV6_TRANSPARENT;
        IPPROTO_TCP: TCP_CONGESTION, TCP_CORK, TCP_NOTSENT_LOWAT, TCP_QUICKACK,
            TCP_THIN_LINEAR_TIMEOUTS, TCP_USER_TIMEOUT;
        SOL_DCCP: DCCP_AVAILABLE_CCIDS = DCCP_SOCKOPT_AVAILABLE_CCIDS, DCCP_CCID = DCCP_SOCKOPT_CCID,
            DCCP_CUR_MPS = DCCP_SOCKOPT_GET_CUR_MPS, DCCP_QPOLICY_TXQLEN = DCCP_SOCKOPT_QPOLICY_TXQLEN,
            DCCP_RECV_CSCOV = DCCP_SOCKOPT_RECV_CSCOV, DCCP_RX_CCID = DCCP_SOCKOPT_RX_CCID,
            DCCP_SEND_CSCOV = DCCP_SOCKOPT_SEND_CSCOV,
            DCCP_SERVER_TIMEWAIT = DCCP_SOCKOPT_SERVER_TIMEWAIT, DCCP_SERVICE = DCCP_SOCKOPT_SERVICE,
            DCCP_TX_CCID = DCCP_SOCKOPT_TX_CCID;
    }

    #[cfg(not(target_vendor = "apple"))]
    options! {
        IPPROTO_TCP: TCP_KEEPIDLE;
        SOL_SOCKET: DEVICE_INDEX_V4 = SO_BINDTOIFINDEX, DEVICE_INDEX_V6 = SO_BINDTOIFINDEX;
        IPPROTO_IPV6: IPV6_ADD_MEMBERSHIP, IPV6_DROP_MEMBERSHIP;
    }

    #[cfg(target_vendor = "apple")]
    options! {
        IPPROTO_TCP: TCP_KEEPIDLE = TCP_KEEPALIVE;
        IPPROTO_IP: DEVICE_INDEX_V4 = IP_BOUND_IF;
        IPPROTO_IPV6: DEVICE_INDEX_V6 = IPV6_BOUND_IF, IPV6_ADD_MEMBERSHIP = IPV6_JOIN_GROUP,
            IPV6_DROP_MEMBERSHIP = IPV6_LEAVE_GROUP;
        SOL_SOCKET: SO_NOSIGPIPE;
    }
}
