//! A folder's entries where only wasmtime-wasi can list them: it reads the whole folder for each piece (`listing.rs`).

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::p1::errno::Errno;
use crate::p1::frame::Frame;
use crate::p1::wasi::unbounded;
use crate::wasi::at_once;

/// Returns `room` bytes of the list from `cookie` on, or fewer if they are the last ones. The last entry may be cut off.
pub(super) fn piece(
    ctx: &mut WasiP1Ctx,
    fd: i32,
    room: u32,
    cookie: i64,
) -> wasmtime::Result<Result<Vec<u8>, Errno>> {
    const DATA: i32 = 8;
    let mut frame = Frame::zeroed(DATA as usize + room as usize);
    let memory = &mut frame.memory();
    unbounded(ctx);
    Ok(match at_once(wasi::fd_readdir(ctx, memory, fd, DATA, room as i32, cookie, 0))?? {
        0 => {
            let used = frame.u32(0).min(room) as usize;
            Ok(frame.bytes()[DATA as usize..][..used].to_vec())
        }
        errno => Err(Errno(errno as u16)),
    })
}
