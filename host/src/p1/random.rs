//! `random_get`, in pieces between which other guests run.

use tokio::task::yield_now;
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;

use crate::fuel::burn;
use crate::p1::errno::{Returned, returned};
use crate::p1::state::{Cx, parts};
use crate::p1::wasi::on_wasi;

/// How many random bytes are made at once. That takes less than a millisecond.
const PIECE: usize = 1 << 17;

pub(crate) async fn random_get(mut cx: Cx<'_>, buf: i32, len: i32) -> Returned {
    let (buf, len) = (buf as u32, len as u32);
    // The bounds are checked before any bytes are made.
    if let Err(errno) = parts(&mut cx).and_then(|(memory, _)| memory.range(buf, len as usize, 1)) {
        return returned(Err(errno));
    }
    let mut done = 0;
    while done < len {
        if done > 0 {
            yield_now().await;
        }
        let n = (len - done).min(PIECE as u32);
        burn(&mut cx, n as usize)?;
        let at = (buf + done) as i32;
        let errno = on_wasi!(cx, ctx, memory, _numbers => wasi::random_get(ctx, &mut memory, at, n as i32))?;
        if errno != 0 {
            return Ok(errno);
        }
        done += n;
    }
    Ok(0)
}
