//! Starting programs, and waiting for them.
//!
//! A [`Command`] wraps std's, and its child is waited for and talked to without blocking. Pipes are registered with the
//! reactor, and `SIGCHLD` reports the end of a child.
//!
//! # On WASI
//!
//! No guest can start a program: as with std's `Command`, [`Command::spawn`], [`Command::status`] and
//! [`Command::output`] fail with [`Unsupported`](std::io::ErrorKind::Unsupported).

mod child;
mod stdio;

use std::ffi::OsStr;
use std::future::Future;
use std::io;
use std::path::Path;
use std::process::{Command as StdCommand, ExitStatus, Output, Stdio};

pub use child::Child;
pub use stdio::{ChildStderr, ChildStdin, ChildStdout};

use crate::sys::Exits;

/// A program to start, with its arguments and environment.
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let output = wasio::process::Command::new("date").arg("+%s").output().await?;
/// assert!(output.status.success());
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Command {
    std: StdCommand,
    kill_on_drop: bool,
}

/// Methods that forward their arguments and return the command.
macro_rules! builder {
    ($($(#[$doc:meta])+ $name:ident$([$($generic:tt)+])?($($arg:ident: $type:ty),*) $([$($bounds:tt)+])?;)*) => {$(
        $(#[$doc])+
        pub fn $name$(<$($generic)+>)?(&mut self, $($arg: $type),*) -> &mut Command $(where $($bounds)+)? {
            self.std.$name($($arg),*);
            self
        }
    )*};
}

impl Command {
    /// Creates a command for `program`, which is searched for on the `PATH` unless it is a path.
    pub fn new<S: AsRef<OsStr>>(program: S) -> Command {
        StdCommand::new(program).into()
    }

    /// Returns the command as std's type.
    pub fn as_std(&self) -> &StdCommand {
        &self.std
    }

    /// Returns the command as std's type, to be changed.
    pub fn as_std_mut(&mut self) -> &mut StdCommand {
        &mut self.std
    }

    /// Returns the command as std's type, without [`kill_on_drop`](Self::kill_on_drop).
    pub fn into_std(self) -> StdCommand {
        self.std
    }

    builder! {
        /// Adds an argument.
        arg[S: AsRef<OsStr>](arg: S);
        /// Adds arguments.
        args[I, S](args: I) [I: IntoIterator<Item = S>, S: AsRef<OsStr>];
        /// Sets an environment variable.
        env[K, V](key: K, val: V) [K: AsRef<OsStr>, V: AsRef<OsStr>];
        /// Sets environment variables.
        envs[I, K, V](vars: I) [I: IntoIterator<Item = (K, V)>, K: AsRef<OsStr>, V: AsRef<OsStr>];
        /// Removes an environment variable.
        env_remove[K: AsRef<OsStr>](key: K);
        /// Removes all environment variables.
        env_clear();
        /// Sets the working directory.
        current_dir[P: AsRef<Path>](dir: P);
        /// Sets the standard input. Inherited by default.
        stdin[T: Into<Stdio>](cfg: T);
        /// Sets the standard output. Inherited by default, piped for [`output`](Self::output).
        stdout[T: Into<Stdio>](cfg: T);
        /// Sets the standard error. Inherited by default, piped for [`output`](Self::output).
        stderr[T: Into<Stdio>](cfg: T);
    }

    /// Sets whether the child is killed when its [`Child`] is dropped before it has exited. It goes on by default.
    pub fn kill_on_drop(&mut self, kill_on_drop: bool) -> &mut Command {
        self.kill_on_drop = kill_on_drop;
        self
    }

    /// Returns whether the child is killed when its [`Child`] is dropped.
    pub fn get_kill_on_drop(&self) -> bool {
        self.kill_on_drop
    }

    /// Starts the program.
    ///
    /// # Errors
    ///
    /// [`NotFound`](io::ErrorKind::NotFound) if there is no such program,
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if it may not be executed, or another error of starting
    /// a process. [`Unsupported`](io::ErrorKind::Unsupported) on WASI.
    ///
    /// # Panics
    ///
    /// Natively panics outside of a runtime, and in one without I/O.
    #[track_caller]
    pub fn spawn(&mut self) -> io::Result<Child> {
        Exits::prepare()?;
        Child::new(self.std.spawn()?, self.kill_on_drop)
    }

    /// Starts the program at once, and waits for its end. Pipes to it are closed.
    ///
    /// # Errors
    ///
    /// The same as for [`spawn`](Self::spawn). The future returns them.
    ///
    /// # Panics
    ///
    /// See [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// The program continues when the future is dropped, unless it is killed ([`kill_on_drop`](Self::kill_on_drop)).
    #[track_caller]
    pub fn status(&mut self) -> impl Future<Output = io::Result<ExitStatus>> + use<> {
        let child = self.spawn();
        async {
            let mut child = child?;
            child.stdin.take();
            child.stdout.take();
            child.stderr.take();
            child.wait().await
        }
    }

    /// Starts the program at once, and collects its output until its end.
    ///
    /// # Errors
    ///
    /// The same as for [`spawn`](Self::spawn). The future returns them.
    ///
    /// # Panics
    ///
    /// See [`spawn`](Self::spawn).
    ///
    /// # Cancel safety
    ///
    /// The program continues when the future is dropped, unless it is killed ([`kill_on_drop`](Self::kill_on_drop)).
    #[track_caller]
    pub fn output(&mut self) -> impl Future<Output = io::Result<Output>> + use<> {
        self.std.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = self.spawn();
        async { child?.wait_with_output().await }
    }
}

impl From<StdCommand> for Command {
    fn from(std: StdCommand) -> Command {
        Command { std, kill_on_drop: false }
    }
}
