//! A child process.

use std::io;
use std::process::{ExitStatus, Output};
use std::sync::{Mutex, PoisonError};

use wasio_runtime::io::{AsyncRead, AsyncReadExt};

use super::{ChildStderr, ChildStdin, ChildStdout};
use crate::sys::Exits;

/// Children that were dropped before they had exited. The system keeps each of them until its status is read, which is
/// done whenever another child is started, waited for or dropped.
static DROPPED: Mutex<Vec<std::process::Child>> = Mutex::new(Vec::new());

fn reap() {
    let mut dropped = DROPPED.lock().unwrap_or_else(PoisonError::into_inner);
    dropped.retain_mut(|child| matches!(child.try_wait(), Ok(None)));
}

#[derive(Debug)]
enum State {
    Running(Option<std::process::Child>),
    Exited(ExitStatus),
}

/// A running or finished child process.
///
/// When it is dropped, the program continues, unless the command set [`kill_on_drop`](super::Command::kill_on_drop).
///
/// # Examples
///
/// ```no_run
/// use std::process::Stdio;
/// use wasio::process::Command;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let child = Command::new("echo").arg("hello").stdout(Stdio::piped()).spawn()?;
/// let output = child.wait_with_output().await?;
/// assert_eq!(output.stdout, b"hello\n");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Debug)]
pub struct Child {
    state: State,
    kill_on_drop: bool,
    /// The writing end of its standard input, if that is piped.
    pub stdin: Option<ChildStdin>,
    /// The reading end of its standard output, if that is piped.
    pub stdout: Option<ChildStdout>,
    /// The reading end of its standard error, if that is piped.
    pub stderr: Option<ChildStderr>,
}

impl Child {
    pub(super) fn new(mut std: std::process::Child, kill_on_drop: bool) -> io::Result<Child> {
        reap();
        let (stdin, stdout, stderr) = (std.stdin.take(), std.stdout.take(), std.stderr.take());
        let state = State::Running(Some(std));
        let mut child = Child { state, kill_on_drop, stdin: None, stdout: None, stderr: None };
        child.stdin = stdin.map(ChildStdin::from_std).transpose()?;
        child.stdout = stdout.map(ChildStdout::from_std).transpose()?;
        child.stderr = stderr.map(ChildStderr::from_std).transpose()?;
        Ok(child)
    }

    fn running(&mut self) -> Option<&mut std::process::Child> {
        match &mut self.state {
            State::Running(child) => child.as_mut(),
            State::Exited(_) => None,
        }
    }

    /// Returns the process's number, or `None` once its exit is known.
    pub fn id(&self) -> Option<u32> {
        match &self.state {
            State::Running(child) => child.as_ref().map(std::process::Child::id),
            State::Exited(_) => None,
        }
    }

    /// Kills the program (`SIGKILL`), without waiting for its end. Has no effect on a program that has exited.
    ///
    /// # Errors
    ///
    /// [`PermissionDenied`](io::ErrorKind::PermissionDenied) if the program runs as another user, or another error of
    /// `kill`.
    pub fn start_kill(&mut self) -> io::Result<()> {
        self.running().map_or(Ok(()), std::process::Child::kill)
    }

    /// Kills the program (`SIGKILL`) and waits for its end.
    ///
    /// # Errors
    ///
    /// The same as for [`start_kill`](Self::start_kill) and [`wait`](Self::wait).
    pub async fn kill(&mut self) -> io::Result<()> {
        self.start_kill()?;
        self.wait().await.map(drop)
    }

    /// Closes the program's standard input and waits for its end. Returns the same again later.
    ///
    /// # Errors
    ///
    /// An error of `waitpid`, for example if another part of the program has already waited for the child.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future loses nothing, but the standard input stays closed.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.stdin.take();
        if let Some(status) = self.try_wait()? {
            return Ok(status);
        }
        // From here on no exit is missed.
        let mut exits = Exits::new()?;
        loop {
            if let Some(status) = self.try_wait()? {
                reap();
                return Ok(status);
            }
            exits.next().await;
        }
    }

    /// Returns how the program ended, if it has.
    ///
    /// # Errors
    ///
    /// The same as for [`wait`](Self::wait).
    pub fn try_wait(&mut self) -> io::Result<Option<ExitStatus>> {
        let child = match &mut self.state {
            State::Exited(status) => return Ok(Some(*status)),
            State::Running(child) => child.as_mut(),
        };
        let status = child.map_or(Ok(None), std::process::Child::try_wait)?;
        if let Some(status) = status {
            self.state = State::Exited(status);
        }
        Ok(status)
    }

    /// Waits for the end, and collects the output that the program writes to its standard output and error meanwhile,
    /// as far as they are piped.
    ///
    /// # Errors
    ///
    /// The same as for [`wait`](Self::wait), or an error of reading the child's output.
    ///
    /// # Cancel safety
    ///
    /// The output that was read is lost when the future is dropped.
    pub async fn wait_with_output(mut self) -> io::Result<Output> {
        async fn all<R: AsyncRead + Unpin>(from: &mut Option<R>) -> io::Result<Vec<u8>> {
            let mut bytes = Vec::new();
            if let Some(from) = from {
                from.read_to_end(&mut bytes).await?;
            }
            Ok(bytes)
        }
        let (mut out, mut err) = (self.stdout.take(), self.stderr.take());
        let (status, stdout, stderr) =
            wasio_runtime::try_join!(self.wait(), all(&mut out), all(&mut err))?;
        Ok(Output { status, stdout, stderr })
    }
}

impl Drop for Child {
    fn drop(&mut self) {
        let kill = self.kill_on_drop;
        let State::Running(child) = &mut self.state else { return };
        let Some(mut child) = child.take() else { return };
        if let Ok(Some(_)) = child.try_wait() {
            return;
        }
        if kill {
            // The child may have exited just now.
            let _ = child.kill();
        }
        DROPPED.lock().unwrap_or_else(PoisonError::into_inner).push(child);
        reap();
    }
}
