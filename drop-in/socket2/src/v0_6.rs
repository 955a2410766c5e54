//! Items that version 0.6 has under names or types of its own. 0.5 has a similar file.
#![allow(unsafe_code)] // Unsafe functions of upstream's.

use std::fmt;
use std::io;

use crate::SockAddr;
use crate::address::Storage;
use crate::options::options;
use crate::sys;

/// The length of an address: the C library's type.
#[allow(non_camel_case_types)]
pub type socklen_t = sys::socklen_t;

/// The family of an address: the C library's type.
#[allow(non_camel_case_types)]
pub type sa_family_t = sys::sa_family_t;

/// Memory for an address of any family.
#[repr(transparent)]
pub struct SockAddrStorage(Storage);

impl SockAddrStorage {
    /// Memory full of zeros.
    pub fn zeroed() -> SockAddrStorage {
        SockAddrStorage(Storage::ZERO)
    }

    /// Returns the size of the memory, in bytes.
    pub fn size_of(&self) -> socklen_t {
        size_of::<SockAddrStorage>() as socklen_t
    }

    /// The memory as a `T`.
    ///
    /// # Panics
    ///
    /// Panics if `T` is larger than the memory.
    ///
    /// # Safety
    ///
    /// `T` is one of the system's `sockaddr_*` types.
    pub unsafe fn view_as<T>(&mut self) -> &mut T {
        assert!(size_of::<T>() <= size_of::<SockAddrStorage>(), "the address is too large");
        // SAFETY: it is large enough, as aligned as `sockaddr_storage`, and initialised. The caller promises that `T`
        // is valid.
        unsafe { &mut *(&raw mut self.0).cast() }
    }
}

impl fmt::Debug for SockAddrStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut debug = f.debug_struct("sockaddr_storage");
        debug.field("ss_family", &sys::family(&self.0.0)).finish_non_exhaustive()
    }
}

impl SockAddr {
    /// The address in `storage`.
    ///
    /// # Safety
    ///
    /// The first `len` bytes of `storage` are the address of a socket.
    pub const unsafe fn new(storage: SockAddrStorage, len: socklen_t) -> SockAddr {
        SockAddr { storage: storage.0, len }
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
        F: FnOnce(*mut SockAddrStorage, *mut socklen_t) -> io::Result<T>,
    {
        let mut storage = SockAddrStorage::zeroed();
        let mut len = storage.size_of();
        let result = init(&raw mut storage, &raw mut len)?;
        Ok((result, SockAddr { storage: storage.0, len }))
    }

    /// Returns the address for a system call, valid as long as `self`.
    pub const fn as_ptr(&self) -> *const SockAddrStorage {
        (&raw const self.storage).cast()
    }

    /// Returns the memory of the address.
    pub const fn as_storage(self) -> SockAddrStorage {
        SockAddrStorage(self.storage)
    }
}

options! {
    /// Returns whether small segments are sent at once (`TCP_NODELAY`). Setting it succeeds where a WASI host lacks it.
    tcp_nodelay, set_tcp_nodelay: bool = TCP_NODELAY;
    /// Returns the type of service of packets (`IP_TOS`).
    tos_v4, set_tos_v4: u32 = IP_TOS;
    /// Returns whether messages are received with their type of service (`IP_RECVTOS`).
    recv_tos_v4, set_recv_tos_v4: bool = IP_RECVTOS;
    /// Returns the maximum number of hops of an IPv4 packet (`IP_TTL`).
    ttl_v4, set_ttl_v4: u32 = IP_TTL;
}

#[cfg(feature = "all")]
mod all {
    use std::io;
    use std::time::Duration;

    use crate::options::options;
    use crate::sys::{SockFilter, opt};
    use crate::{SockAddr, Socket};

    options! {
        /// Returns whether the program provides the header of packets (`IP_HDRINCL`).
        header_included_v4, set_header_included_v4: bool = IP_HDRINCL;
        /// Returns the same for IPv6 (`IPV6_HDRINCL`).
        header_included_v6, set_header_included_v6: bool = IPV6_HDRINCL;
        /// Returns whether the socket can be bound to the address of another machine (`IP_TRANSPARENT`).
        ip_transparent_v4, set_ip_transparent_v4: bool = IP_TRANSPARENT;
        /// Returns the same for IPv6 (`IPV6_TRANSPARENT`).
        ip_transparent_v6, set_ip_transparent_v6: bool = IPV6_TRANSPARENT;
        /// Returns whether the socket can be bound to an address that does not exist yet (`IP_FREEBIND`).
        freebind_v4, set_freebind_v4: bool = IP_FREEBIND;
        /// Returns the same for IPv6 (`IPV6_FREEBIND`).
        freebind_v6, set_freebind_v6: bool = IPV6_FREEBIND;
        /// Returns the largest segment that is sent, in bytes (`TCP_MAXSEG`).
        tcp_mss, set_tcp_mss: u32 = TCP_MAXSEG;
        /// Returns whether only full segments are sent (`TCP_CORK`).
        tcp_cork, set_tcp_cork: bool = TCP_CORK;
        /// Returns whether segments are acknowledged at once (`TCP_QUICKACK`).
        tcp_quickack, set_tcp_quickack: bool = TCP_QUICKACK;
        /// Returns whether thin streams are retransmitted at constant intervals (`TCP_THIN_LINEAR_TIMEOUTS`).
        tcp_thin_linear_timeouts, set_tcp_thin_linear_timeouts: bool = TCP_THIN_LINEAR_TIMEOUTS;
        /// Returns the number of unsent bytes from which the socket is not writable (`TCP_NOTSENT_LOWAT`).
        tcp_notsent_lowat, set_tcp_notsent_lowat: u32 = TCP_NOTSENT_LOWAT;
        /// Returns the priority of packets (`SO_PRIORITY`).
        priority, set_priority: u32 = SO_PRIORITY;
        /// Returns how long a receive polls the device, in microseconds (`SO_BUSY_POLL`).
        busy_poll, set_busy_poll: u32 = SO_BUSY_POLL;
    }

    impl Socket {
        /// Returns the idle time before the first keepalive probe.
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn tcp_keepalive_time(&self) -> io::Result<Duration> {
            self.0.keepalive_time()
        }

        /// Returns the time between two keepalive probes.
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn tcp_keepalive_interval(&self) -> io::Result<Duration> {
            self.0.keepalive_interval()
        }

        /// Returns how many keepalive probes may stay unanswered.
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn tcp_keepalive_retries(&self) -> io::Result<u32> {
            self.0.keepalive_retries()
        }

        /// Returns the destination before the packet filter changed it (`SO_ORIGINAL_DST`).
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn original_dst_v4(&self) -> io::Result<SockAddr> {
            self.0.address(opt::SO_ORIGINAL_DST)
        }

        /// The same for IPv6 (`IP6T_SO_ORIGINAL_DST`).
        ///
        /// # Errors
        ///
        /// An error of `getsockopt`.
        pub fn original_dst_v6(&self) -> io::Result<SockAddr> {
            self.0.address(opt::IP6T_SO_ORIGINAL_DST)
        }

        /// Drops packets that a BPF program does not accept (`SO_ATTACH_FILTER`).
        ///
        /// # Errors
        ///
        /// An error of `setsockopt`, for example if the system refuses the value.
        /// [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
        pub fn attach_filter(&self, filters: &[SockFilter]) -> io::Result<()> {
            self.0.attach_filter(filters)
        }
    }
}
