//! `sock_recv` and `sock_send` as nearly all calls are: a stream that does not block, one buffer, nothing wrong.
//!
//! Such a call needs no future. `None` says that this is another one, and that nothing has happened: then the general
//! way (`transfer.rs`) finds out what it is, and says what is wrong with it.

use std::io;
use std::ops::Range;

use tokio::io::Interest;

use crate::errno::Errno;
use crate::memory::GuestMemory;
use crate::sockets::socket::{Kind, Socket};
use crate::sockets::transfer::{STREAK, recv_one, send_one};
use crate::state::{Cx, State, parts};

type Done = Option<Result<(), Errno>>;

fn stream(sockets: &super::table::Table, streak: u8, fd: i32) -> Option<&Socket> {
    let socket = sockets.get(fd).ok()?;
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

pub(crate) fn recv(
    cx: &mut Cx<'_>,
    fd: i32,
    iovs: i32,
    count: i32,
    flags: i32,
    len_out: i32,
    flags_out: i32,
) -> Done {
    let (memory, State { sockets, stats, streak, .. }) = parts(cx).ok()?;
    let socket = stream(sockets, *streak, fd).filter(|_| flags == 0)?;
    let len_out = memory.range(len_out as u32, 4, 4).ok()?;
    let flags_out = memory.range(flags_out as u32, 2, 2).ok()?;
    let buffer = only_buffer(&memory, iovs, count)?;
    let part = &mut memory.0[buffer];
    let wanted = part.len();
    let receive = |host: &socket2::Socket| recv_one(host, part, 0);
    match socket.attempt(Interest::READABLE, receive, |len| *len > 0 && *len < wanted) {
        Ok(len) => {
            stats.received(len);
            memory.0[len_out].copy_from_slice(&(len as u32).to_le_bytes());
            memory.0[flags_out].copy_from_slice(&[0; 2]);
            Some(Ok(()))
        }
        Err(error) => failed(error),
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
    let part = &memory.0[only_buffer(&memory, iovs, count)?];
    let send = |host: &socket2::Socket| send_one(host, part);
    match socket.attempt(Interest::WRITABLE, send, |len| *len < part.len()) {
        Ok(len) => {
            stats.sent(len);
            memory.0[len_out].copy_from_slice(&(len as u32).to_le_bytes());
            Some(Ok(()))
        }
        Err(error) => failed(error),
    }
}
