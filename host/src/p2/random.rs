//! `wasi:random`, in pieces between which other guests run.

use tokio::task::yield_now;
use wasmtime::component::Linker;
use wasmtime_wasi::p2::bindings::random::{insecure, random};
use wasmtime_wasi::random::{WasiRandomCtx, WasiRandomView as _};

use crate::fuel::burn;
use crate::p2::state::{State, Store};

/// How many random bytes are made at once. That takes less than a millisecond.
const PIECE: usize = 1 << 17;
/// The maximum number of bytes in one call, the same as in wasmtime.
const MAX_RANDOM: u64 = 64 << 20;

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
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

/// The host buffers all of the bytes, which counts as memory of the guest.
async fn random_bytes(
    mut store: Store<'_>,
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
