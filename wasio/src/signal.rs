//! Signals: Ctrl-C.

pub use wasio_runtime::signal::ctrl_c;
