//! Processes natively: pipes of unix, `SIGCHLD`, and what only unix has.
#![allow(unsafe_code)] // `Command::pre_exec` is an unsafe function.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;
use std::process::Stdio;

use wasio_runtime::signal::unix::{Signal, SignalKind, signal};

use crate::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use crate::unix::pipe::{Receiver, Sender};

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

macro_rules! descriptors {
    ($($name:ident),*) => {$(
        impl $name {
            /// Gives the descriptor away, made blocking.
            ///
            /// # Errors
            ///
            /// An error of making the descriptor blocking (`fcntl`).
            pub fn into_owned_fd(self) -> io::Result<OwnedFd> {
                self.0.into_blocking_fd()
            }
        }

        impl AsRawFd for $name {
            fn as_raw_fd(&self) -> RawFd {
                self.0.as_raw_fd()
            }
        }

        impl AsFd for $name {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.0.as_fd()
            }
        }
    )*};
}

descriptors!(ChildStdin, ChildStdout, ChildStderr);

/// Tells when a child of this process exited, whichever that is.
pub(crate) struct Exits(Signal);

impl Exits {
    /// Hears of exits from now on.
    #[track_caller]
    pub(crate) fn new() -> io::Result<Exits> {
        signal(SignalKind::child()).map(Exits)
    }

    /// Before a child is started: panics where one could not be waited for.
    #[track_caller]
    pub(crate) fn prepare() -> io::Result<()> {
        Exits::new().map(drop)
    }

    pub(crate) async fn next(&mut self) {
        self.0.recv().await;
    }
}

impl Command {
    /// Sets the child's user.
    pub fn uid(&mut self, id: u32) -> &mut Command {
        self.as_std_mut().uid(id);
        self
    }

    /// Sets the child's group.
    pub fn gid(&mut self, id: u32) -> &mut Command {
        self.as_std_mut().gid(id);
        self
    }

    /// Sets the name by which the program is called.
    pub fn arg0<S>(&mut self, arg: S) -> &mut Command
    where
        S: AsRef<OsStr>,
    {
        self.as_std_mut().arg0(arg);
        self
    }

    /// Runs `f` in the child before the program starts.
    ///
    /// # Safety
    ///
    /// See std's [`pre_exec`](CommandExt::pre_exec).
    pub unsafe fn pre_exec<F>(&mut self, f: F) -> &mut Command
    where
        F: FnMut() -> io::Result<()> + Send + Sync + 'static,
    {
        // SAFETY: promised by the caller.
        unsafe { self.as_std_mut().pre_exec(f) };
        self
    }

    /// Sets the child's process group; 0 is a new one.
    pub fn process_group(&mut self, pgroup: i32) -> &mut Command {
        self.as_std_mut().process_group(pgroup);
        self
    }
}
