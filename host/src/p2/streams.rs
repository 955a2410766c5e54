//! A component's writes to streams: a write larger than any stream permits is refused before anything is copied.
//!
//! wasmtime-wasi would copy all of it before refusing it.

use wasmtime::component::{Linker, Resource, WasmList};
use wasmtime_wasi::WasiView as _;
use wasmtime_wasi::p2::{DynOutputStream, StreamError};
use wasmtime_wasi_io::bindings::wasi::io::streams::{self, Host as _, HostOutputStream as _};

use crate::p2::state::{State, Store};

/// The maximum that any stream permits.
const PERMIT: usize = 1 << 20;
/// The maximum for the functions that wait, as the interface defines it.
const BLOCKING: usize = 4096;

type Outcome<T> = wasmtime::Result<(Result<T, streams::StreamError>,)>;

/// Replaces the functions of `linker` with these.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    let mut streams = linker.instance("wasi:io/streams@0.2.12")?;
    streams.func_wrap(
        "[method]output-stream.check-write",
        |mut store: Store<'_>, (stream,): (Resource<DynOutputStream>,)| {
            let permit = store.data_mut().ctx().table.check_write(stream);
            outcome(&mut store, permit.map(|permit| permit.min(PERMIT as u64)))
        },
    )?;
    streams.func_wrap(
        "[method]output-stream.write",
        |mut store: Store<'_>, (stream, bytes): (Resource<DynOutputStream>, WasmList<u8>)| {
            let bytes = copy(&store, &bytes, PERMIT)?;
            let written = store.data_mut().ctx().table.write(stream, bytes);
            outcome(&mut store, written)
        },
    )?;
    streams.func_wrap_async(
        "[method]output-stream.blocking-write-and-flush",
        |mut store: Store<'_>, (stream, bytes): (Resource<DynOutputStream>, WasmList<u8>)| {
            Box::new(async move {
                let bytes = copy(&store, &bytes, BLOCKING)?;
                let table = store.data_mut().ctx().table;
                let written = table.blocking_write_and_flush(stream, bytes).await;
                outcome(&mut store, written)
            })
        },
    )
}

fn copy(store: &Store<'_>, bytes: &WasmList<u8>, most: usize) -> wasmtime::Result<Vec<u8>> {
    let len = bytes.len();
    if len > most {
        let why = format!("{len} bytes were written to a stream at once: it permits {most}");
        return Err(wasmtime::Error::msg(why));
    }
    Ok(bytes.as_le_slice(store).to_vec())
}

fn outcome<T>(store: &mut Store<'_>, result: Result<T, StreamError>) -> Outcome<T> {
    Ok((match result {
        Ok(value) => Ok(value),
        Err(error) => Err(store.data_mut().ctx().table.convert_stream_error(error)?),
    },))
}
