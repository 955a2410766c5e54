//! Options natively: `getsockopt` and `setsockopt`.
#![allow(unsafe_code)] // System calls.

use std::ffi::c_int;
use std::io;
use std::mem::MaybeUninit;
use std::time::Duration;

use super::socket::{Inner, check, socklen_t};
use super::table::{Opt, opt};
use crate::sys::{Membership, no_address};
use crate::{SockAddr, TcpKeepalive};

/// Types that the system fills in and reads as bytes.
///
/// # Safety
///
/// Any bytes are a valid value of the type.
unsafe trait Plain {}

macro_rules! plain {
    ($($type:ty),*) => {
        // SAFETY: it consists of integers.
        $(unsafe impl Plain for $type {})*
    };
}

plain!(c_int, libc::linger, libc::timeval, libc::ip_mreq, libc::ip_mreqn, libc::ipv6_mreq);
plain!(libc::ip_mreq_source);

pub(super) fn lacks(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::Unsupported, format!("this system has no {what}"))
}

impl Inner {
    fn get<T: Plain>(&self, option: Opt) -> io::Result<T> {
        let mut value = MaybeUninit::<T>::zeroed();
        self.get_raw(option, value.as_mut_ptr().cast(), size_of::<T>())?;
        // SAFETY: it was zeroed, and is plain.
        Ok(unsafe { value.assume_init() })
    }

    /// Reads at most `len` bytes into `to`, which has room for them. Returns the number of bytes.
    fn get_raw(&self, option: Opt, to: *mut u8, len: usize) -> io::Result<usize> {
        let (level, name) = option.place()?;
        let mut len = len as socklen_t;
        // SAFETY: the callers make sure that there is room.
        check(unsafe { libc::getsockopt(self.fd(), level, name, to.cast(), &raw mut len) })?;
        Ok(len as usize)
    }

    fn set<T: Plain>(&self, option: Opt, value: &T) -> io::Result<()> {
        self.set_raw(option, std::ptr::from_ref(value).cast(), size_of::<T>())
    }

    fn set_raw(&self, option: Opt, from: *const u8, len: usize) -> io::Result<()> {
        let (level, name) = option.place()?;
        // SAFETY: the callers make sure that there are that many bytes.
        let done =
            unsafe { libc::setsockopt(self.fd(), level, name, from.cast(), len as socklen_t) };
        check(done).map(drop)
    }

    pub(crate) fn int(&self, option: Opt) -> io::Result<c_int> {
        self.get(option)
    }

    pub(crate) fn set_int(&self, option: Opt, value: c_int) -> io::Result<()> {
        self.set(option, &value)
    }

    pub(crate) fn bytes(&self, option: Opt, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let len = self.get_raw(option, bytes.as_mut_ptr(), most)?;
        bytes.truncate(len);
        Ok(bytes)
    }

    pub(crate) fn set_bytes(&self, option: Opt, bytes: &[u8]) -> io::Result<()> {
        self.set_raw(option, bytes.as_ptr(), bytes.len())
    }

    pub(crate) fn address(&self, option: Opt) -> io::Result<SockAddr> {
        let mut address = no_address();
        let storage = &mut address.storage.0;
        address.len = self.get_raw(option, storage.as_mut_ptr(), storage.len())? as socklen_t;
        Ok(address)
    }

    pub(crate) fn kind(&self) -> io::Result<c_int> {
        self.int(opt::SO_TYPE)
    }

    pub(crate) fn domain(&self) -> io::Result<c_int> {
        self.int(opt::SO_DOMAIN)
    }

    pub(crate) fn protocol(&self) -> io::Result<c_int> {
        self.int(opt::SO_PROTOCOL)
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        let errno = self.int(opt::SO_ERROR)?;
        Ok((errno != 0).then(|| io::Error::from_raw_os_error(errno)))
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        let linger: libc::linger = self.get(opt::SO_LINGER)?;
        Ok((linger.l_onoff != 0).then(|| Duration::from_secs(linger.l_linger as u64)))
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        let seconds = linger.map_or(0, |time| time.as_secs() as c_int);
        self.set(
            opt::SO_LINGER,
            &libc::linger { l_onoff: linger.is_some().into(), l_linger: seconds },
        )
    }

    pub(crate) fn timeout(&self, option: Opt) -> io::Result<Option<Duration>> {
        let time: libc::timeval = self.get(option)?;
        let time = Duration::new(time.tv_sec as u64, time.tv_usec as u32 * 1000);
        Ok((!time.is_zero()).then_some(time))
    }

    pub(crate) fn set_timeout(&self, option: Opt, timeout: Option<Duration>) -> io::Result<()> {
        let time = timeout.unwrap_or_default();
        let seconds = time.as_secs().min(libc::time_t::MAX as u64);
        let value = libc::timeval { tv_sec: seconds as _, tv_usec: time.subsec_micros() as _ };
        self.set(option, &value)
    }

