//! The calls on a socket that another type owns: the system's natively, wasio's on WASI.

#[cfg_attr(not(target_os = "wasi"), path = "native.rs")]
#[cfg_attr(target_os = "wasi", path = "wasi.rs")]
mod target;

pub(crate) use target::Socket;
