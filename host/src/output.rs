//! This process's standard output and error as streams for guests, which suspend the guest while they are full.
//!
//! The streams of wasmtime-wasi would block the thread, and with it every guest. Here no write waits. Guests of this
//! process and other processes may write to the same pipe, so the room that a poll reported may be gone by the time of
//! the write. A blocking write of a guest is complete when it returns. If a component was permitted to write and the
//! stream has no room, the bytes are buffered, 64 KiB at most. They are written before the guest's next output or
//! before its run ends.
//!
//! Limits: a terminal takes a write only after a poll, and so does a pipe where the system has no non-blocking write
//! (Linux before 6.5, macOS). Another process that writes in between blocks the thread.

use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::FileType;
use rustix::io::Errno;
use rustix::net::SendFlags;
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncWrite, Interest};
use wasmtime_wasi::async_trait;
use wasmtime_wasi::cli::{IsTerminal, StdoutStream};
use wasmtime_wasi::p2::{OutputStream, Pollable, StreamError};
use wasmtime_wasi_io::bytes::Bytes;

/// The bytes that a pipe accepts at once if it accepts any (`PIPE_BUF`).
const PERMIT: usize = 4096;
/// The maximum number of buffered bytes.
const KEPT: usize = 16 * PERMIT;
/// The polling interval where readiness cannot be awaited.
const PAUSE: Duration = Duration::from_millis(5);

/// One of the two streams. Clones share the buffer.
#[derive(Clone)]
pub(crate) struct Output {
    stream: Stream,
    kind: FileType,
    kept: Arc<Mutex<Vec<u8>>>,
    /// The bytes that may be written before the next `check_write`.
    permit: usize,
}

#[derive(Clone, Copy)]
enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn with_fd<R>(self, f: impl FnOnce(BorrowedFd<'_>) -> R) -> R {
        match self {
            Stream::Stdout => f(io::stdout().as_fd()),
            Stream::Stderr => f(io::stderr().as_fd()),
        }
    }
}

impl Output {
    pub(crate) fn stdout() -> Output {
        Output::new(Stream::Stdout)
    }

    pub(crate) fn stderr() -> Output {
        Output::new(Stream::Stderr)
    }

    fn new(stream: Stream) -> Output {
        let stat = stream.with_fd(|fd| rustix::fs::fstat(fd));
        let kind = stat.map_or(FileType::Unknown, |stat| FileType::from_raw_mode(stat.st_mode));
        Output { stream, kind, kept: Arc::default(), permit: 0 }
    }

    /// Waits until the buffer is empty or cannot be written.
    pub(crate) async fn settle(&self) {
        let mut waits = Waits::default();
        while let Ok(false) = self.try_to_settle() {
            waits.wait(self).await;
        }
    }

    /// Writes from the buffer without waiting. Returns whether the buffer is now empty.
    fn try_to_settle(&self) -> Result<bool, StreamError> {
        self.write_kept(&mut self.kept())
    }

    fn kept(&self) -> MutexGuard<'_, Vec<u8>> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Writes from the locked buffer. Returns whether it is now empty.
    fn write_kept(&self, kept: &mut Vec<u8>) -> Result<bool, StreamError> {
        let written = self.write_some(kept).inspect_err(|_| kept.clear())?;
        kept.drain(..written);
        Ok(kept.is_empty())
    }

    /// Writes as many bytes as the stream accepts without waiting.
    fn write_some(&self, bytes: &[u8]) -> Result<usize, StreamError> {
        let mut written = 0;
        while written < bytes.len() {
            match self.stream.with_fd(|fd| attempt(fd, self.kind, &bytes[written..])) {
                Ok(n) => written += n,
                Err(Errno::INTR) => {}
                Err(Errno::AGAIN) => break,
                Err(error) => {
                    return Err(StreamError::LastOperationFailed(io::Error::from(error).into()));
                }
            }
        }
        Ok(written)
    }

    fn takes_more(&self) -> bool {
        self.stream.with_fd(takes_more)
    }
}

/// Writes once, without waiting.
fn attempt(fd: BorrowedFd<'_>, kind: FileType, bytes: &[u8]) -> rustix::io::Result<usize> {
    match kind {
        FileType::RegularFile => rustix::io::write(fd, bytes),
        FileType::Socket => rustix::net::send(fd, bytes, SendFlags::DONTWAIT),
        FileType::Fifo => write_to_pipe(fd, bytes),
        _ => write_if_polled(fd, bytes),
    }
}

#[cfg(target_os = "linux")]
fn write_to_pipe(fd: BorrowedFd<'_>, bytes: &[u8]) -> rustix::io::Result<usize> {
    use rustix::io::ReadWriteFlags;

    let bytes_ = [io::IoSlice::new(bytes)];
    match rustix::io::pwritev2(fd, &bytes_, u64::MAX, ReadWriteFlags::NOWAIT) {
        Err(Errno::OPNOTSUPP | Errno::NOSYS | Errno::INVAL) => write_if_polled(fd, bytes),
        result => result,
    }
}

