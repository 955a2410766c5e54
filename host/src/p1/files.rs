//! The imports that take any descriptor. Those of sockets are served here, all others by wasmtime-wasi, on a thread for
//! files if they may block.

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::p1::errno::{Errno, Returned, returned};
use crate::p1::frame::{Filling, Frame};
use crate::p1::memory::GuestMemory;
use crate::p1::pollable;
use crate::p1::sockets::socket::Kind;
use crate::p1::state::{Cx, NONBLOCK, parts, state};
use crate::p1::wasi::{on_wasi, unbounded};
use crate::signals::Mask;
use crate::wasi::at_once;

const NO_MEMORY: &str = "the guest exports no memory named `memory`";

pub(crate) fn is_socket(cx: &Cx<'_>, fd: i32) -> bool {
    cx.data().sockets.numbers().is_socket(fd)
}

/// The kinds of wasmtime-wasi's descriptors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Open {
    File,
    /// A standard stream.
    Stream,
    /// A folder, or nothing.
    Other,
}

/// Returns the kind of `fd`, which is wasmtime-wasi's number.
pub(crate) fn kind_of(ctx: &mut WasiP1Ctx, fd: i32) -> Open {
    let mut frame = Frame::zeroed(8);
    match wasi::fd_tell(ctx, &mut frame.memory(), fd, 0) {
        Ok(0) => Open::File,
        Ok(errno) if errno == i32::from(Errno::SPIPE.0) => Open::Stream,
        _ => Open::Other,
    }
}

