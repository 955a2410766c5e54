//! The imports that take any descriptor: a socket's go to us, all others to
//! wasmtime-wasi.

use wasmtime::AsContextMut;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::errno::Errno;
use crate::link::on_wasi;
use crate::sockets::socket::Kind;
use crate::sockets::table::is_socket;
use crate::sockets::transfer;
use crate::state::{Cx, NONBLOCK, parts, state};

type Returned = wasmtime::Result<i32>;

fn ours(result: Result<(), Errno>) -> Returned {
    Ok(result.map_or_else(|e| i32::from(e.0), |()| 0))
}

pub(crate) async fn read(mut cx: Cx<'_>, fd: i32, iovs: i32, n: i32, out: i32) -> Returned {
    if is_socket(fd) {
        return ours(transfer::read(&mut cx, fd, iovs, n, out).await);
    }
    on_wasi!(cx, ctx, memory => wasi::fd_read(ctx, &mut memory, fd, iovs, n, out).await)
}

pub(crate) async fn write(mut cx: Cx<'_>, fd: i32, iovs: i32, n: i32, out: i32) -> Returned {
    if is_socket(fd) {
        return ours(transfer::write(&mut cx, fd, iovs, n, out).await);
    }
    on_wasi!(cx, ctx, memory => wasi::fd_write(ctx, &mut memory, fd, iovs, n, out).await)
}

pub(crate) async fn close(mut cx: Cx<'_>, fd: i32) -> Returned {
    if is_socket(fd) {
        return ours(state(&mut cx).sockets.remove(fd).map(drop));
    }
    on_wasi!(cx, ctx, memory => wasi::fd_close(ctx, &mut memory, fd).await)
}

pub(crate) async fn renumber(mut cx: Cx<'_>, from: i32, to: i32) -> Returned {
    match (is_socket(from), is_socket(to)) {
        (true, true) => ours(state(&mut cx).sockets.renumber(from, to)),
        (false, false) => {
            on_wasi!(cx, ctx, memory => wasi::fd_renumber(ctx, &mut memory, from, to).await)
        }
        // A file cannot take a socket's number, nor the reverse.
        _ => ours(Err(Errno::NOTSUP)),
    }
}

/// `fdstat`: file type, flags, rights.
pub(crate) async fn fdstat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if is_socket(fd) {
        return ours(socket_fdstat(&mut cx, fd, out as u32));
    }
    on_wasi!(cx, ctx, memory => wasi::fd_fdstat_get(ctx, &mut memory, fd, out).await)
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
    if is_socket(fd) {
        // Of the five flags only this one means anything to a socket.
        let nonblocking = flags & i32::from(NONBLOCK) != 0;
        return ours(state(&mut cx).sockets.get_mut(fd).map(|s| s.nonblocking = nonblocking));
    }
    on_wasi!(cx, ctx, memory => wasi::fd_fdstat_set_flags(ctx, &mut memory, fd, flags))
}

/// Rights are history: accepted on sockets, refused by wasmtime-wasi.
pub(crate) async fn fdstat_set_rights(
    mut cx: Cx<'_>,
    fd: i32,
    base: i64,
    inheriting: i64,
) -> Returned {
    if is_socket(fd) {
        return ours(state(&mut cx).sockets.get(fd).map(drop));
    }
    on_wasi!(cx, ctx, memory => wasi::fd_fdstat_set_rights(ctx, &mut memory, fd, base, inheriting))
}

/// `filestat`: of a socket only the type is known.
pub(crate) async fn filestat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if is_socket(fd) {
        return ours(socket_filestat(&mut cx, fd, out as u32));
    }
    on_wasi!(cx, ctx, memory => wasi::fd_filestat_get(ctx, &mut memory, fd, out).await)
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
