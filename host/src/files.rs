//! The imports that take any descriptor: a socket's go to us, all others to
//! wasmtime-wasi.

use wasmtime::AsContextMut;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::errno::Errno;
use crate::link::on_wasi;
use crate::memory::GuestMemory;
use crate::sockets::socket::Kind;
use crate::sockets::transfer;
use crate::state::{Cx, NONBLOCK, parts, state};
use crate::{poll, signals};

type Returned = wasmtime::Result<i32>;

fn is_socket(cx: &Cx<'_>, fd: i32) -> bool {
    cx.data().sockets.numbers().is_socket(fd)
}

fn ours(result: Result<(), Errno>) -> Returned {
    Ok(result.map_or_else(|e| i32::from(e.0), |()| 0))
}

pub(crate) async fn read(mut cx: Cx<'_>, fd: i32, iovs: i32, n: i32, out: i32) -> Returned {
    if is_socket(&cx, fd) {
        return ours(transfer::read(&mut cx, fd, iovs, n, out).await);
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_read(ctx, &mut memory, numbers.file(fd), iovs, n, out).await)
}

pub(crate) async fn write(mut cx: Cx<'_>, fd: i32, iovs: i32, n: i32, out: i32) -> Returned {
    if is_socket(&cx, fd) {
        return ours(transfer::write(&mut cx, fd, iovs, n, out).await);
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_write(ctx, &mut memory, numbers.file(fd), iovs, n, out).await)
}

pub(crate) async fn close(mut cx: Cx<'_>, fd: i32) -> Returned {
    if is_socket(&cx, fd) {
        return ours(state(&mut cx).sockets.remove(fd).map(drop));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_close(ctx, &mut memory, numbers.file(fd)).await)
}

pub(crate) async fn renumber(mut cx: Cx<'_>, from: i32, to: i32) -> Returned {
    match (is_socket(&cx, from), is_socket(&cx, to)) {
        (true, true) => ours(state(&mut cx).sockets.renumber(from, to)),
        (false, false) => {
            on_wasi!(cx, ctx, memory, numbers => wasi::fd_renumber(ctx, &mut memory, numbers.file(from), numbers.file(to)).await)
        }
        // A file cannot take a socket's number, nor the reverse.
        _ => ours(Err(Errno::NOTSUP)),
    }
}

/// `fdstat`: file type, flags, rights.
pub(crate) async fn fdstat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if let Some(mask) = signals::of_fd(fd) {
        return ours(signals::fdstat(&mut cx, mask, out as u32));
    }
    if poll::is_queue(fd) {
        let write = |(mut memory, _): (GuestMemory<'_>, _)| {
            memory.write(out as u32, 8, &signals::pollable_stat())
        };
        return ours(parts(&mut cx).and_then(write));
    }
    if is_socket(&cx, fd) {
        return ours(socket_fdstat(&mut cx, fd, out as u32));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_fdstat_get(ctx, &mut memory, numbers.file(fd), out).await)
}

fn socket_fdstat(cx: &mut Cx<'_>, fd: i32, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    let socket = state.sockets.get(fd)?;
    let mut stat = [0; 24];
    stat[0] = file_type(socket.kind);
    let flags = if socket.nonblocking { NONBLOCK } else { 0 };
    stat[2..4].copy_from_slice(&flags.to_le_bytes());
    // All rights there are.
    let rights = (1u64 << 30) - 1;
    stat[8..16].copy_from_slice(&rights.to_le_bytes());
    stat[16..24].copy_from_slice(&rights.to_le_bytes());
    memory.write(out, 8, &stat)
}

pub(crate) async fn fdstat_set_flags(mut cx: Cx<'_>, fd: i32, flags: i32) -> Returned {
    if is_socket(&cx, fd) {
        // Of the five flags only this one means anything to a socket.
        let nonblocking = flags & i32::from(NONBLOCK) != 0;
        return ours(state(&mut cx).sockets.get_mut(fd).map(|s| s.nonblocking = nonblocking));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_fdstat_set_flags(ctx, &mut memory, numbers.file(fd), flags))
}

/// Rights are history: accepted on sockets, refused by wasmtime-wasi.
pub(crate) async fn fdstat_set_rights(
    mut cx: Cx<'_>,
    fd: i32,
    base: i64,
    inheriting: i64,
) -> Returned {
    if is_socket(&cx, fd) {
        return ours(state(&mut cx).sockets.get(fd).map(drop));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_fdstat_set_rights(ctx, &mut memory, numbers.file(fd), base, inheriting))
}

/// `filestat`: of a socket only the type is known.
pub(crate) async fn filestat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if is_socket(&cx, fd) {
        return ours(socket_filestat(&mut cx, fd, out as u32));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_filestat_get(ctx, &mut memory, numbers.file(fd), out).await)
}

fn socket_filestat(cx: &mut Cx<'_>, fd: i32, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    let mut stat = [0; 64];
    stat[16] = file_type(state.sockets.get(fd)?.kind);
    stat[24] = 1;
    memory.write(out, 8, &stat)
}

fn file_type(kind: Kind) -> u8 {
    match kind {
        Kind::Datagram => 5,
        Kind::Stream => 6,
    }
}

/// What the guest was given under `fd`. The C library asks for one number after the other, and stops where
/// there is nothing: listeners say that they are no folder.
pub(crate) async fn prestat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if cx.data().sockets.numbers().is_listener(fd) {
        const NO_FOLDER: u32 = 1;
        let write = |(mut memory, _): (GuestMemory<'_>, _)| {
            memory.write(out as u32, 4, &u64::from(NO_FOLDER).to_le_bytes())
        };
        return ours(parts(&mut cx).and_then(write));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_prestat_get(ctx, &mut memory, numbers.file(fd), out))
}

/// wasmtime-wasi has written the number of a descriptor: it becomes the guest's.
pub(crate) fn opened(cx: &mut Cx<'_>, out: u32) {
    if let Ok((mut memory, state)) = parts(cx)
        && let Ok(fd) = memory.read_u32(out)
    {
        let _ = memory.write_u32(out, state.sockets.numbers().guests(fd));
    }
}
