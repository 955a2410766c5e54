//! The constants of wasi-libc, and the options that WASI hosts have.

use wasio_net::raw;

/// wasi-libc's constants. A constant that it lacks has a number above all of its own.
pub(crate) mod number {
    use std::ffi::c_int;

    macro_rules! numbers {
        ($($name:ident = $value:literal;)*) => {
            $(pub(crate) const $name: c_int = $value;)*
        };
    }

    numbers! {
        AF_INET = 1;
        AF_INET6 = 2;
        AF_UNIX = 3;
        SOCK_DGRAM = 5;
        SOCK_STREAM = 6;
        SOCK_CLOEXEC = 0x2000;
        SOCK_NONBLOCK = 0x4000;
        IPPROTO_ICMP = 1;
        IPPROTO_TCP = 6;
        IPPROTO_UDP = 17;
        IPPROTO_ICMPV6 = 58;
        MSG_NOSIGNAL = 0x4000;
        MSG_TRUNC = 0x20;

        AF_PACKET = 0x1011;
        AF_VSOCK = 0x1028;
        SOCK_RAW = 0x1003;
        SOCK_SEQPACKET = 0x1005;
        SOCK_DCCP = 0x1006;
        IPPROTO_DCCP = 0x1021;
        IPPROTO_SCTP = 0x1084;
        IPPROTO_UDPLITE = 0x1088;
        IPPROTO_MPTCP = 0x1106;
        MSG_OOB = 0x100_0000;
        MSG_EOR = 0x200_0000;
        MSG_CONFIRM = 0x400_0000;
        MSG_DONTROUTE = 0x800_0000;
    }

    pub(crate) const MSG_PEEK: c_int = if cfg!(target_env = "p1") { 1 } else { 2 };
    pub(crate) const IFNAMSIZ: usize = 16;
    pub(crate) const TCP_CA_NAME_MAX: usize = 16;
}

/// An option, if hosts have it.
#[derive(Clone, Copy)]
pub(crate) struct Opt {
    pub(super) name: &'static str,
    pub(super) place: Option<raw::Opt>,
}

/// The options, named as in C.
pub(crate) mod opt {
    use super::{Opt, raw};

    macro_rules! options {
        ($($name:ident = $opt:ident;)*) => {$(
            pub(crate) const $name: Opt =
                Opt { name: stringify!($name), place: Some(raw::Opt::$opt) };
        )*};
    }

    macro_rules! lacking {
        ($($name:ident),*) => {$(
            pub(crate) const $name: Opt = Opt { name: stringify!($name), place: None };
        )*};
    }

    options! {
        SO_BROADCAST = Broadcast;
        SO_KEEPALIVE = Keepalive;
        SO_RCVBUF = RecvBuffer;
        SO_REUSEADDR = ReuseAddr;
        SO_SNDBUF = SendBuffer;
        IP_TTL = Ttl;
        IPV6_UNICAST_HOPS = Ttl;
        TCP_NODELAY = NoDelay;
    }

    lacking!(
        DCCP_AVAILABLE_CCIDS,
        DCCP_CCID,
        DCCP_CUR_MPS,
        DCCP_QPOLICY_TXQLEN,
        DCCP_RECV_CSCOV,
        DCCP_RX_CCID,
        DCCP_SEND_CSCOV,
        DCCP_SERVER_TIMEWAIT,
        DCCP_SERVICE,
        DCCP_TX_CCID,
        DEVICE_INDEX_V4,
        DEVICE_INDEX_V6,
        IP6T_SO_ORIGINAL_DST,
        IPV6_FREEBIND,
        IPV6_HDRINCL,
        IPV6_MULTICAST_ALL,
        IPV6_MULTICAST_HOPS,
        IPV6_MULTICAST_IF,
        IPV6_MULTICAST_LOOP,
        IPV6_RECVHOPLIMIT,
        IPV6_RECVTCLASS,
        IPV6_TCLASS,
        IPV6_TRANSPARENT,
        IPV6_V6ONLY,
        IP_FREEBIND,
        IP_HDRINCL,
        IP_MULTICAST_ALL,
        IP_MULTICAST_IF,
        IP_MULTICAST_LOOP,
        IP_MULTICAST_TTL,
        IP_RECVTOS,
        IP_TOS,
        IP_TRANSPARENT,
        SO_ACCEPTCONN,
        SO_ATTACH_FILTER,
        SO_BINDTODEVICE,
        SO_BUSY_POLL,
        SO_COOKIE,
        SO_DETACH_FILTER,
        SO_INCOMING_CPU,
        SO_MARK,
        SO_OOBINLINE,
        SO_ORIGINAL_DST,
        SO_PASSCRED,
        SO_PRIORITY,
        SO_RCVTIMEO,
        SO_REUSEPORT,
        SO_SNDTIMEO,
        TCP_CONGESTION,
        TCP_CORK,
        TCP_MAXSEG,
        TCP_NOTSENT_LOWAT,
        TCP_QUICKACK,
        TCP_THIN_LINEAR_TIMEOUTS,
        TCP_USER_TIMEOUT
    );
}
