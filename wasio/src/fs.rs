//! Files and directories.
//!
//! Natively each operation runs in a thread of its own, so that it does not hold up the tasks.
//!
//! # On WASI
//!
//! There are no threads: each operation blocks the guest until the host has done it. A guest sees only the
//! directories that the host gives it.

pub use wasio_runtime::fs::*;
