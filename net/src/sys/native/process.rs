//! Processes natively: pipes, and `SIGCHLD`.

use std::io;
use std::os::fd::OwnedFd;
use std::process::Stdio;

use wasio_runtime::signal::unix::{Signal, SignalKind, signal};

use super::pipe::{Receiver, Sender};

pub(crate) type ChildReader = Receiver;
pub(crate) type ChildWriter = Sender;

macro_rules! ends {
    ($($end:ident),*) => {$(
        impl $end {
            pub(crate) fn adopt(end: impl Into<OwnedFd>) -> io::Result<$end> {
                $end::from_owned_fd(end.into())
            }

            pub(crate) fn into_stdio(self) -> io::Result<Stdio> {
                self.into_blocking_fd().map(Stdio::from)
            }
        }
    )*};
}

ends!(Receiver, Sender);

/// Reports that a child of this process exited, whichever it is.
pub(crate) struct Exits(Signal);

impl Exits {
    /// Begins to listen for exits.
    #[track_caller]
    pub(crate) fn new() -> io::Result<Exits> {
        signal(SignalKind::child()).map(Exits)
    }

    /// Called before a child is started. Panics if the runtime could not wait for it.
    #[track_caller]
    pub(crate) fn prepare() -> io::Result<()> {
        Exits::new().map(drop)
    }

    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}
