//! Decides which datagrams reach a guest: all of them on a server's socket, and otherwise those from addresses that the
//! guest may send to.
//!
//! The kernel accepts datagrams from everywhere for a bound socket, and a client's socket is bound as well. The sender of
//! the next datagram is therefore inspected before the guest's memory receives anything, and datagrams from others are
//! dropped. The guest notices them neither in a poll nor in a read.

use std::io;

use socket2::Socket;

use crate::policy::Grants;

/// How many messages are thrown away in one go. Then others have a turn, however many come.
const AT_ONCE: usize = 128;

/// The error of [`admit`] that says so. Receiving has no such error.
pub(super) const MANY: io::ErrorKind = io::ErrorKind::ResourceBusy;

/// Throws away what stands in front of the next message that the guest may get.
///
/// # Errors
///
/// `WouldBlock` when there is none, [`MANY`] when there may be one behind many others; else those of receiving.
pub(super) fn admit(host: &Socket, grants: &Grants) -> io::Result<()> {
    for _ in 0..AT_ONCE {
        let sender = host.peek_sender()?;
        if sender.as_socket().is_some_and(|sender| grants.hears(sender)) {
            return Ok(());
        }
        match host.recv(&mut []) {
            Ok(_) => {}
            // There was no room for the message, which is what was wanted.
            #[cfg(windows)]
            Err(e) if e.raw_os_error() == Some(10040) => {}
            Err(e) => return Err(e),
        }
    }
    Err(MANY.into())
}
