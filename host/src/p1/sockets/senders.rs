//! Filters the datagrams that reach a guest: a server's socket receives all of them, any other socket those from
//! addresses that the guest may send to.
//!
//! The kernel accepts datagrams from everywhere for a bound socket, and a client's socket is bound as well. The sender
//! of the next datagram is therefore inspected before the guest's memory receives anything, and datagrams from others
//! are dropped. The guest notices them neither in a poll nor in a read.

use std::io;

use socket2::Socket;

use crate::policy::Grants;

/// How many datagrams are dropped at once. Other tasks run afterwards, however many arrive.
const MAX_DROPPED: usize = 128;

/// The error of [`admit`] when it has dropped that many. Receiving has no such error.
pub(super) const MORE_TO_DROP: io::ErrorKind = io::ErrorKind::ResourceBusy;

/// Drops the datagrams in front of the next one that may reach the guest.
///
/// # Errors
///
/// `WouldBlock` if there is none, [`MORE_TO_DROP`] if there may be one behind many others, or an error of receiving.
pub(super) fn admit(host: &Socket, grants: &Grants) -> io::Result<()> {
    for _ in 0..MAX_DROPPED {
        let sender = host.peek_sender()?;
        if sender.as_socket().is_some_and(|sender| grants.admits(sender)) {
            return Ok(());
        }
        match host.recv(&mut []) {
            Ok(_) => {}
            // The datagram did not fit into the empty buffer, as intended.
            #[cfg(windows)]
            Err(e) if e.raw_os_error() == Some(10040) => {}
            Err(e) => return Err(e),
        }
    }
    Err(MORE_TO_DROP.into())
}
