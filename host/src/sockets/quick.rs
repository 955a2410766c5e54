//! `sock_recv` and `sock_send` as nearly all calls are: a stream that does not block, one buffer to read into, nothing
//! wrong.
//!
//! Such a call needs no future. `None` says that this is another one, and that nothing has happened: then the general
//! way (`transfer.rs`) finds out what it is, and says what is wrong with it.

use std::cell::Cell;
use std::io;
use std::ops::Range;

use tokio::io::Interest;

use crate::errno::Errno;
use crate::memory::{Buffer, GuestMemory};
use crate::sockets::socket::{Kind, Socket};
use crate::sockets::transfer::{STREAK, recv_one, send_once};
use crate::state::{Cx, State, parts};

/// The flag of `POLL_EXTENSION.md`: nothing is left to read.
const DRAINED: u16 = 1 << 15;

/// An attempt to read that finds nothing is worth so many operations of a turn: who tries instead of waiting must not
/// keep others waiting for long.
const IN_VAIN: u8 = STREAK / 8;

/// A read of more than this that comes back full is one of many: most likely there is more.
const SMALL: usize = 4096;

type Done = Option<Result<(), Errno>>;

fn stream(sockets: &mut super::table::Table, streak: u8, fd: i32) -> Option<&mut Socket> {
    let socket = sockets.get_mut(fd).ok()?;
    // A turn that is used up ends before the operation.
    (socket.nonblocking && socket.kind == Kind::Stream && streak < STREAK).then_some(socket)
}

fn only_buffer(memory: &GuestMemory<'_>, iovs: i32, count: i32) -> Option<Range<usize>> {
    let table = memory.range(iovs as u32, 8, 4).ok().filter(|_| count == 1)?;
    let [[ptr, len]] = memory.0[table].as_chunks::<4>().0.as_chunks::<2>().0 else { return None };
    let (ptr, len) = (u32::from_le_bytes(*ptr), u32::from_le_bytes(*len));
    memory.range(ptr, len as usize, 1).ok().filter(|range| !range.is_empty())
}

fn failed(error: io::Error) -> Done {
    Some(Err(match error.kind() {
        io::ErrorKind::WouldBlock => Errno::AGAIN,
        _ => error.into(),
    }))
}

/// Whether the kernel has no more data for now. The end of the stream is none.
#[cfg(unix)]
fn nothing_left(host: &socket2::Socket) -> bool {
    rustix::io::ioctl_fionread(host).is_ok_and(|left| left == 0)
}

#[cfg(not(unix))]
fn nothing_left(_: &socket2::Socket) -> bool {
    false
}

pub(crate) fn recv(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    flags: i32,
    len_out: i32,
    flags_out: i32,
) -> Done {
    let (memory, State { sockets, stats, streak, poll, .. }) = parts(cx).ok()?;
    let socket = stream(sockets, *streak, fd).filter(|_| flags == 0)?;
    let len_out = memory.range(len_out as u32, 4, 4).ok()?;
    let flags_out = memory.range(flags_out as u32, 2, 2).ok()?;
    let buffer = only_buffer(&memory, iovs, count)?;
    let part = &mut memory.0[buffer];
    let wanted = part.len();
    let looks = poll.is_extended() && wanted <= SMALL;
    let trusted = socket.exact.is_trusted();
    socket.exact.promised = false;
    let is_empty = Cell::new(false);
    let receive = |host: &socket2::Socket| {
        let len = recv_one(host, part, 0)?;
        is_empty.set(looks && len == wanted && !trusted && nothing_left(host));
        Ok(len)
    };
    let drained = |len: &usize| *len > 0 && (*len < wanted || is_empty.get());
    match socket.attempt(Interest::READABLE, receive, drained) {
        Ok(len) => {
            let is_drained = looks && len == wanted && socket.exact.note(is_empty.get());
            stats.received(len);
            let flags = if is_drained { DRAINED } else { 0 };
            memory.0[len_out].copy_from_slice(&(len as u32).to_le_bytes());
            memory.0[flags_out].copy_from_slice(&flags.to_le_bytes());
            Some(Ok(()))
        }
        Err(error) => {
            *streak = streak.saturating_add(IN_VAIN);
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
) -> Done {
    let (memory, State { sockets, stats, streak, .. }) = parts(cx).ok()?;
    let socket = stream(sockets, *streak, fd).filter(|_| flags == 0)?;
    let len_out = memory.range(len_out as u32, 4, 4).ok()?;
    let (one, several);
    let buffers = match only_buffer(&memory, iovs, count) {
        Some(Range { start, end }) => {
            one = [Buffer { offset: start, len: end - start }];
            &one[..]
        }
        None => {
            several = memory.buffers(iovs as u32, count as u32).ok()?;
            &several[..]
        }
    };
    if buffers.is_empty() {
        return None;
    }
    match send_once(socket, &memory, buffers, None) {
        Ok(len) => {
            stats.sent(len);
            memory.0[len_out].copy_from_slice(&(len as u32).to_le_bytes());
            Some(Ok(()))
        }
        Err(error) => failed(error),
    }
}
