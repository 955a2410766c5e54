//! This process's standard output and error as streams for guests, which suspend the guest while they are full.
//!
//! wasmtime-wasi's own would block the thread, and with it every guest. Here a stream takes as much as a pipe
//! that is writable has room for (`PIPE_BUF`), and nothing while it is not. A write is done when it returns:
//! nothing is lost when the guest ends, and the order of the two streams is the guest's.
//!
//! Limits: a terminal that is stopped blocks all the same.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncWrite, Interest};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};
use wasmtime_wasi_io::bytes::Bytes;

/// What a pipe takes at once if it takes anything.
const PERMIT: usize = 4096;

/// One of the two streams.
#[derive(Clone, Copy)]
pub(crate) enum Output {
    Stdout,
    Stderr,
}

impl Output {
    fn with_fd<R>(self, f: impl FnOnce(BorrowedFd<'_>) -> R) -> R {
        match self {
            Output::Stdout => f(io::stdout().as_fd()),
            Output::Stderr => f(io::stderr().as_fd()),
        }
    }

    fn takes_more(self) -> bool {
        self.with_fd(takes_more)
    }
}

/// Whether a write would not wait. One that fails does not.
fn takes_more(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(&fd, PollFlags::OUT)];
    !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
}

/// What waits for a descriptor: for one of its own, since the driver takes each only once.
#[allow(unsafe_code)] // Registering a descriptor is an unsafe function.
fn watch(fd: BorrowedFd<'_>) -> Option<AsyncFd<OwnedFd>> {
    let own = fd.try_clone_to_owned().ok()?;
    // SAFETY: the result owns an open descriptor, which stays the same one until it is dropped with it.
    unsafe { AsyncFd::register_with_interest(own, Interest::WRITABLE) }.ok()
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        self.with_fd(|fd| fd.is_terminal())
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        match self {
            Output::Stdout => Box::new(tokio::io::stdout()),
            Output::Stderr => Box::new(tokio::io::stderr()),
        }
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(*self)
    }
}

impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        let mut left = &bytes[..];
        while !left.is_empty() {
            match self.with_fd(|fd| rustix::io::write(fd, left)) {
                Ok(n) => left = &left[n..],
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => {
                    return Err(StreamError::LastOperationFailed(io::Error::from(error).into()));
                }
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        Ok(())
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        Ok(if self.takes_more() { PERMIT } else { 0 })
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        if self.takes_more() {
            return;
        }
        // A file cannot be waited for, and never needs to be.
        let Some(fd) = self.with_fd(watch) else { return };
        while let Ok(mut guard) = fd.writable().await {
            if takes_more(fd.as_fd()) {
                return;
            }
            guard.clear_ready();
        }
    }
}
