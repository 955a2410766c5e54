//! The fast path of `sock_recv` and `sock_send`: a stream that does not block, one buffer to read into, and valid
//! arguments.
//!
//! Such a call needs no future. `None` means that the fast path does not apply, and that nothing has happened: the
//! general functions (`transfer.rs`) then serve the call or report its error.
//!
//! PERF: tokio is called only if the readiness that it remembers may become wrong: by the first read between two polls,
//! and by a write that finds no room. All other calls are the system call alone, inlined: after a system call the
//! processor has lost its return predictions, so each return that follows costs a misprediction.

use std::io;
use std::ops::Range;

use tokio::io::Interest;

use crate::p1::errno::Errno;
use crate::p1::memory::{Buffer, GuestMemory};
use crate::p1::sockets::socket::{EDGE_TRIGGERED, Kind, Socket, retry};
use crate::p1::sockets::table::Table;
use crate::p1::sockets::transfer::{STREAK, recv_one, send_once, send_one};
use crate::p1::state::{Cx, State, parts};

/// The flag of `POLL_EXTENSION.md` that nothing is left to read.
const DRAINED: u16 = 1 << 15;

/// A read that finds no data counts as this many operations towards the next yield. A guest that tries instead of
/// waiting must not keep other guests waiting for long.
const FUTILE_READ: u8 = STREAK / 8;

/// If a read of more than this fills its buffer, it is one of many: most likely there is more. A write of at most this
/// nearly always fits.
const SMALL: usize = 4096;

type Outcome = Option<Result<(), Errno>>;

fn stream(sockets: &mut Table, streak: u8, fd: i32) -> Option<&mut Socket> {
    let socket = sockets.get_mut(fd).ok()?;
    // A guest without budget yields before the operation.
    (socket.nonblocking && socket.kind == Kind::Stream && streak < STREAK).then_some(socket)
}

fn only_buffer(memory: &GuestMemory<'_>, iovs: i32, count: i32) -> Option<Range<usize>> {
    let table = memory.range(iovs as u32, 8, 4).ok().filter(|_| count == 1)?;
    let [[ptr, len]] = memory.0[table].as_chunks::<4>().0.as_chunks::<2>().0 else { return None };
    let (ptr, len) = (u32::from_le_bytes(*ptr), u32::from_le_bytes(*len));
    memory.range(ptr, len as usize, 1).ok().filter(|range| !range.is_empty())
}

fn failed(error: io::Error) -> Outcome {
    Some(Err(match error.kind() {
        io::ErrorKind::WouldBlock => Errno::AGAIN,
        _ => error.into(),
    }))
}

/// Returns whether the kernel has no more data for now. The end of the stream does not count as data.
#[cfg(unix)]
fn nothing_left(host: &socket2::Socket) -> bool {
    rustix::io::ioctl_fionread(host).is_ok_and(|left| left == 0)
}

#[cfg(not(unix))]
fn nothing_left(_: &socket2::Socket) -> bool {
    false
}

/// The result of a receive call.
struct Got {
    len: usize,
    /// Whether the buffer is full and the kernel has no more data, as far as it was asked.
    is_empty: bool,
}

impl Got {
    fn is_all(&self, wanted: usize) -> bool {
        self.len > 0 && (self.len < wanted || self.is_empty)
    }
}

// PERF: see the module.
#[inline(always)]
fn receive(host: &socket2::Socket, part: &mut [u8], asks: bool) -> io::Result<Got> {
    let len = recv_one(host, part, 0)?;
    Ok(Got { len, is_empty: asks && len == part.len() && nothing_left(host) })
}

/// Receives, and clears tokio's readiness if that was all the data. It then stays cleared until the next poll.
// PERF: not inlined, to keep it out of the path of the reads that follow.
#[inline(never)]
fn receive_first(socket: &mut Socket, part: &mut [u8], asks: bool, polls: u32) -> io::Result<Got> {
    let wanted = part.len();
    let is_all = |got: &Got| got.is_all(wanted);
    let result = socket.attempt(Interest::READABLE, |host| receive(host, part, asks), is_all);
    let taken_back = match &result {
        Ok(got) => is_all(got),
        Err(error) => error.kind() == io::ErrorKind::WouldBlock,
    };
    if EDGE_TRIGGERED && taken_back {
        socket.unready = Some(polls);
    }
    result
}

pub(crate) fn recv(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    flags: i32,
    len_out: i32,
    flags_out: i32,
) -> Outcome {
    let (memory, State { sockets, tally, streak, poll, .. }) = parts(cx).ok()?;
    let socket = stream(sockets, *streak, fd).filter(|_| flags == 0)?;
    let len_out = memory.range(len_out as u32, 4, 4).ok()?;
    let flags_out = memory.range(flags_out as u32, 2, 2).ok()?;
    let buffer = only_buffer(&memory, iovs, count)?;
    let part = &mut memory.0[buffer];
    let wanted = part.len();
    let looks = poll.is_extended() && wanted <= SMALL;
    let asks = looks && !socket.drain_predictor.is_confident();
    socket.drain_predictor.is_prediction = false;
    let result = if socket.unready == Some(poll.calls()) {
        socket.host().and_then(|host| retry(|| receive(&host, part, asks)))
    } else {
        receive_first(socket, part, asks, poll.calls())
    };
    match result {
        Ok(Got { len, is_empty }) => {
            let is_drained = looks && len == wanted && socket.drain_predictor.record(is_empty);
            tally.received(len);
            let flags = if is_drained { DRAINED } else { 0 };
            memory.0[len_out].copy_from_slice(&(len as u32).to_le_bytes());
            memory.0[flags_out].copy_from_slice(&flags.to_le_bytes());
            Some(Ok(()))
        }
        Err(error) => {
            *streak = streak.saturating_add(FUTILE_READ);
            failed(error)
        }
    }
}

pub(crate) fn send(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    flags: i32,
    len_out: i32,
) -> Outcome {
    let (memory, State { sockets, tally, streak, .. }) = parts(cx).ok()?;
    let socket = stream(sockets, *streak, fd).filter(|_| flags == 0)?;
    let len_out = memory.range(len_out as u32, 4, 4).ok()?;
    let sent = match only_buffer(&memory, iovs, count) {
        Some(range) => send_only(socket, &memory, range),
        None => {
            let buffers = memory.buffers(iovs as u32, count as u32).ok()?;
            if buffers.is_empty() {
                return None;
            }
            send_once(socket, &memory, &buffers, None)
        }
    };
    match sent {
        Ok(len) => {
            tally.sent(len);
            memory.0[len_out].copy_from_slice(&(len as u32).to_le_bytes());
            Some(Ok(()))
        }
        Err(error) => failed(error),
    }
}

// PERF: see the module.
#[inline(always)]
fn send_only(socket: &Socket, memory: &GuestMemory<'_>, range: Range<usize>) -> io::Result<usize> {
    if EDGE_TRIGGERED && range.len() <= SMALL {
        let host = socket.host()?;
        let result = retry(|| send_one(&host, &memory.0[range.clone()]));
        // tokio must learn that there is no room.
        if result.as_ref().map_err(io::Error::kind) != Err(io::ErrorKind::WouldBlock) {
            return result;
        }
    }
    let buffer = Buffer { offset: range.start, len: range.len() };
    send_once(socket, memory, &[buffer], None)
}
