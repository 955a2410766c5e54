//! Options of a command, and the descriptors of a child's pipes.
#![allow(unsafe_code)] // `Command::pre_exec` is an unsafe function.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::process::CommandExt;

use crate::process::{ChildStderr, ChildStdin, ChildStdout, Command};

macro_rules! descriptors {
    ($($name:ident),*) => {$(
        impl $name {
            /// Returns the descriptor in blocking mode.
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
