//! Replaces `libc/mod.rs` where the C library cannot take or give sockets.

use std::io;
use std::os::fd::{OwnedFd, RawFd};

/// The handles of a socket, which the owner of this value owns.
pub(super) struct Handles {
    pub(super) socket: u32,
    /// Input and output, once the socket is connected.
    pub(super) streams: Option<(u32, u32)>,
    /// The requested value: the host has no such option.
    pub(super) nodelay: bool,
}

/// Further properties of a socket that is handed over.
#[allow(dead_code)]
pub(super) struct Kind {
    pub(super) is_v6: bool,
    pub(super) is_bound: bool,
    pub(super) is_listening: bool,
}

pub(super) fn look(_: RawFd) -> Option<Handles> {
    None
}

pub(super) fn take(_: OwnedFd) -> Result<Handles, Option<io::Error>> {
    Err(None)
}

pub(super) fn give(handles: Handles, _: Kind) -> Result<OwnedFd, Handles> {
    Err(handles)
}

/// The same for UDP.
pub(super) mod udp {
    use std::io;
    use std::os::fd::{OwnedFd, RawFd};

    /// The handles of a socket, which the owner of this value owns.
    pub(in super::super) struct Handles {
        pub(in super::super) socket: u32,
        /// Incoming and outgoing messages, once one was sent or waited for.
        pub(in super::super) streams: Option<(u32, u32)>,
    }

    pub(in super::super) fn is_one(_: RawFd) -> bool {
        false
    }

    pub(in super::super) fn look(_: RawFd) -> Option<Handles> {
        None
    }

    pub(in super::super) fn take(_: OwnedFd) -> Result<Handles, Option<io::Error>> {
        Err(None)
    }

    pub(in super::super) fn give(handles: Handles) -> Result<OwnedFd, Handles> {
        Err(handles)
    }

    pub(in super::super) fn put_back(_: RawFd, _: &Handles) {}
}
