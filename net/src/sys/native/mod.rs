//! The native backend: the system's sockets, through rustix.
//!
//! For development; it follows what the OS does and adds nothing.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod device;
mod pipe;
mod process;
mod socket;
mod unix;

/// The public items that only this target has.
pub(crate) mod os {}

pub(crate) use pipe::{End, Pipe};
pub(crate) use process::{ChildReader, ChildWriter, Exits};
pub(crate) use socket::{Socket, lookup};
pub(crate) use unix::{UnixAddr, unix_addr};
