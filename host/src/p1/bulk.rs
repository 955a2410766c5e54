//! `fd_read`, `fd_write`, `fd_pread` and `fd_pwrite` of any length, in pieces.
//!
//! All buffers of a call are filled or written, as on a POSIX host. If an error occurs in between, the call reports the
//! bytes transferred so far. The host holds at most one piece. Other guests run between two pieces.

use tokio::task::yield_now;
use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::fuel::burn;
use crate::p1::errno::{Errno, Returned, returned};
use crate::p1::files::{Open, is_socket, kind_of};
use crate::p1::frame::Frame;
use crate::p1::memory::{Buffers, GuestMemory, MAX_BUFFERS};
use crate::p1::sockets::transfer;
use crate::p1::state::{Cx, parts, state};
use crate::p1::wasi::unbounded;
use crate::wasi::at_once;

/// The number of bytes moved at once.
const PIECE: usize = 1 << 16;
/// The number of bytes moved on a standard stream before the call yields.
const YIELD_AFTER: usize = 1 << 17;

/// A call of one of the four functions.
#[derive(Clone, Copy, Debug)]
struct Call {
    /// wasmtime-wasi's number of the descriptor.
    fd: i32,
    writes: bool,
    /// The position in the file, or `None` for the file's current position.
    at: Option<i64>,
}

pub(crate) async fn read(mut cx: Cx<'_>, fd: i32, iovs: i32, n: i32, out: i32) -> Returned {
    if is_socket(&cx, fd) {
        return returned(transfer::read(&mut cx, fd, iovs, n, out).await);
    }
    transfer(cx, fd, false, iovs, n, None, out).await
}

pub(crate) async fn write(mut cx: Cx<'_>, fd: i32, iovs: i32, n: i32, out: i32) -> Returned {
    if is_socket(&cx, fd) {
        return returned(transfer::write(&mut cx, fd, iovs, n, out).await);
    }
    transfer(cx, fd, true, iovs, n, None, out).await
}

pub(crate) async fn pread(cx: Cx<'_>, fd: i32, iovs: i32, n: i32, at: i64, out: i32) -> Returned {
    transfer(cx, fd, false, iovs, n, Some(at), out).await
}

pub(crate) async fn pwrite(cx: Cx<'_>, fd: i32, iovs: i32, n: i32, at: i64, out: i32) -> Returned {
    transfer(cx, fd, true, iovs, n, Some(at), out).await
}

async fn transfer(
    mut cx: Cx<'_>,
    fd: i32,
    writes: bool,
    iovs: i32,
    n: i32,
    at: Option<i64>,
    out: i32,
) -> Returned {
    let prepared = parts(&mut cx).and_then(|(memory, state)| {
        memory.range(out as u32, 4, 4)?;
        let call = Call { fd: state.sockets.numbers().file(fd), writes, at };
        Ok((call, buffers(&memory, iovs as u32, n as u32)?, kind_of(&mut state.wasi, call.fd)))
    });
    let moved = match prepared {
        Err(errno) => return returned(Err(errno)),
        Ok((_, _, Open::Other)) => return returned(Err(Errno::BADF)),
        Ok((_, _, Open::Stream)) if at.is_some() => return returned(Err(Errno::SPIPE)),
        Ok((call, buffers, Open::Stream)) => on_stream(&mut cx, call, &buffers).await?,
        Ok((call, buffers, Open::File)) => in_file(&mut cx, call, &buffers).await?,
    };
    match moved {
        Ok(moved) => returned(
            parts(&mut cx).and_then(|(mut memory, _)| memory.write_u32(out as u32, moved as u32)),
        ),
        Err(errno) => Ok(errno),
    }
}

/// Returns the buffers of a call, or the first ones if there are more than the maximum.
fn buffers(memory: &GuestMemory<'_>, iovs: u32, n: u32) -> Result<Buffers, Errno> {
    let buffers = memory.buffers(iovs, n.min(MAX_BUFFERS))?;
    if buffers.is_empty() && n > MAX_BUFFERS {
        return Err(Errno::INVAL);
    }
    // Overlapping buffers may have more bytes than the result, which is 32 bits long.
    let mut room = u32::MAX as usize;
    Ok(buffers
        .into_iter()
        .map(|mut buffer| {
            buffer.len = buffer.len.min(room);
            room -= buffer.len;
            buffer
        })
        .collect())
}

