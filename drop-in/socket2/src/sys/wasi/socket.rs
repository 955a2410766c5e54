//! A socket of wasio.

use std::ffi::c_int;
use std::io::{self, IoSlice, IoSliceMut};
use std::mem::MaybeUninit;
use std::net::{Shutdown, SocketAddr};
use std::ops::Deref;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

use wasio_net::raw::RawSocket;

use super::message::{Incoming, Outgoing};
use super::table::{Opt, number, opt};
use crate::sys::Membership;
use crate::{SockAddr, Socket, TcpKeepalive};

/// The type of wasi-libc.
#[allow(non_camel_case_types)]
pub(crate) type sa_family_t = u16;
/// The type of wasi-libc.
#[allow(non_camel_case_types)]
pub(crate) type socklen_t = u32;

/// Whether Unix sockets can have names that are not paths.
pub(crate) const HAS_ABSTRACT: bool = false;
/// The room for a path in an address.
pub(crate) const PATH_MAX: usize = 108;

/// Returns the family in the bytes of an address.
pub(crate) const fn family(bytes: &[u8; 128]) -> sa_family_t {
    sa_family_t::from_ne_bytes([bytes[0], bytes[1]])
}

pub(crate) fn set_family(bytes: &mut [u8; 128], family: sa_family_t, _: usize) {
    bytes[..2].copy_from_slice(&family.to_ne_bytes());
}

pub(crate) fn path(bytes: &[u8]) -> Option<&Path> {
    std::str::from_utf8(bytes).ok().map(Path::new)
}

#[cold]
fn lacks<T>(what: &str) -> io::Result<T> {
    let text = format!("not on WASI: {what}");
    Err(io::Error::new(io::ErrorKind::Unsupported, text))
}

/// Adds the name of a feature that the host lacks to the error.
fn named<T>(what: &str, result: io::Result<T>) -> io::Result<T> {
    match result {
        Err(e) if e.kind() == io::ErrorKind::Unsupported && e.get_ref().is_none() => lacks(what),
        result => result,
    }
}

fn ip(address: &SockAddr) -> io::Result<SocketAddr> {
    match address.as_socket() {
        Some(address) => Ok(address),
        None => lacks("an address that is not of IPv4 or IPv6"),
    }
}

/// Refuses flags that have no meaning here.
fn only(flags: c_int, known: c_int) -> io::Result<()> {
    if flags & !known == 0 { Ok(()) } else { lacks("a flag of a receive or send") }
}

/// Makes a socket block, where it can.
fn block(socket: &RawSocket) -> io::Result<()> {
    match socket.set_nonblocking(false) {
        Err(e) if e.kind() == io::ErrorKind::Unsupported => Ok(()),
        result => result,
    }
}

/// A socket of the host.
pub(crate) struct Inner(RawSocket);

/// A socket that another type closes.
pub(crate) struct Lent(Socket);

impl Deref for Lent {
    type Target = Socket;

    fn deref(&self) -> &Socket {
        &self.0
    }
}

pub(crate) fn lend(fd: BorrowedFd<'_>) -> Lent {
    Lent(Socket(Inner(RawSocket::lent(fd))))
}

impl Inner {
    pub(crate) fn from_fd(fd: OwnedFd) -> Inner {
        Inner(RawSocket::from_fd(fd))
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0.into_fd()
    }

