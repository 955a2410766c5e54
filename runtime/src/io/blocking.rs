//! Work that blocks, for types that are polled: files and the standard streams.

use std::future::Future;
use std::io::{self, IoSlice, Read, Write};
use std::pin::Pin;
use std::task::{Context, Poll};

use super::ReadBuf;
use crate::reactor::shutdown_error;
use crate::runtime::Handle;

/// How many bytes one blocking operation moves at most, unless a file is told otherwise.
pub(crate) const MAX_BUF_SIZE: usize = 2 * 1024 * 1024;

/// The result of work that blocks, once it is there.
///
/// Natively the work is done by a thread, also when this is dropped. On WASI it is done when `run` returns.
///
/// # Errors
///
/// Fails when the work panicked (natively), or never ran since the runtime was shut down.
#[derive(Debug)]
pub(crate) struct Job<R>(Inner<R>);

#[cfg(not(target_family = "wasm"))]
type Inner<R> = crate::task::JoinHandle<R>;
#[cfg(target_family = "wasm")]
type Inner<R> = Option<R>;

impl<R> Unpin for Job<R> {}

impl<R> Future for Job<R> {
    type Output = io::Result<R>;

    #[cfg(not(target_family = "wasm"))]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        Pin::new(&mut self.0).poll(cx).map_err(io::Error::from)
    }

    #[cfg(target_family = "wasm")]
    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        // Nothing is waited for here, so a loop of file operations would never let others run.
        std::task::ready!(super::poll_budget(cx));
        Poll::Ready(self.0.take().ok_or_else(|| io::Error::other("background task failed")))
    }
}

/// Runs `f`, which may block, where that holds up no task. On WASI there is no such place: it runs here.
///
/// # Panics
///
/// Panics outside of a runtime.
#[cfg(not(target_family = "wasm"))]
#[track_caller]
pub(crate) fn run<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Job<R> {
    Job(crate::task::spawn_blocking(f))
}

/// Runs `f`, which may block, where that holds up no task. On WASI there is no such place: it runs here.
///
/// # Panics
///
/// Panics outside of a runtime, so that what works here works natively too.
#[cfg(target_family = "wasm")]
#[track_caller]
pub(crate) fn run<R: Send + 'static>(f: impl FnOnce() -> R + Send + 'static) -> Job<R> {
    Job((!Handle::with_current(is_shut_down)).then(f))
}

/// Like [`run`], and `f` runs even if the runtime is shut down before its turn.
///
/// For writes: the writer was told that the bytes were accepted.
///
/// # Errors
///
/// Fails when the runtime was shut down already.
#[track_caller]
pub(crate) fn run_to_end<R: Send + 'static>(
    f: impl FnOnce() -> R + Send + 'static,
) -> io::Result<Job<R>> {
    if Handle::with_current(is_shut_down) {
        return Err(shutdown_error());
    }
    let mut work = RunOnDrop(Some(f));
    Ok(run(move || work.run().expect("runs once")))
}

fn is_shut_down(handle: &Handle) -> bool {
    handle.shared.reactor.is_closed()
}

struct RunOnDrop<F: FnOnce() -> R, R>(Option<F>);

impl<F: FnOnce() -> R, R> RunOnDrop<F, R> {
    fn run(&mut self) -> Option<R> {
        self.0.take().map(|f| f())
    }
}

impl<F: FnOnce() -> R, R> Drop for RunOnDrop<F, R> {
    fn drop(&mut self) {
        self.run();
    }
}

/// Bytes on their way to or from an operation that blocks.
#[derive(Debug, Default)]
pub(crate) struct Buf {
    memory: Vec<u8>,
    /// `memory[start..end]` is what matters; the rest is kept so that it need not be cleared again.
    start: usize,
    end: usize,
}

impl Buf {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    /// Forgets the bytes, and says how many there were.
    pub(crate) fn discard(&mut self) -> usize {
        let n = self.bytes().len();
        (self.start, self.end) = (0, 0);
        n
    }

    /// Replaces the bytes by at most `max` of `bufs`, and says how many.
    pub(crate) fn copy_from(&mut self, bufs: &[IoSlice<'_>], max: usize) -> usize {
        self.memory.clear();
        for buf in bufs {
            let n = buf.len().min(max - self.memory.len());
            self.memory.extend_from_slice(&buf[..n]);
        }
        (self.start, self.end) = (0, self.memory.len());
        self.end
    }

    /// Moves bytes to `dst`, as many as fit.
    pub(crate) fn move_to(&mut self, dst: &mut ReadBuf<'_>) {
        let n = self.bytes().len().min(dst.remaining());
        dst.put_slice(&self.bytes()[..n]);
        self.start += n;
    }

    /// Replaces the bytes by at most `max` of `reader`, blocking.
    pub(crate) fn read_from(&mut self, reader: &mut impl Read, max: usize) -> io::Result<()> {
        self.discard();
        if self.memory.len() < max {
            self.memory.resize(max, 0);
        }
        loop {
            match reader.read(&mut self.memory[..max]) {
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                result => {
                    self.end = result?;
                    return Ok(());
                }
            }
        }
    }

    /// Writes all bytes to `writer`, blocking. They are forgotten even when that fails.
    pub(crate) fn write_to(&mut self, writer: &mut impl Write) -> io::Result<()> {
        let result = writer.write_all(self.bytes());
        self.discard();
        result
    }
}