/// Calls one of wasmtime-wasi's functions on a thread for files. `fill` makes its parameters.
pub(crate) async fn call<A: Send + 'static>(
    cx: &mut Cx<'_>,
    fill: impl FnOnce(&mut Filling<'_>) -> Result<A, Errno>,
    work: impl FnOnce(&mut WasiP1Ctx, &mut wiggle::GuestMemory<'_>, A) -> Returned + Send + 'static,
) -> Returned {
    let (params, mut frame) = match filled(cx, fill)? {
        Ok(filled) => filled,
        Err(errno) => return returned(Err(errno)),
    };
    let called = state(cx).wasi.on_thread(move |ctx| {
        unbounded(ctx);
        let errno = work(ctx, &mut frame.memory(), params);
        (errno, frame)
    });
    let (errno, frame) = called.await;
    match errno? {
        0 => returned(parts(cx).and_then(|(mut memory, _)| frame.give(&mut memory))),
        errno => Ok(errno),
    }
}

/// Fills a frame with a call's parameters.
pub(crate) fn filled<A>(
    cx: &mut Cx<'_>,
    fill: impl FnOnce(&mut Filling<'_>) -> Result<A, Errno>,
) -> wasmtime::Result<Result<(A, Frame), Errno>> {
    let (memory, state) = parts(cx).map_err(|_| wasmtime::Error::msg(NO_MEMORY))?;
    let mut filling = Filling::new(memory, state.sockets.numbers());
    Ok(fill(&mut filling).map(|params| (params, filling.done())))
}

/// Closes a descriptor. A file is closed on a thread, because closing a deleted file may take long.
pub(crate) async fn close(mut cx: Cx<'_>, fd: i32) -> Returned {
    if is_socket(&cx, fd) {
        return returned(state(&mut cx).sockets.remove(fd).map(drop));
    }
    let closed = if is_file(&mut cx, fd) {
        call(
            &mut cx,
            |frame| frame.fd(fd),
            |ctx, memory, fd| at_once(wasi::fd_close(ctx, memory, fd))?,
        )
        .await
    } else {
        on_wasi!(cx, ctx, memory, numbers => wasi::fd_close(ctx, &mut memory, numbers.file(fd)).await)
    };
    note_closed(&mut cx, fd, &closed);
    closed
}

/// Releases the permit of `fd` if it was closed.
fn note_closed(cx: &mut Cx<'_>, fd: i32, closed: &Returned) {
    let is_stream = (0..3).contains(&fd);
    if matches!(closed, Ok(0)) && !is_stream {
        state(cx).wasi.closed();
    }
}

fn is_file(cx: &mut Cx<'_>, fd: i32) -> bool {
    let state = state(cx);
    let fd = state.sockets.numbers().file(fd);
    kind_of(&mut state.wasi, fd) == Open::File
}

pub(crate) async fn renumber(mut cx: Cx<'_>, from: i32, to: i32) -> Returned {
    match (is_socket(&cx, from), is_socket(&cx, to)) {
        (true, true) => returned(state(&mut cx).sockets.renumber(from, to)),
        (false, false) => {
            // The call closes the previous `to`.
            let closed = if is_file(&mut cx, to) {
                call(
                    &mut cx,
                    |frame| Ok((frame.fd(from)?, frame.fd(to)?)),
                    |ctx, memory, (from, to)| at_once(wasi::fd_renumber(ctx, memory, from, to))?,
                )
                .await
            } else {
                on_wasi!(cx, ctx, memory, numbers => wasi::fd_renumber(ctx, &mut memory, numbers.file(from), numbers.file(to)).await)
            };
            if from != to {
                note_closed(&mut cx, to, &closed);
            }
            closed
        }
        // A file cannot take a socket's number, nor a socket a file's.
        _ => returned(Err(Errno::NOTSUP)),
    }
}

/// Runs on a thread only if the file's length is needed.
pub(crate) async fn seek(mut cx: Cx<'_>, fd: i32, offset: i64, whence: i32, out: i32) -> Returned {
    const END: i32 = 2;
    if whence == END {
        return call(
            &mut cx,
            |frame| Ok((frame.fd(fd)?, frame.out8(out)?)),
            move |ctx, memory, (fd, out)| {
                at_once(wasi::fd_seek(ctx, memory, fd, offset, whence, out))?
            },
        )
        .await;
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_seek(ctx, &mut memory, numbers.file(fd), offset, whence, out).await)
}

/// `fdstat`: file type, flags, rights.
pub(crate) async fn fdstat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if let Some(mask) = pollable::signals(fd) {
        return returned(signals_fdstat(&mut cx, mask, out as u32));
    }
    if pollable::is_queue(fd) {
        let write = |(mut memory, _): (GuestMemory<'_>, _)| {
            memory.write(out as u32, 8, &pollable::fdstat())
        };
        return returned(parts(&mut cx).and_then(write));
    }
    if is_socket(&cx, fd) {
        return returned(socket_fdstat(&mut cx, fd, out as u32));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_fdstat_get(ctx, &mut memory, numbers.file(fd), out).await)
}

/// Subscribes the guest to these signals, from now on. Earlier ones are discarded.
fn signals_fdstat(cx: &mut Cx<'_>, mask: Mask, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    memory.write(out, 8, &pollable::fdstat())?;
    state.signals.subscribe(mask);
    state.signals.refresh();
    state.signals.acknowledge(mask);
    Ok(())
}

fn socket_fdstat(cx: &mut Cx<'_>, fd: i32, out: u32) -> Result<(), Errno> {
    let (mut memory, state) = parts(cx)?;
    let socket = state.sockets.get(fd)?;
    let mut stat = [0; 24];
    stat[0] = file_type(socket.kind);
    let flags = if socket.nonblocking { NONBLOCK } else { 0 };
    stat[2..4].copy_from_slice(&flags.to_le_bytes());
    // All rights.
    let rights = (1u64 << 30) - 1;
    stat[8..16].copy_from_slice(&rights.to_le_bytes());
    stat[16..24].copy_from_slice(&rights.to_le_bytes());
    memory.write(out, 8, &stat)
}

pub(crate) async fn fdstat_set_flags(mut cx: Cx<'_>, fd: i32, flags: i32) -> Returned {
    if is_socket(&cx, fd) {
        // Of the five flags only this one applies to a socket.
        let nonblocking = flags & i32::from(NONBLOCK) != 0;
        return returned(state(&mut cx).sockets.get_mut(fd).map(|s| s.nonblocking = nonblocking));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_fdstat_set_flags(ctx, &mut memory, numbers.file(fd), flags))
}

/// Rights are obsolete. The call succeeds on sockets and is refused by wasmtime-wasi.
pub(crate) async fn fdstat_set_rights(
    mut cx: Cx<'_>,
    fd: i32,
    base: i64,
    inheriting: i64,
) -> Returned {
    if is_socket(&cx, fd) {
        return returned(state(&mut cx).sockets.get(fd).map(drop));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_fdstat_set_rights(ctx, &mut memory, numbers.file(fd), base, inheriting))
}

/// `filestat`: only the type of a socket is known.
pub(crate) async fn filestat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if is_socket(&cx, fd) {
        return returned(socket_filestat(&mut cx, fd, out as u32));
    }
    call(
        &mut cx,
        |frame| Ok((frame.fd(fd)?, frame.out64(out)?)),
        |ctx, memory, (fd, out)| at_once(wasi::fd_filestat_get(ctx, memory, fd, out))?,
    )
    .await
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

/// Returns the folder that was granted as `fd`. The C library asks for one number after the other, and stops at the
/// first that does not exist. Listeners therefore answer that they are not a folder.
pub(crate) async fn prestat_get(mut cx: Cx<'_>, fd: i32, out: i32) -> Returned {
    if cx.data().sockets.numbers().is_listener(fd) {
        const NO_FOLDER: u32 = 1;
        let write = |(mut memory, _): (GuestMemory<'_>, _)| {
            memory.write(out as u32, 4, &u64::from(NO_FOLDER).to_le_bytes())
        };
        return returned(parts(&mut cx).and_then(write));
    }
    on_wasi!(cx, ctx, memory, numbers => wasi::fd_prestat_get(ctx, &mut memory, numbers.file(fd), out))
}
