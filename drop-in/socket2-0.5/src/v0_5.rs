//! Items that version 0.5 has under names or types of its own. 0.6 has a similar file.
#![allow(unsafe_code)] // Unsafe functions of upstream's.

use std::io;

use crate::SockAddr;
use crate::address::Storage;
use crate::options::options;
use crate::sys::{sockaddr, sockaddr_storage, socklen_t};

impl SockAddr {
    /// The address in `storage`.
    ///
    /// # Safety
    ///
    /// The first `len` bytes of `storage` are the address of a socket, and all of them are initialised.
    pub const unsafe fn new(storage: sockaddr_storage, len: socklen_t) -> SockAddr {
        // SAFETY: both are 128 bytes, and the caller promises that they are valid.
        let storage = unsafe { std::mem::transmute::<sockaddr_storage, Storage>(storage) };
        SockAddr { storage, len }
    }

    /// The address that `init` writes.
    ///
    /// # Errors
    ///
    /// The error of `init`.
    ///
    /// # Safety
    ///
    /// `init` writes an address and its length, unless it fails.
    pub unsafe fn try_init<F, T>(init: F) -> io::Result<(T, SockAddr)>
    where
        F: FnOnce(*mut sockaddr_storage, *mut socklen_t) -> io::Result<T>,
    {
        let mut storage = Storage::ZERO;
        let mut len = size_of::<Storage>() as socklen_t;
        let result = init((&raw mut storage).cast(), &raw mut len)?;
        Ok((result, SockAddr { storage, len }))
    }

    /// The address for a system call, valid as long as `self`.
    pub const fn as_ptr(&self) -> *const sockaddr {
        (&raw const self.storage).cast()
    }

    /// The memory of the address.
    pub const fn as_storage(self) -> sockaddr_storage {
        // SAFETY: both are 128 bytes, and any bytes are a value of the C library's type.
        unsafe { std::mem::transmute::<Storage, sockaddr_storage>(self.storage) }
    }
}

options! {
    /// Returns whether small segments are sent at once (`TCP_NODELAY`). Setting it succeeds where a WASI host lacks it.
    nodelay, set_nodelay: bool = TCP_NODELAY;
    /// Returns the type of service of packets (`IP_TOS`).
    tos, set_tos: u32 = IP_TOS;
    /// Returns whether messages are received with their type of service (`IP_RECVTOS`).
    recv_tos, set_recv_tos: bool = IP_RECVTOS;
    /// Returns the maximum number of hops of an IPv4 packet (`IP_TTL`).
    ttl, set_ttl: u32 = IP_TTL;
}

#[cfg(feature = "all")]
mod all {
    use std::io;
    use std::num::NonZeroU32;
    use std::time::Duration;

    use crate::options::options;
    use crate::sys::{opt, sock_filter};
    use crate::{SockAddr, Socket};

    options! {
        /// Returns whether the program provides the header of packets (`IP_HDRINCL`).
        header_included, set_header_included: bool = IP_HDRINCL;
        /// Returns the same option under another name.
        header_included_v4, set_header_included_v4: bool = IP_HDRINCL;
        /// Returns the same for IPv6 (`IPV6_HDRINCL`).
        header_included_v6, set_header_included_v6: bool = IPV6_HDRINCL;
        /// Returns whether the socket can be bound to the address of another machine (`IP_TRANSPARENT`).
        ip_transparent, set_ip_transparent: bool = IP_TRANSPARENT;
        /// Returns whether the socket can be bound to an address that does not exist yet (`IP_FREEBIND`).
        freebind, set_freebind: bool = IP_FREEBIND;
        /// Returns the same for IPv6 (`IPV6_FREEBIND`).
        freebind_ipv6, set_freebind_ipv6: bool = IPV6_FREEBIND;
        /// Returns the largest segment that is sent, in bytes (`TCP_MAXSEG`).
        mss, set_mss: u32 = TCP_MAXSEG;
        /// Returns whether only full segments are sent (`TCP_CORK`).
        cork, set_cork: bool = TCP_CORK;
        /// Returns whether segments are acknowledged at once (`TCP_QUICKACK`).
        quickack, set_quickack: bool = TCP_QUICKACK;
        /// Returns whether thin streams are retransmitted at constant intervals (`TCP_THIN_LINEAR_TIMEOUTS`).
        thin_linear_timeouts, set_thin_linear_timeouts: bool = TCP_THIN_LINEAR_TIMEOUTS;
        /// Returns the index of the interface that the socket is bound to, for IPv4.
        device_index, bind_device_by_index: Option<NonZeroU32> = DEVICE_INDEX_V4;
    }

    impl Socket {
        /// The idle time before the first keepalive probe.
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn keepalive_time(&self) -> io::Result<Duration> {
            self.0.keepalive_time()
        }

        /// The time between two keepalive probes.
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn keepalive_interval(&self) -> io::Result<Duration> {
            self.0.keepalive_interval()
        }

        /// How many keepalive probes may stay unanswered.
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn keepalive_retries(&self) -> io::Result<u32> {
            self.0.keepalive_retries()
        }

        /// The destination before the packet filter changed it (`SO_ORIGINAL_DST`).
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn original_dst(&self) -> io::Result<SockAddr> {
            self.0.address(opt::SO_ORIGINAL_DST)
        }

        /// The same for IPv6 (`IP6T_SO_ORIGINAL_DST`).
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn original_dst_ipv6(&self) -> io::Result<SockAddr> {
            self.0.address(opt::IP6T_SO_ORIGINAL_DST)
        }

        /// Drops packets that a BPF program does not accept (`SO_ATTACH_FILTER`).
        ///
        /// # Errors
        ///
        /// An error of `setsockopt`, for example if the system refuses the value.
        /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
        pub fn attach_filter(&self, filters: &[sock_filter]) -> io::Result<()> {
            self.0.attach_filter(filters)
        }
    }
}
