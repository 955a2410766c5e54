//! Blocking work for types that are polled: files and the standard streams.

use std::io::{self, IoSlice, Read, Write};

use super::ReadBuf;
use crate::reactor::shutdown_error;
use crate::runtime::Handle;
pub(crate) use crate::sys::job::{Job, run};

/// The maximum number of bytes that one blocking operation moves, unless a file sets another one.
pub(crate) const MAX_BUF_SIZE: usize = 2 * 1024 * 1024;

/// Like [`run`], but `f` runs even if the runtime is shut down before it starts.
///
/// For writes, because the writer was told that the bytes were accepted.
///
/// # Errors
///
/// Fails if the runtime is already shut down.
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

/// Bytes on their way to or from a blocking operation.
#[derive(Debug, Default)]
pub(crate) struct Buf {
    memory: Vec<u8>,
    /// `memory[start..end]` has the bytes. The rest is kept so that it need not be cleared again.
    start: usize,
    end: usize,
}

impl Buf {
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.memory[self.start..self.end]
    }

    /// Discards the bytes. Returns how many there were.
    pub(crate) fn discard(&mut self) -> usize {
        let n = self.bytes().len();
        (self.start, self.end) = (0, 0);
        n
    }

    /// Replaces the bytes with at most `max` of `bufs`. Returns the number.
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

    /// Replaces the bytes with at most `max` of `reader`, blocking.
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

    /// Writes all bytes to `writer`, blocking. They are discarded even if that fails.
    pub(crate) fn write_to(&mut self, writer: &mut impl Write) -> io::Result<()> {
        let result = writer.write_all(self.bytes());
        self.discard();
        result
    }
}
