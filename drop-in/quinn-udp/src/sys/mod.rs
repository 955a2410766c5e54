//! The calls on a socket that somebody else owns, per target: natively the system's, on WASI wasio's.

#[cfg_attr(not(target_os = "wasi"), path = "native.rs")]
#[cfg_attr(target_os = "wasi", path = "wasi.rs")]
mod target;

pub(crate) use target::Socket;
