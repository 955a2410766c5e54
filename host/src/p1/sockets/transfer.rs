//! `sock_recv`, `sock_recv_from`, `sock_send`, `sock_send_to`, and `fd_read` and `fd_write` on a socket.
//!
//! Each call is one system call directly between guest memory and the kernel. Nothing is copied or allocated on the way
//! (up to eight buffers).

use std::io::{self, IoSlice};
use std::time::{Duration, Instant};

#[cfg(unix)]
use rustix::net::{RecvFlags, SendFlags};
use smallvec::SmallVec;
use socket2::{MaybeUninitSlice, SockAddr};
use tokio::io::Interest;
use tokio::task::yield_now;

use super::buffers::as_uninit;
use crate::p1::errno::Errno;
use crate::p1::memory::{Buffer, Buffers, GuestMemory, split_mut};
use crate::p1::sockets::address;
use crate::p1::sockets::senders::MORE_TO_DROP;
use crate::p1::sockets::socket::{Kind, Socket};
use crate::p1::state::{Cx, State, parts, state};

const PEEK: i32 = 1;
const WAITALL: i32 = 2;
const TRUNCATED: u16 = 1;

/// After this many blocking operations in a row that did not wait, the guest yields. The number is tokio's budget. A
/// guest with a runtime is held to it by the runtime, a blocking one by this. Otherwise it would run until the next
/// tick.
pub(super) const STREAK: u8 = 128;

/// Yields if the guest has used up its budget.
async fn in_turn(cx: &mut Cx<'_>) {
    if state(cx).streak >= STREAK {
        state(cx).streak = 0;
        yield_now().await;
    }
}

/// The result of a receive call.
struct Received {
    len: usize,
    truncated: bool,
    from: Option<SockAddr>,
}

pub(crate) async fn recv(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    flags: i32,
    len_out: i32,
    flags_out: i32,
) -> Result<(), Errno> {
    let (memory, _) = parts(cx)?;
    memory.range(len_out as u32, 4, 4)?;
    memory.range(flags_out as u32, 2, 2)?;
    let buffers = memory.buffers(iovs as u32, count as u32)?;
    let got = receive(cx, fd, &buffers, flags, false).await?;
    let (mut memory, _) = parts(cx)?;
    memory.write_u32(len_out as u32, got.len as u32)?;
    memory.write_u16(flags_out as u32, if got.truncated { TRUNCATED } else { 0 })
}

/// `fd_read` on a socket.
pub(crate) async fn read(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    len_out: i32,
) -> Result<(), Errno> {
    let (memory, _) = parts(cx)?;
    memory.range(len_out as u32, 4, 4)?;
    let buffers = memory.buffers(iovs as u32, count as u32)?;
    let got = receive(cx, fd, &buffers, 0, false).await?;
    parts(cx)?.0.write_u32(len_out as u32, got.len as u32)
}

#[expect(clippy::too_many_arguments, reason = "the import's own parameters")]
pub(crate) async fn recv_from_v1(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    addr: i32,
    flags: i32,
    len_out: i32,
    flags_out: i32,
) -> Result<(), Errno> {
    recv_from(cx, fd, [iovs, count, addr, flags, len_out, flags_out], None).await
}

#[expect(clippy::too_many_arguments, reason = "the import's own parameters")]
pub(crate) async fn recv_from_v2(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    addr: i32,
    flags: i32,
    port_out: i32,
    len_out: i32,
    flags_out: i32,
) -> Result<(), Errno> {
    recv_from(cx, fd, [iovs, count, addr, flags, len_out, flags_out], Some(port_out as u32)).await
}

