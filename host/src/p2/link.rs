//! What components import: wasmtime-wasi's WASI 0.2, with the functions in its place that must count, bound or wait in
//! another way.
//!
//! Addresses are checked by wasmtime-wasi's own hook (`addresses.rs`). Names it can only permit or deny as a whole, so
//! lookups are ours (`lookups.rs`). Files are wasmtime-wasi's, on threads of ours (`filesystem.rs`).

use wasmtime::component::Linker;

use crate::p2::state::State;
use crate::p2::{counted, filesystem, lookups, paths, polls, random, signals, sockets, streams};

/// Provides everything that a command may import.
pub(crate) fn define(linker: &mut Linker<State>) -> wasmtime::Result<()> {
    wasmtime_wasi::p2::add_to_linker_async(linker)?;
    linker.allow_shadowing(true);
    polls::define(linker)?;
    streams::define(linker)?;
    filesystem::define(linker)?;
    paths::define(linker)?;
    #[cfg(unix)]
    crate::p2::directories::define(linker)?;
    lookups::define(linker)?;
    counted::define(linker)?;
    sockets::define(linker)?;
    signals::define(linker)?;
    random::define(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}
