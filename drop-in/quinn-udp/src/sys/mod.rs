//! The calls on a socket that somebody else owns, per target: natively the system's, on WASI wasio's.

#[cfg(not(target_os = "wasi"))]
mod native;
#[cfg(target_os = "wasi")]
mod wasi;

#[cfg(not(target_os = "wasi"))]
pub(crate) use native::Socket;
#[cfg(target_os = "wasi")]
pub(crate) use wasi::Socket;
