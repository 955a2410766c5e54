//! `SO_BINDTODEVICE`, which rustix does not have.
#![allow(unsafe_code)] // `getsockopt` and `setsockopt`.

use std::io;
use std::os::fd::AsRawFd;

use super::socket::Socket;

/// The longest name of an interface, including its terminating zero.
const IFNAMSIZ: usize = 16;

fn check(result: libc::c_int) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

impl Socket {
    pub(crate) fn device(&self) -> io::Result<Option<Vec<u8>>> {
        let mut name = [0u8; IFNAMSIZ];
        let mut len = name.len() as libc::socklen_t;
        // SAFETY: `len` is the length of `name`, and both live for the call.
        check(unsafe {
            libc::getsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_BINDTODEVICE,
                name.as_mut_ptr().cast(),
                &mut len,
            )
        })?;
        let name = name[..(len as usize).min(IFNAMSIZ)].split(|b| *b == 0).next();
        Ok(name.filter(|name| !name.is_empty()).map(<[u8]>::to_vec))
    }

    pub(crate) fn bind_device(&self, interface: Option<&[u8]>) -> io::Result<()> {
        let name = interface.unwrap_or_default();
        // SAFETY: the length is that of `name`, which lives for the call.
        check(unsafe {
            libc::setsockopt(
                self.0.as_raw_fd(),
                libc::SOL_SOCKET,
                libc::SO_BINDTODEVICE,
                name.as_ptr().cast(),
                name.len() as libc::socklen_t,
            )
        })
    }
}
