//! Runs WASI guests on wasmtime.
