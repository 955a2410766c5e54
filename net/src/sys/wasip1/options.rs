//! Options of a socket: those of `SOL_SOCKET`, and on `wasio run` also `TCP_NODELAY`.
#![allow(unsafe_code)] // Imports.

use std::io;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::imports::{
    EINVAL, ENOPROTOOPT, ENOSYS, ENOTSUP, SOL_SOCKET, check, error, sock_getsockopt,
    sock_setsockopt,
};
use super::socket::{Socket, unsupported};
use crate::sys::Opt;

const SO_LINGER: u32 = 9;
/// WasmEdge does not have it: `wasio run` knows `IPPROTO_TCP` and its first option.
const IPPROTO_TCP: u32 = 6;
const TCP_NODELAY: u32 = 1;

/// `struct linger` of the kernel.
#[repr(C)]
struct Linger {
    on: i32,
    seconds: i32,
}

impl Socket {
    pub(crate) fn linger(&self) -> io::Result<Option<Duration>> {
        let mut linger = [0; size_of::<Linger>()];
        check(self.get(SOL_SOCKET, SO_LINGER, &mut linger))?;
        let [a, b, c, d, seconds @ ..] = linger;
        let on = u32::from_le_bytes([a, b, c, d]) != 0;
        Ok(on.then(|| Duration::from_secs(u32::from_le_bytes(seconds).into())))
    }

    pub(crate) fn set_linger(&self, linger: Option<Duration>) -> io::Result<()> {
        let mut value = [0; size_of::<Linger>()];
        if let Some(duration) = linger {
            let seconds = i32::try_from(duration.as_secs()).unwrap_or(i32::MAX);
            value[0] = 1;
            value[4..].copy_from_slice(&seconds.to_le_bytes());
        }
        check(self.set(SOL_SOCKET, SO_LINGER, &value))
    }

    /// The times are the host's. They only affect when a lost peer is noticed.
    pub(crate) fn set_keepalive_times(
        &self,
        _: Option<Duration>,
        _: Option<Duration>,
        _: Option<u32>,
    ) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn option(&self, opt: Opt) -> io::Result<u32> {
        let (level, name) = place(opt)?;
        let mut value = [0; 4];
        match self.get(level, name, &mut value) {
            0 => Ok(u32::from_le_bytes(value)),
            errno if is_refusal(errno) && opt == Opt::NoDelay => {
                Ok(self.nodelay.load(Ordering::Relaxed).into())
            }
            errno if is_refusal(errno) => Err(unsupported()),
            errno => Err(error(errno as i32)),
        }
    }

    pub(crate) fn set_option(&self, opt: Opt, value: u32) -> io::Result<()> {
        let (level, name) = place(opt)?;
        // Kernels double the size of a buffer and store it as a signed number.
        let value = value.min(i32::MAX as u32);
        match self.set(level, name, &value.to_le_bytes()) {
            errno if opt == Opt::NoDelay && is_refusal(errno) => {
                self.nodelay.store(value != 0, Ordering::Relaxed);
                Ok(())
            }
            errno => check(errno),
        }
    }

    /// Returns the host's error number.
    pub(super) fn get(&self, level: u32, name: u32, value: &mut [u8]) -> u32 {
        let mut size = value.len() as u32;
        // SAFETY: `size` is the length of `value`, and both live for the call.
        unsafe { sock_getsockopt(self.fd(), level, name, value.as_mut_ptr(), &mut size) }
    }

    /// Returns the host's error number.
    pub(super) fn set(&self, level: u32, name: u32, value: &[u8]) -> u32 {
        // SAFETY: the size is that of `value`, which lives for the call.
        unsafe { sock_setsockopt(self.fd(), level, name, value.as_ptr(), value.len() as u32) }
    }
}

/// Returns the level and name of an option.
fn place(opt: Opt) -> io::Result<(u32, u32)> {
    Ok(match opt {
        Opt::ReuseAddr => (SOL_SOCKET, 0),
        Opt::Broadcast => (SOL_SOCKET, 4),
        Opt::SendBuffer => (SOL_SOCKET, 5),
        Opt::RecvBuffer => (SOL_SOCKET, 6),
        Opt::Keepalive => (SOL_SOCKET, 7),
        Opt::NoDelay => (IPPROTO_TCP, TCP_NODELAY),
        _ => return Err(unsupported()),
    })
}

/// Returns whether the error means that the host does not know the option.
fn is_refusal(errno: u32) -> bool {
    matches!(errno as i32, EINVAL | ENOPROTOOPT | ENOSYS | ENOTSUP)
}