async fn recv_from(
    cx: &mut Cx<'_>,
    fd: i32,
    [iovs, count, addr, flags, len_out, flags_out]: [i32; 6],
    port_out: Option<u32>,
) -> Result<(), Errno> {
    let (memory, _) = parts(cx)?;
    memory.range(len_out as u32, 4, 4)?;
    memory.range(flags_out as u32, 2, 2)?;
    if let Some(port_out) = port_out {
        memory.range(port_out, 2, 2)?;
    }
    let target = address::target(&memory, addr as u32)?;
    let buffers = memory.buffers(iovs as u32, count as u32)?;
    let got = receive(cx, fd, &buffers, flags, true).await?;
    let (mut memory, _) = parts(cx)?;
    // For a connected stream the kernel reports no sender.
    if let Some(from) = got.from.and_then(|from| from.as_socket()) {
        address::write(&mut memory, target, from.ip())?;
        if let Some(port_out) = port_out {
            // In network byte order, unlike everywhere else.
            memory.write_u16(port_out, from.port().to_be())?;
        }
    }
    memory.write_u32(len_out as u32, got.len as u32)?;
    memory.write_u16(flags_out as u32, if got.truncated { TRUNCATED } else { 0 })
}

/// Receives. A blocking guest is suspended until there is data.
async fn receive(
    cx: &mut Cx<'_>,
    fd: i32,
    buffers: &[Buffer],
    flags: i32,
    want_sender: bool,
) -> Result<Received, Errno> {
    if flags & !(PEEK | WAITALL) != 0 {
        return Err(Errno::INVAL);
    }
    let peek = flags & PEEK != 0;
    let mut rest: Option<Buffers> = None;
    let mut total = 0;
    let mut closed = false;
    let mut until: Option<Instant> = None;
    in_turn(cx).await;
    if let Some(error) = state(cx).sockets.get_mut(fd)?.pending_error.take() {
        return Err(error.into());
    }
    loop {
        let (memory, state_) = parts(cx)?;
        let socket = state_.sockets.get(fd)?;
        let pending = rest.as_deref().unwrap_or(buffers);
        let fill =
            flags & WAITALL != 0 && !peek && !socket.nonblocking && socket.kind == Kind::Stream;
        match receive_once(socket, memory, pending, peek, want_sender) {
            Ok(mut got) => {
                state_.streak = state_.streak.saturating_add(u8::from(!socket.nonblocking));
                if !peek {
                    state_.tally.received(got.len);
                }
                total += got.len;
                if fill && got.len > 0 {
                    let left = advance(pending, got.len);
                    if !left.is_empty() {
                        rest = Some(left);
                        // The peer may send as fast as the guest reads.
                        yield_now().await;
                        continue;
                    }
                }
                got.len = total;
                return Ok(got);
            }
            Err(Failed::Errno(errno)) => return Err(errno),
            Err(Failed::Io(e)) if e.kind() == MORE_TO_DROP => {
                let left = time_left(&mut until, socket.recv_timeout);
                if socket.nonblocking || left == Some(Duration::ZERO) {
                    return Err(Errno::AGAIN);
                }
                yield_now().await;
                continue;
            }
            Err(Failed::Io(e)) if e.kind() != io::ErrorKind::WouldBlock => return Err(e.into()),
            Err(Failed::Io(_)) if socket.nonblocking => return Err(Errno::AGAIN),
            // A datagram socket that was shut down has no end of stream.
            Err(Failed::Io(_)) if closed => {
                return Ok(Received { len: total, truncated: false, from: None });
            }
            Err(Failed::Io(_)) => {}
        }
        state(cx).streak = 0;
        let socket = state(cx).sockets.get_mut(fd)?;
        let timeout = time_left(&mut until, socket.recv_timeout);
        match socket.wait(Interest::READABLE, timeout).await {
            Ok(is_closed) => closed = is_closed,
            Err(_) if total > 0 => {
                return Ok(Received { len: total, truncated: false, from: None });
            }
            Err(e) => return Err(e.into()),
        }
    }
}

/// Returns the rest of a time limit for the whole call, however often it waits.
fn time_left(until: &mut Option<Instant>, limit: Option<Duration>) -> Option<Duration> {
    let limit = limit?;
    let now = Instant::now();
    match until {
        Some(until) => Some(until.saturating_duration_since(now)),
        None => {
            *until = now.checked_add(limit);
            Some(limit)
        }
    }
}

