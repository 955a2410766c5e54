//! Signals: Ctrl-C, and natively those of unix.

pub use wasio_runtime::signal::ctrl_c;

#[allow(unused_imports, unreachable_pub)] // Not every target has any.
pub use wasio_runtime::additions::signal::*;