    pub(crate) fn set_keepalive_times(&self, params: &TcpKeepalive) -> io::Result<()> {
        let seconds = |time: Duration| time.as_secs().min(c_int::MAX as u64) as c_int;
        if let Some(time) = params.time {
            self.set_int(opt::TCP_KEEPIDLE, seconds(time))?;
        }
        if let Some(interval) = params.interval {
            self.set_int(opt::TCP_KEEPINTVL, seconds(interval))?;
        }
        if let Some(retries) = params.retries {
            self.set_int(opt::TCP_KEEPCNT, retries as c_int)?;
        }
        Ok(())
    }

    pub(crate) fn keepalive_time(&self) -> io::Result<Duration> {
        self.int(opt::TCP_KEEPIDLE).map(|seconds| Duration::from_secs(seconds as u64))
    }

    pub(crate) fn keepalive_interval(&self) -> io::Result<Duration> {
        self.int(opt::TCP_KEEPINTVL).map(|seconds| Duration::from_secs(seconds as u64))
    }

    pub(crate) fn keepalive_retries(&self) -> io::Result<u32> {
        self.int(opt::TCP_KEEPCNT).map(|count| count as u32)
    }

    pub(crate) fn set_membership(&self, group: Membership, joins: bool) -> io::Result<()> {
        let v4 = |ip: std::net::Ipv4Addr| libc::in_addr { s_addr: u32::from_ne_bytes(ip.octets()) };
        let (ip, source, ipv6) = if joins {
            (opt::IP_ADD_MEMBERSHIP, opt::IP_ADD_SOURCE_MEMBERSHIP, opt::IPV6_ADD_MEMBERSHIP)
        } else {
            (opt::IP_DROP_MEMBERSHIP, opt::IP_DROP_SOURCE_MEMBERSHIP, opt::IPV6_DROP_MEMBERSHIP)
        };
        match group {
            Membership::V4(group, interface) => {
                let value =
                    libc::ip_mreq { imr_multiaddr: v4(group), imr_interface: v4(interface) };
                self.set(ip, &value)
            }
            Membership::V4At(group, index) => {
                let imr_address = libc::in_addr { s_addr: 0 };
                let imr_multiaddr = v4(group);
                self.set(
                    ip,
                    &libc::ip_mreqn { imr_multiaddr, imr_address, imr_ifindex: index as _ },
                )
            }
            Membership::Source { source: from, group, interface } => {
                let mut value = MaybeUninit::<libc::ip_mreq_source>::zeroed();
                // SAFETY: it consists of integers, which may be zero.
                let value = unsafe { value.assume_init_mut() };
                value.imr_multiaddr = v4(group);
                value.imr_interface = v4(interface);
                value.imr_sourceaddr = v4(from);
                self.set(source, value)
            }
            Membership::V6(group, index) => {
                let ipv6mr_multiaddr = libc::in6_addr { s6_addr: group.octets() };
                self.set(ipv6, &libc::ipv6_mreq { ipv6mr_multiaddr, ipv6mr_interface: index as _ })
            }
        }
    }

    pub(crate) fn sendfile(
        &self,
        file: c_int,
        offset: usize,
        length: Option<std::num::NonZeroUsize>,
    ) -> io::Result<usize> {
        let mut offset = offset as libc::off_t;
        #[cfg(any(target_os = "linux", target_os = "android"))]
        {
            // The maximum that Linux sends at once.
            let count = length.map_or(0x7fff_f000, std::num::NonZeroUsize::get);
            // SAFETY: `offset` lives for the call.
            super::socket::size(unsafe { libc::sendfile(self.fd(), file, &raw mut offset, count) })
        }
        #[cfg(target_vendor = "apple")]
        {
            let mut count = length.map_or(0, |n| n.get() as libc::off_t);
            let none = std::ptr::null_mut();
            // SAFETY: `count` lives for the call.
            check(unsafe { libc::sendfile(file, self.fd(), offset, &raw mut count, none, 0) })?;
            offset = count;
            Ok(offset as usize)
        }
        #[cfg(not(any(target_os = "linux", target_os = "android", target_vendor = "apple")))]
        {
            let _ = (file, &mut offset, length);
            Err(lacks("sendfile to a socket"))
        }
    }

    /// `filters` have the layout of `SockFilter`.
    pub(crate) fn attach_filter<F>(&self, filters: &[F]) -> io::Result<()> {
        /// `struct sock_fprog`.
        #[repr(C)]
        struct Program<F> {
            len: u16,
            filter: *const F,
        }
        const { assert!(size_of::<F>() == size_of::<SockFilter>(), "not an instruction of BPF") };
        let program = Program { len: filters.len() as u16, filter: filters.as_ptr() };
        self.set_raw(opt::SO_ATTACH_FILTER, (&raw const program).cast(), size_of::<Program<F>>())
    }
}

/// An instruction of a BPF program.
#[repr(C)]
pub struct SockFilter {
    code: u16,
    jt: u8,
    jf: u8,
    k: u32,
}

impl SockFilter {
    /// The instruction `code` with its jumps and its operand.
    pub const fn new(code: u16, jt: u8, jf: u8, k: u32) -> SockFilter {
        SockFilter { code, jt, jf, k }
    }
}

impl std::fmt::Debug for SockFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SockFilter").finish_non_exhaustive()
    }
}