enum Failed {
    Errno(Errno),
    Io(io::Error),
}

fn receive_once(
    socket: &Socket,
    memory: GuestMemory<'_>,
    buffers: &[Buffer],
    peek: bool,
    want_sender: bool,
) -> Result<Received, Failed> {
    let wanted: usize = buffers.iter().map(|b| b.len).sum();
    let flags = if peek { MSG_PEEK } else { 0 };
    let drained =
        |got: &Received| !peek && socket.kind == Kind::Stream && got.len > 0 && got.len < wanted;
    // The common case first: a stream and one buffer.
    if let ([one], Kind::Stream) = (buffers, socket.kind) {
        let part = &mut memory.0[one.offset..one.offset + one.len];
        let receive = |host: &socket2::Socket| {
            let len = recv_one(host, part, flags)?;
            Ok(Received { len, truncated: false, from: None })
        };
        return socket.attempt(Interest::READABLE, receive, drained).map_err(Failed::Io);
    }
    let mut parts = split_mut(memory.0, buffers).map_err(Failed::Errno)?;
    let mut slices: SmallVec<[MaybeUninitSlice<'_>; 8]> =
        parts.iter_mut().map(|part| MaybeUninitSlice::new(as_uninit(part))).collect();
    let receive = |host: &socket2::Socket| {
        socket.admit(host)?;
        if want_sender {
            let (len, oflags, from) = host.recv_from_vectored_with_flags(&mut slices, flags)?;
            Ok(Received { len, truncated: oflags.is_truncated(), from: Some(from) })
        } else {
            let (len, oflags) = host.recv_vectored_with_flags(&mut slices, flags)?;
            Ok(Received { len, truncated: oflags.is_truncated(), from: None })
        }
    };
    socket.attempt(Interest::READABLE, receive, drained).map_err(Failed::Io)
}

pub(crate) async fn send(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    flags: i32,
    len_out: i32,
) -> Result<(), Errno> {
    transmit(cx, fd, [iovs, count, flags, len_out], None).await
}

/// `fd_write` on a socket.
pub(crate) async fn write(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    len_out: i32,
) -> Result<(), Errno> {
    transmit(cx, fd, [iovs, count, 0, len_out], None).await
}

#[expect(clippy::too_many_arguments, reason = "the import's own parameters")]
pub(crate) async fn send_to(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    addr: i32,
    port: i32,
    flags: i32,
    len_out: i32,
) -> Result<(), Errno> {
    let (memory, state) = parts(cx)?;
    let to = address::read(&memory, addr as u32, port)?;
    state.sockets.get(fd)?;
    state.grants.connect(to).map_err(|_| Errno::ACCES)?;
    transmit(cx, fd, [iovs, count, flags, len_out], Some(SockAddr::from(to))).await
}

/// Sends. A blocking guest is suspended until everything is sent, as with a blocking socket of the host.
async fn transmit(
    cx: &mut Cx<'_>,
    fd: i32,
    [iovs, count, flags, len_out]: [i32; 4],
    to: Option<SockAddr>,
) -> Result<(), Errno> {
    let (memory, _) = parts(cx)?;
    memory.range(len_out as u32, 4, 4)?;
    let mut buffers = memory.buffers(iovs as u32, count as u32)?;
    // Preview 1 defines no flag for sending.
    if flags != 0 {
        return Err(Errno::INVAL);
    }
    let mut total = 0;
    in_turn(cx).await;
    loop {
        let (mut memory, state_) = parts(cx)?;
        let State { sockets, tally, streak, .. } = state_;
        let socket = sockets.get(fd)?;
        match send_once(socket, &memory, &buffers, to.as_ref()) {
            Ok(len) => {
                *streak = streak.saturating_add(u8::from(!socket.nonblocking));
                tally.sent(len);
                total += len;
                if socket.kind == Kind::Stream && !socket.nonblocking {
                    buffers = advance(&buffers, len);
                    if len > 0 && !buffers.is_empty() {
                        yield_now().await;
                        continue;
                    }
                }
                return memory.write_u32(len_out as u32, total as u32);
            }
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                if socket.nonblocking {
                    return Err(Errno::AGAIN);
                }
            }
            // The bytes sent so far are reported first. The next call reports the error.
            Err(_) if total > 0 => return memory.write_u32(len_out as u32, total as u32),
            Err(e) => return Err(e.into()),
        }
        state(cx).streak = 0;
        let socket = state(cx).sockets.get_mut(fd)?;
        match socket.wait(Interest::WRITABLE, socket.send_timeout).await {
            Ok(_) => {}
            Err(_) if total > 0 => return parts(cx)?.0.write_u32(len_out as u32, total as u32),
            Err(e) => return Err(e.into()),
        }
    }
}

