//! The imports of components: wasmtime-wasi's WASI 0.2. Functions that must count, bound or wait differently are
//! replaced.
//!
//! Addresses are checked by wasmtime-wasi's own hook (`addresses.rs`). It can only permit or deny all names, so lookups
//! are implemented here (`lookups.rs`). Files are wasmtime-wasi's, on this crate's threads (`filesystem.rs`).

use wasmtime::component::Linker;

use crate::p2::state::State;
use crate::p2::{
    filesystem, lookups, paths, polls, random, signals, socket_stats, sockets, streams,
};

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
    socket_stats::define(linker)?;
    sockets::define(linker)?;
    signals::define(linker)?;
    random::define(linker)?;
    linker.allow_shadowing(false);
    Ok(())
}
