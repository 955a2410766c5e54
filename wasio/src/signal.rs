//! Signals: Ctrl-C, and natively those of unix.

pub use wasio_runtime::signal::ctrl_c;

/// The signals of unix, natively.
#[cfg(unix)]
pub mod unix {
    pub use wasio_runtime::signal::unix::{Signal, SignalKind, signal};
}