pub(super) fn send_once(
    socket: &Socket,
    memory: &GuestMemory<'_>,
    buffers: &[Buffer],
    to: Option<&SockAddr>,
) -> io::Result<usize> {
    let wanted: usize = buffers.iter().map(|b| b.len).sum();
    let bytes = |b: &Buffer| &memory.0[b.offset..b.offset + b.len];
    let drained = |sent: &usize| *sent < wanted;
    if let ([one], None) = (buffers, to) {
        let send = |host: &socket2::Socket| send_one(host, bytes(one));
        return socket.attempt(Interest::WRITABLE, send, drained);
    }
    let slices: SmallVec<[IoSlice<'_>; 8]> =
        buffers.iter().map(|b| IoSlice::new(bytes(b))).collect();
    let send = |host: &socket2::Socket| match to {
        Some(to) => host.send_to_vectored_with_flags(&slices, to, MSG_NOSIGNAL),
        None => host.send_vectored_with_flags(&slices, MSG_NOSIGNAL),
    };
    socket.attempt(Interest::WRITABLE, send, drained)
}

/// Returns the rest of `buffers` after `done` bytes.
fn advance(buffers: &[Buffer], mut done: usize) -> Buffers {
    let mut rest = Buffers::new();
    for buffer in buffers {
        let taken = done.min(buffer.len);
        done -= taken;
        if taken < buffer.len {
            rest.push(Buffer { offset: buffer.offset + taken, len: buffer.len - taken });
        }
    }
    rest
}

/// The C library's `recv` and `send` are cancellation points of threads, which costs as much as the rest of them.
#[cfg(unix)]
#[inline]
pub(super) fn recv_one(host: &socket2::Socket, bytes: &mut [u8], flags: i32) -> io::Result<usize> {
    let flags = RecvFlags::from_bits_retain(flags as _);
    Ok(rustix::net::recv(host, bytes, flags)?.0)
}

#[cfg(unix)]
#[inline]
pub(super) fn send_one(host: &socket2::Socket, bytes: &[u8]) -> io::Result<usize> {
    Ok(rustix::net::send(host, bytes, SendFlags::from_bits_retain(MSG_NOSIGNAL as _))?)
}

#[cfg(not(unix))]
pub(super) fn recv_one(host: &socket2::Socket, bytes: &mut [u8], flags: i32) -> io::Result<usize> {
    host.recv_with_flags(as_uninit(bytes), flags)
}

#[cfg(not(unix))]
pub(super) fn send_one(host: &socket2::Socket, bytes: &[u8]) -> io::Result<usize> {
    host.send_with_flags(bytes, MSG_NOSIGNAL)
}

#[cfg(unix)]
use libc::MSG_PEEK;
/// Winsock's number.
#[cfg(not(unix))]
const MSG_PEEK: i32 = 2;

/// If the peer is gone, the guest gets an error and the host no signal.
#[cfg(any(target_os = "linux", target_os = "android", target_os = "freebsd"))]
use libc::MSG_NOSIGNAL;
/// On systems without the flag, sockets are created with the equivalent option, or there is no such signal.
#[cfg(not(any(target_os = "linux", target_os = "android", target_os = "freebsd")))]
const MSG_NOSIGNAL: i32 = 0;