/// Copies between `piece` and the guest's buffers, starting after their first `from` bytes.
fn copy(
    memory: &mut GuestMemory<'_>,
    buffers: &Buffers,
    mut from: usize,
    piece: &mut [u8],
    out: bool,
) {
    let mut piece = piece;
    for buffer in buffers {
        let skip = from.min(buffer.len);
        from -= skip;
        let n = (buffer.len - skip).min(piece.len());
        let here = &mut memory.0[buffer.offset + skip..buffer.offset + skip + n];
        let (now, rest) = std::mem::take(&mut piece).split_at_mut(n);
        if out {
            here.copy_from_slice(now)
        } else {
            now.copy_from_slice(here)
        }
        piece = rest;
    }
}

/// A piece, preceded by the call's parameters: an array of one buffer, and the result.
struct Piece {
    frame: Frame,
    len: usize,
}

impl Piece {
    const RESULT: usize = 8;
    const DATA: usize = 16;

    fn new(len: usize) -> Piece {
        let mut frame = Frame::zeroed(Piece::DATA + len);
        frame.set_u32(0, Piece::DATA as u32);
        frame.set_u32(4, len as u32);
        Piece { frame, len }
    }

    fn data(&mut self) -> &mut [u8] {
        &mut self.frame.bytes()[Piece::DATA..]
    }

    fn moved(&mut self) -> usize {
        (self.frame.u32(Piece::RESULT) as usize).min(self.len)
    }

    /// Makes the part of `call` that begins `done` bytes after its start.
    async fn call(&mut self, ctx: &mut WasiP1Ctx, call: Call, done: usize) -> Returned {
        let (fd, out) = (call.fd, Piece::RESULT as i32);
        let memory = &mut self.frame.memory();
        unbounded(ctx);
        match (call.writes, call.at.map(|at| at.wrapping_add(done as i64))) {
            (false, None) => wasi::fd_read(ctx, memory, fd, 0, 1, out).await,
            (false, Some(at)) => wasi::fd_pread(ctx, memory, fd, 0, 1, at, out).await,
            (true, None) => wasi::fd_write(ctx, memory, fd, 0, 1, out).await,
            (true, Some(at)) => wasi::fd_pwrite(ctx, memory, fd, 0, 1, at, out).await,
        }
    }
}

/// The number of bytes that were moved, or the error if the first byte failed.
type Moved = wasmtime::Result<Result<usize, i32>>;

async fn in_file(cx: &mut Cx<'_>, call: Call, buffers: &Buffers) -> Moved {
    let wanted: usize = buffers.iter().map(|buffer| buffer.len).sum();
    let mut done = 0;
    loop {
        let mut piece = Piece::new((wanted - done).min(PIECE));
        if call.writes
            && let Ok((mut memory, _)) = parts(cx)
        {
            copy(&mut memory, buffers, done, piece.data(), false);
        }
        let called = state(cx).wasi.on_thread(move |ctx| {
            let errno = at_once(piece.call(ctx, call, done)).flatten();
            (errno, piece)
        });
        let (errno, mut piece) = called.await;
        match errno? {
            0 => {}
            _ if done > 0 => return Ok(Ok(done)),
            errno => return Ok(Err(errno)),
        }
        let moved = piece.moved();
        if !call.writes
            && let Ok((mut memory, _)) = parts(cx)
        {
            copy(&mut memory, buffers, done, &mut piece.data()[..moved], true);
        }
        burn(&mut *cx, moved)?;
        done += moved;
        if done == wanted || moved < piece.len {
            return Ok(Ok(done));
        }
    }
}

/// Reads what is available, or writes everything.
async fn on_stream(cx: &mut Cx<'_>, call: Call, buffers: &Buffers) -> Moved {
    let wanted: usize = buffers.iter().map(|buffer| buffer.len).sum();
    let mut done = 0;
    let mut moved_since_yield = 0;
    while done < wanted {
        if moved_since_yield >= YIELD_AFTER {
            yield_now().await;
            moved_since_yield = 0;
        }
        let mut piece = Piece::new((wanted - done).min(PIECE));
        if call.writes
            && let Ok((mut memory, _)) = parts(cx)
        {
            copy(&mut memory, buffers, done, piece.data(), false);
        }
        match piece.call(&mut state(cx).wasi, call, done).await? {
            0 => {}
            _ if done > 0 => break,
            errno => return Ok(Err(errno)),
        }
        let moved = piece.moved();
        burn(&mut *cx, moved)?;
        done += moved;
        moved_since_yield += moved;
        if !call.writes {
            if let Ok((mut memory, _)) = parts(cx) {
                copy(&mut memory, buffers, 0, &mut piece.data()[..moved], true);
            }
            break;
        }
        if moved < piece.len {
            break;
        }
    }
    Ok(Ok(done))
}
