//! The credentials of a peer.

use super::{gid_t, pid_t, uid_t};

/// The credentials of the process that connected a Unix socket, as they were when it did.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let listener = wasio::net::UnixListener::bind("server.sock")?;
/// let (stream, _) = listener.accept().await?;
/// let peer = stream.peer_cred()?;
/// println!("user {}, process {:?}", peer.uid(), peer.pid());
/// # Ok(())
/// # }
/// ```
#[derive(Copy, Clone, Eq, PartialEq, Hash, Debug)]
pub struct UCred {
    pid: Option<pid_t>,
    uid: uid_t,
    gid: gid_t,
}

impl UCred {
    pub(crate) fn new((pid, uid, gid): (Option<pid_t>, uid_t, gid_t)) -> UCred {
        UCred { pid, uid, gid }
    }

    /// Returns the user.
    pub fn uid(&self) -> uid_t {
        self.uid
    }

    /// Returns the group.
    pub fn gid(&self) -> gid_t {
        self.gid
    }

    /// Returns the process, where the system tells.
    pub fn pid(&self) -> Option<pid_t> {
        self.pid
    }
}
