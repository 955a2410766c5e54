//! `path_open`, `path_readlink` and `fd_readdir`, which need more than a call on another thread.

use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::fuel::burn;
use crate::opening;
use crate::p1::errno::{Errno, Returned, returned};
use crate::p1::files::{call, filled};
use crate::p1::listing::piece;
use crate::p1::state::{Cx, parts, state};
use crate::p1::wasi::unbounded;
use crate::wasi::at_once;

/// An upper bound on the length of a link's target, on any host.
const MAX_LINK: u32 = 1 << 16;
/// The number of bytes of a folder that are listed at once.
const PIECE: u32 = 1 << 18;
/// The offset of the file type in a `filestat`, and its value for a FIFO: that type has no number.
const FILE_TYPE: usize = 16;
const FIFO: u8 = 0;
/// The size of the header before an entry's name.
const ENTRY: usize = 24;

/// Does not open FIFOs: opening one would wait for its other end, and wasmtime-wasi could neither read nor write it. A
/// FIFO may still appear after the check: see `opening.rs`.
#[expect(clippy::too_many_arguments, reason = "the import's own parameters")]
pub(crate) async fn open(
    mut cx: Cx<'_>,
    fd: i32,
    dirflags: i32,
    path: i32,
    len: i32,
    oflags: i32,
    base: i64,
    inheriting: i64,
    fdflags: i32,
    out: i32,
) -> Returned {
    let params = filled(&mut cx, |frame| {
        Ok((
            frame.fd(fd)?,
            frame.text(path)?,
            frame.size(len)?,
            frame.out4(out)?,
            frame.out64_here(),
        ))
    });
    let ((fd, path, len, result, stat), mut frame) = match params? {
        Ok(filled) => filled,
        Err(errno) => return returned(Err(errno)),
    };
    let Some(permit) = state(&mut cx).wasi.permit() else { return returned(Err(Errno::MFILE)) };
    let called = state(&mut cx).wasi.on_thread(move |ctx| {
        unbounded(ctx);
        let attempt = || {
            let memory = &mut frame.memory();
            let found =
                at_once(wasi::path_filestat_get(ctx, memory, fd, dirflags, path, len, stat));
            if matches!(found.flatten(), Ok(0)) && frame.bytes()[stat as usize + FILE_TYPE] == FIFO
            {
                return Ok(i32::from(Errno::NOTSUP.0));
            }
            let memory = &mut frame.memory();
            let opened = at_once(wasi::path_open(
                ctx, memory, fd, dirflags, path, len, oflags, base, inheriting, fdflags, result,
            ));
            opened.flatten()
        };
        let errno = opening::retried(attempt, |errno| {
            errno.as_ref().is_ok_and(|errno| *errno == i32::from(Errno::INTR.0))
        });
        (errno, frame)
    });
    let (errno, mut frame) = called.await;
    match errno? {
        0 => returned(parts(&mut cx).and_then(|(mut memory, state)| {
            state.wasi.keep(permit);
            // Converted to the guest's number.
            let opened = frame.u32(result as usize);
            memory.write_u32(out as u32, state.sockets.numbers().guests(opened))
        })),
        errno => Ok(errno),
    }
}

pub(crate) async fn readlink(
    mut cx: Cx<'_>,
    fd: i32,
    path: i32,
    len: i32,
    buf: i32,
    buf_len: i32,
    out: i32,
) -> Returned {
    let room = (buf_len as u32).min(MAX_LINK);
    call(
        &mut cx,
        |frame| {
            let (fd, path, len) = (frame.fd(fd)?, frame.text(path)?, frame.size(len)?);
            Ok((fd, path, len, frame.out(buf, room, 1)?, frame.out4(out)?))
        },
        move |ctx, memory, (fd, path, len, buf, out)| {
            at_once(wasi::path_readlink(ctx, memory, fd, path, len, buf, room as i32, out))?
        },
    )
    .await
}

/// Fills the whole buffer, however large it is, because a full buffer tells the guest that there is more.
pub(crate) async fn readdir(
    mut cx: Cx<'_>,
    fd: i32,
    buf: i32,
    len: i32,
    cookie: i64,
    out: i32,
) -> Returned {
    let (buf, len, out) = (buf as u32, len as u32, out as u32);
    let checked = parts(&mut cx).and_then(|(memory, state)| {
        memory.range(out, 4, 4)?;
        memory.range(buf, len as usize, 1)?;
        Ok(state.sockets.numbers().file(fd))
    });
    let fd = match checked {
        Ok(fd) => fd,
        Err(errno) => return returned(Err(errno)),
    };
    let (mut done, mut cookie) = (0, cookie);
    loop {
        let room = (len - done).min(PIECE);
        let listed = state(&mut cx).wasi.on_thread(move |ctx| piece(ctx, fd, room, cookie)).await;
        let listed = match listed? {
            Ok(listed) => listed,
            Err(errno) => return returned(Err(errno)),
        };
        burn(&mut cx, listed.len())?;
        let is_end = listed.len() < room as usize || done + room == len;
        let (whole, next) = if is_end { (listed.len(), cookie) } else { entries(&listed, cookie) };
        let given = parts(&mut cx).and_then(|(mut memory, _)| {
            memory.write(buf + done, 1, &listed[..whole])?;
            done += whole as u32;
            memory.write_u32(out, done)
        });
        if given.is_err() || is_end || whole == 0 {
            return returned(given);
        }
        cookie = next;
    }
}

/// Returns how many bytes of a list are whole entries, and the cookie of the entry after them.
fn entries(list: &[u8], cookie: i64) -> (usize, i64) {
    let (mut at, mut next) = (0, cookie);
    while let Some(entry) = list[at..].first_chunk::<ENTRY>() {
        let name = u32::from_le_bytes([entry[16], entry[17], entry[18], entry[19]]) as usize;
        let end = at + ENTRY + name;
        if end > list.len() {
            break;
        }
        next = i64::from_le_bytes(*entry.first_chunk().unwrap_or(&[0; 8]));
        at = end;
    }
    (at, next)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_that_are_cut_off_are_left_for_the_next_time() {
        let mut list = Vec::new();
        for (next, name) in [(1i64, "."), (2, ".."), (3, "name")] {
            list.extend_from_slice(&next.to_le_bytes());
            list.extend_from_slice(&[0; 8]);
            list.extend_from_slice(&(name.len() as u32).to_le_bytes());
            list.extend_from_slice(&[0; 4]);
            list.extend_from_slice(name.as_bytes());
        }
        for (len, whole) in [(0, (0, 7)), (24, (0, 7)), (25, (25, 1)), (78, (51, 2)), (79, (79, 3))]
        {
            assert_eq!(entries(&list[..len], 7), whole, "{len}");
        }
    }
}
