//! Work whose length a guest chooses. It is done in pieces, between which other guests run, and burns fuel.

use tokio::task::yield_now;
use wasmtime::{AsContextMut, Trap};
use wasmtime_wasi::p1::wasi_snapshot_preview1 as wasi;
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::random::{WasiRandomCtx, WasiRandomView as _};

use crate::p1::files::{Returned, ours};
use crate::p1::link::on_wasi;
use crate::state::{Cx, State, parts};

/// How many random bytes are made at once: they take less than a millisecond.
const PIECE: usize = 1 << 17;
/// The most that a component may ask for at once, as in wasmtime.
const MAX_RANDOM: u64 = 64 << 20;

/// Burns a unit of fuel for each byte that is moved or made for the guest, as `memory.copy` does.
///
/// # Errors
///
/// Ends the guest when it has too little.
pub(crate) fn burn(mut store: impl AsContextMut, bytes: usize) -> wasmtime::Result<()> {
    let mut store = store.as_context_mut();
    // Without an error, the engine counts.
    let Ok(fuel) = store.get_fuel() else { return Ok(()) };
    let left = fuel.checked_sub(bytes as u64);
    store.set_fuel(left.unwrap_or(0))?;
    left.map(drop).ok_or_else(|| Trap::OutOfFuel.into())
}

pub(crate) async fn random_get(mut cx: Cx<'_>, buf: i32, len: i32) -> Returned {
    let (buf, len) = (buf as u32, len as u32);
    // Nothing is made for a buffer that is not there.
    if let Err(errno) = parts(&mut cx).and_then(|(memory, _)| memory.range(buf, len as usize, 1)) {
        return ours(Err(errno));
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

/// The same for components.
pub(crate) fn define(linker: &mut wasmtime::component::Linker<State>) -> wasmtime::Result<()> {
    let mut secure = linker.instance("wasi:random/random@0.2.12")?;
    secure.func_wrap_async("get-random-bytes", |store, (len,): (u64,)| {
        Box::new(random_bytes(store, len, random::Host::get_random_bytes))
    })?;
    let mut insecure = linker.instance("wasi:random/insecure@0.2.12")?;
    insecure.func_wrap_async("get-insecure-random-bytes", |store, (len,): (u64,)| {
        Box::new(random_bytes(store, len, |random, n| {
            insecure::Host::get_insecure_random_bytes(random, n)
        }))
    })
}

/// The host keeps them until they are all there, which counts as memory of the guest.
async fn random_bytes(
    mut store: wasmtime::StoreContextMut<'_, State>,
    len: u64,
    make: impl Fn(&mut WasiRandomCtx, u64) -> wasmtime::Result<Vec<u8>>,
) -> wasmtime::Result<(Vec<u8>,)> {
    let room = (store.data().limits.room() as u64).min(MAX_RANDOM);
    if len > room {
        let why = format!("{len} random bytes at once: at most {room} are possible here");
        return Err(wasmtime::Error::msg(why));
    }
    let mut bytes = Vec::new();
    let mut left = len;
    while left > 0 {
        if left < len {
            yield_now().await;
        }
        let n = left.min(PIECE as u64);
        burn(&mut store, n as usize)?;
        bytes.extend_from_slice(&make(store.data_mut().wasi.random(), n)?);
        left -= n;
    }
    Ok((bytes,))
}