#[cfg(not(target_os = "linux"))]
fn write_to_pipe(fd: BorrowedFd<'_>, bytes: &[u8]) -> rustix::io::Result<usize> {
    write_if_polled(fd, bytes)
}

/// Writes what the descriptor accepts, if a poll finds it writable. The lock keeps other threads of this process from
/// writing in between.
fn write_if_polled(fd: BorrowedFd<'_>, bytes: &[u8]) -> rustix::io::Result<usize> {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    if !takes_more(fd) {
        return Err(Errno::AGAIN);
    }
    rustix::io::write(fd, &bytes[..bytes.len().min(PERMIT)])
}

/// Returns whether a write would return at once. A write that fails does.
fn takes_more(fd: BorrowedFd<'_>) -> bool {
    let mut fds = [PollFd::new(&fd, PollFlags::OUT)];
    !matches!(poll(&mut fds, Some(&Timespec::default())), Ok(0))
}

/// Registers a duplicate of the descriptor with the driver, which takes each descriptor only once.
#[allow(unsafe_code)] // Registering a descriptor is an unsafe function.
fn watch(fd: BorrowedFd<'_>) -> Option<AsyncFd<OwnedFd>> {
    let own = fd.try_clone_to_owned().ok()?;
    // SAFETY: the result owns an open descriptor, which stays the same one until both are dropped together.
    unsafe { AsyncFd::register_with_interest(own, Interest::WRITABLE) }.ok()
}

/// Successive waits of one operation. Another writer may always be faster, so every wait after the first also sleeps.
#[derive(Default)]
struct Waits {
    again: bool,
}

impl Waits {
    async fn wait(&mut self, output: &Output) {
        if std::mem::replace(&mut self.again, true) {
            tokio::time::sleep(PAUSE).await;
        }
        output.writable().await;
    }
}

impl Output {
    async fn writable(&self) {
        if self.takes_more() {
            return;
        }
        if let Some(fd) = self.stream.with_fd(watch) {
            while let Ok(mut guard) = fd.writable().await {
                if takes_more(fd.as_fd()) {
                    return;
                }
                guard.clear_ready();
            }
        }
        // The process has no spare descriptor, or the driver does not support this kind of descriptor.
        while !self.takes_more() {
            tokio::time::sleep(PAUSE).await;
        }
    }
}

impl IsTerminal for Output {
    fn is_terminal(&self) -> bool {
        self.stream.with_fd(|fd| fd.is_terminal())
    }
}

impl StdoutStream for Output {
    fn async_stream(&self) -> Box<dyn AsyncWrite + Send + Sync> {
        match self.stream {
            Stream::Stdout => Box::new(tokio::io::stdout()),
            Stream::Stderr => Box::new(tokio::io::stderr()),
        }
    }

    fn p2_stream(&self) -> Box<dyn OutputStream> {
        Box::new(self.clone())
    }
}

#[async_trait]
impl OutputStream for Output {
    fn write(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        if bytes.len() > self.permit {
            return Err(StreamError::trap("more was written to a stream than it permitted"));
        }
        self.permit -= bytes.len();
        let mut kept = self.kept();
        let mut left = &bytes[..];
        if self.write_kept(&mut kept)? {
            left = &left[self.write_some(left)?..];
        }
        if kept.len() + left.len() > KEPT {
            let error = io::Error::other("too much was permitted before the stream was full");
            return Err(StreamError::LastOperationFailed(error.into()));
        }
        kept.extend_from_slice(left);
        Ok(())
    }

    fn write_zeroes(&mut self, bytes: usize) -> Result<(), StreamError> {
        // A write beyond the permit is refused before memory is allocated for it.
        let zeroes = vec![0; bytes.min(self.permit + 1)];
        self.write(zeroes.into())
    }

    fn flush(&mut self) -> Result<(), StreamError> {
        self.try_to_settle().map(drop)
    }

    fn check_write(&mut self) -> Result<usize, StreamError> {
        let settled = self.try_to_settle()?;
        self.permit = if settled && self.takes_more() { PERMIT } else { 0 };
        Ok(self.permit)
    }

    async fn write_ready(&mut self) -> Result<usize, StreamError> {
        let mut waits = Waits::default();
        loop {
            match self.check_write()? {
                0 => waits.wait(self).await,
                permit => return Ok(permit),
            }
        }
    }

    async fn blocking_write_and_flush(&mut self, bytes: Bytes) -> Result<(), StreamError> {
        self.settle().await;
        let mut left = &bytes[..];
        let mut waits = Waits::default();
        loop {
            left = &left[self.write_some(left)?..];
            if left.is_empty() {
                return Ok(());
            }
            waits.wait(self).await;
        }
    }
}

#[async_trait]
impl Pollable for Output {
    async fn ready(&mut self) {
        self.writable().await;
    }
}