    pub(crate) fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }

    /// Creates a socket that blocks at first, as natively, where it can.
    fn new(socket: RawSocket, nonblocking: bool) -> io::Result<Inner> {
        if !nonblocking {
            block(&socket)?;
        }
        Ok(Inner(socket))
    }

    pub(crate) fn open(domain: c_int, ty: c_int, protocol: c_int) -> io::Result<Inner> {
        let nonblocking = ty & number::SOCK_NONBLOCK != 0;
        let v6 = match domain {
            number::AF_INET => false,
            number::AF_INET6 => true,
            number::AF_UNIX => return lacks("a Unix socket"),
            _ => return lacks("a socket that is not of IPv4 or IPv6"),
        };
        let stream = match (ty & !(number::SOCK_NONBLOCK | number::SOCK_CLOEXEC), protocol) {
            (number::SOCK_STREAM, 0 | number::IPPROTO_TCP) => true,
            (number::SOCK_DGRAM, 0 | number::IPPROTO_UDP) => false,
            _ => return lacks("a socket that is not of TCP or UDP"),
        };
        Inner::new(RawSocket::open(v6, stream)?, nonblocking)
    }

    pub(crate) fn open_raw(domain: c_int, ty: c_int, protocol: c_int) -> io::Result<Inner> {
        Inner::open(domain, ty, protocol)
    }

    pub(crate) fn pair(_: c_int, _: c_int, _: c_int) -> io::Result<(Inner, Inner)> {
        lacks("socketpair")
    }

    pub(crate) fn pair_raw(_: c_int, _: c_int, _: c_int) -> io::Result<(Inner, Inner)> {
        lacks("socketpair")
    }

    pub(crate) fn bind(&self, address: &SockAddr) -> io::Result<()> {
        self.0.bind(ip(address)?)
    }

    pub(crate) fn connect(&self, address: &SockAddr) -> io::Result<()> {
        self.0.connect(ip(address)?)
    }

    pub(crate) fn connect_timeout(&self, address: &SockAddr, timeout: Duration) -> io::Result<()> {
        self.0.set_nonblocking(true)?;
        self.connect(address)?;
        self.0.wait_connected(timeout)?;
        block(&self.0)
    }

    pub(crate) fn listen(&self, backlog: c_int) -> io::Result<()> {
        self.0.listen(u32::try_from(backlog).unwrap_or(0))
    }

    pub(crate) fn accept(&self) -> io::Result<(Inner, SockAddr)> {
        self.accept_flags(0)
    }

    pub(crate) fn accept_raw(&self) -> io::Result<(Inner, SockAddr)> {
        self.accept_flags(0)
    }

    pub(crate) fn accept4(&self, flags: c_int) -> io::Result<(Inner, SockAddr)> {
        self.accept_flags(flags)
    }

    fn accept_flags(&self, flags: c_int) -> io::Result<(Inner, SockAddr)> {
        let (socket, from) = self.0.accept()?;
        Ok((Inner::new(socket, flags & number::SOCK_NONBLOCK != 0)?, from.into()))
    }

    pub(crate) fn local_addr(&self) -> io::Result<SockAddr> {
        self.0.local_addr().map(SockAddr::from)
    }

    pub(crate) fn peer_addr(&self) -> io::Result<SockAddr> {
        self.0.peer_addr().map(SockAddr::from)
    }

    pub(crate) fn try_clone(&self) -> io::Result<Inner> {
        lacks("another descriptor of a socket")
    }

    pub(crate) fn nonblocking(&self) -> io::Result<bool> {
        self.0.is_nonblocking()
    }

    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        named("a socket that blocks", self.0.set_nonblocking(on))
    }

    /// Does nothing: a guest starts no programs that could inherit the socket.
    pub(crate) fn set_cloexec(&self, _: bool) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn shutdown(&self, how: Shutdown) -> io::Result<()> {
        self.0.shutdown(how)
    }

    pub(crate) fn recv(&self, buf: &mut [MaybeUninit<u8>], flags: c_int) -> io::Result<usize> {
        only(flags, number::MSG_PEEK)?;
        self.0.recv_uninit(buf, flags != 0)
    }

    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.0.recv(buf)
    }

    pub(crate) fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.0.recv_vectored(bufs)
    }

    pub(crate) fn recv_from(
        &self,
        buf: &mut [MaybeUninit<u8>],
        flags: c_int,
    ) -> io::Result<(usize, SockAddr)> {
        only(flags, number::MSG_PEEK)?;
        self.0.recv_from(buf, flags != 0).map(|(n, from)| (n, from.into()))
    }

    /// Receives through a temporary buffer if there are several buffers. It is one byte longer than they are, to detect
    /// a longer message.
    pub(crate) fn recvmsg(
        &self,
        message: &mut Incoming<'_, '_, '_>,
        flags: c_int,
    ) -> io::Result<usize> {
        let stream = self.0.is_stream()?;
        let room = message.bufs.iter().map(|buf| buf.len()).sum::<usize>();
        let mut joined = vec![MaybeUninit::uninit(); room + usize::from(!stream)];
        let n = if stream {
            self.recv(&mut joined, flags)?
        } else {
            let (n, from) = self.recv_from(&mut joined, flags)?;
            if let Some(place) = &mut message.from {
                **place = from;
            }
            n
        };
        message.flags = if n > room { number::MSG_TRUNC } else { 0 };
        let mut bytes = &joined[..n.min(room)];
        for buf in &mut message.bufs {
            let (now, later) = bytes.split_at(buf.len().min(bytes.len()));
            buf[..now.len()].copy_from_slice(now);
            bytes = later;
        }
        Ok(n.min(room))
    }

    pub(crate) fn send(&self, buf: &[u8], flags: c_int) -> io::Result<usize> {
        only(flags, number::MSG_NOSIGNAL)?;
        self.0.send(buf)
    }

    pub(crate) fn send_to(&self, buf: &[u8], to: &SockAddr, flags: c_int) -> io::Result<usize> {
        only(flags, number::MSG_NOSIGNAL)?;
        self.0.send_to(buf, ip(to)?)
    }

    pub(crate) fn sendmsg(
        &self,
        message: &Outgoing<'_, '_, '_>,
        flags: c_int,
    ) -> io::Result<usize> {
        if !message.control.is_empty() {
            return lacks("control data of a message");
        }
        only(flags | message.flags, number::MSG_NOSIGNAL)?;
        let Some(to) = message.to else { return self.0.send_vectored(message.bufs) };
        let joined: Vec<u8>;
        let bytes: &[u8] = match message.bufs {
            [only] => only,
            several => {
                joined = several.iter().flat_map(|buf: &IoSlice<'_>| buf.iter().copied()).collect();
                &joined
            }
        };
        self.0.send_to(bytes, ip(to)?)
    }

    pub(crate) fn int(&self, option: Opt) -> io::Result<c_int> {
        match (option.place, option.name) {
            (Some(place), name) => named(name, self.0.option(place)).map(|value| value as c_int),
            (None, "SO_ACCEPTCONN") => self.0.is_listening().map(c_int::from),
            // Sockets of WASI 0.2 always have one family.
            (None, "IPV6_V6ONLY") if cfg!(target_env = "p2") => Ok(1),
            (None, name) => lacks(name),
        }
    }

    pub(crate) fn set_int(&self, option: Opt, value: c_int) -> io::Result<()> {
        match (option.place, option.name) {
            (Some(place), name) => named(name, self.0.set_option(place, value as u32)),
            (None, "IPV6_V6ONLY") if cfg!(target_env = "p2") && value != 0 => Ok(()),
            (None, name) => lacks(name),
        }
    }

    pub(crate) fn bytes(&self, option: Opt, _: usize) -> io::Result<Vec<u8>> {
        lacks(option.name)
    }

    pub(crate) fn set_bytes(&self, option: Opt, _: &[u8]) -> io::Result<()> {
        lacks(option.name)
    }

    pub(crate) fn address(&self, option: Opt) -> io::Result<SockAddr> {
        lacks(option.name)
    }

    pub(crate) fn kind(&self) -> io::Result<c_int> {
        let stream = self.0.is_stream()?;
        Ok(if stream { number::SOCK_STREAM } else { number::SOCK_DGRAM })
    }

    pub(crate) fn domain(&self) -> io::Result<c_int> {
        Ok(if self.0.local_addr()?.is_ipv4() { number::AF_INET } else { number::AF_INET6 })
    }

    pub(crate) fn protocol(&self) -> io::Result<c_int> {
        let stream = self.0.is_stream()?;
        Ok(if stream { number::IPPROTO_TCP } else { number::IPPROTO_UDP })
    }

    pub(crate) fn take_error(&self) -> io::Result<Option<io::Error>> {
        self.0.take_error()
    }

    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        named("SO_LINGER", self.0.linger())
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        named("SO_LINGER", self.0.set_linger(linger))
    }

    pub(crate) fn timeout(&self, option: Opt) -> io::Result<Option<Duration>> {
        named(option.name, self.0.timeout(option.name == opt::SO_SNDTIMEO.name))
    }

    pub(crate) fn set_timeout(&self, option: Opt, timeout: Option<Duration>) -> io::Result<()> {
        named(option.name, self.0.set_timeout(option.name == opt::SO_SNDTIMEO.name, timeout))
    }

    pub(crate) fn set_keepalive_times(&self, params: &TcpKeepalive) -> io::Result<()> {
        self.0.set_keepalive(params.time, params.interval, params.retries)
    }

    pub(crate) fn keepalive_time(&self) -> io::Result<Duration> {
        named("TCP_KEEPIDLE", self.0.keepalive_times()).map(|(time, _, _)| time)
    }

    pub(crate) fn keepalive_interval(&self) -> io::Result<Duration> {
        named("TCP_KEEPINTVL", self.0.keepalive_times()).map(|(_, interval, _)| interval)
    }

    pub(crate) fn keepalive_retries(&self) -> io::Result<u32> {
        named("TCP_KEEPCNT", self.0.keepalive_times()).map(|(_, _, retries)| retries)
    }

    pub(crate) fn set_membership(&self, _: Membership, _: bool) -> io::Result<()> {
        lacks("multicast")
    }

    pub(crate) fn sendfile(
        &self,
        _: c_int,
        _: usize,
        _: Option<std::num::NonZeroUsize>,
    ) -> io::Result<usize> {
        lacks("sendfile")
    }

    pub(crate) fn attach_filter(&self, _: &[SockFilter]) -> io::Result<()> {
        lacks(opt::SO_ATTACH_FILTER.name)
    }
}

/// An instruction of a BPF program.
pub struct SockFilter;

impl SockFilter {
    /// The instruction `code` with its jumps and its operand.
    pub const fn new(_: u16, _: u8, _: u8, _: u32) -> SockFilter {
        SockFilter
    }
}

impl std::fmt::Debug for SockFilter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SockFilter").finish_non_exhaustive()
    }
}
