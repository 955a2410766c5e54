//! The standard output and error stream on WASI 0.2: streams of the host, written when they accept data.
//!
//! They bypass std's streams, whose writes block the guest. Data that std has buffered is written first, which keeps
//! the order of a program's own lines.
//!
//! Limits: a host whose streams are always ready blocks in the write instead. Dropping a stream that was not flushed
//! waits for the host, too.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use wasip2::cli::{stderr::get_stderr, stdout::get_stdout};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{OutputStream, StreamError};

use crate::io::Interest;
use crate::once::Once;
use crate::reactor::{Direction, Source, Subscribe};
use crate::runtime::Handle;

#[derive(Debug)]
pub(crate) struct Writer {
    is_error: bool,
    /// Registered while a task waits. Declared before the stream, so that it is deregistered before the pollable is
    /// dropped.
    source: Option<Source>,
    stream: Option<Arc<Stream>>,
    progress: Progress,
}

/// Whether the host has written everything.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Flushed,
    Unflushed,
    /// The host was asked to flush. It accepts nothing until it has.
    Flushing,
}

#[derive(Debug)]
struct Stream {
    // A child of the stream: dropped before it.
    pollable: Once<Pollable>,
    output: OutputStream,
}

impl Subscribe for Stream {
    fn pollable(&self, _: Direction) -> Option<u32> {
        Some(self.pollable.get_or_init(|| self.output.subscribe()).handle())
    }
}

impl Stream {
    /// Returns the number of bytes that the stream accepts now.
    fn permit(&self) -> io::Result<usize> {
        match self.output.check_write().map_err(failed)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n as usize),
        }
    }
}

impl Writer {
    pub(crate) fn new(is_error: bool) -> Writer {
        Writer { is_error, source: None, stream: None, progress: Progress::Flushed }
    }

    /// Calls `op` when it does not block. Without a reactor, calls it at once.
    fn poll_with<R>(
        &mut self,
        cx: &mut Context<'_>,
        mut op: impl FnMut(&Stream) -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        let is_error = self.is_error;
        let stream = self.stream.get_or_insert_with(|| {
            let output = if is_error { get_stderr() } else { get_stdout() };
            Arc::new(Stream { pollable: Once::new(), output })
        });
        if !Source::is_available() {
            // The runtime has no I/O. Outside a runtime this panics, as elsewhere.
            Handle::with_current(|_| ());
            ready!(crate::io::poll_budget(cx));
            return Poll::Ready(loop {
                match op(stream) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                        stream.pollable.get_or_init(|| stream.output.subscribe()).block();
                    }
                    result => break result,
                }
            });
        }
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(Source::with_interest(stream.clone(), Interest::WRITABLE)?),
        };
        let done = ready!(source.poll_io(cx, Direction::Write, || op(stream)));
        // A stream is registered only while a task waits.
        self.source = None;
        Poll::Ready(done)
    }

    pub(crate) fn poll_write<W: io::Write>(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        std: fn() -> W,
    ) -> Poll<io::Result<usize>> {
        let written = ready!(self.poll_with(cx, |stream| {
            let bytes = &bytes[..bytes.len().min(stream.permit()?)];
            std().flush()?;
            // Flushing std's buffer may have used up the permit.
            let bytes = &bytes[..bytes.len().min(stream.permit()?)];
            stream.output.write(bytes).map_err(failed)?;
            Ok(bytes.len())
        }));
        self.progress = Progress::Unflushed;
        Poll::Ready(written)
    }

    pub(crate) fn poll_flush<W: io::Write>(
        &mut self,
        cx: &mut Context<'_>,
        std: fn() -> W,
    ) -> Poll<io::Result<()>> {
        if self.progress == Progress::Flushed {
            return Poll::Ready(Ok(()));
        }
        let mut progress = self.progress;
        let flushed = self.poll_with(cx, |stream| {
            if progress == Progress::Unflushed {
                std().flush()?;
                stream.output.flush().map_err(failed)?;
                progress = Progress::Flushing;
            }
            stream.permit().map(drop)
        });
        self.progress = if flushed.is_ready() { Progress::Flushed } else { progress };
        flushed
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        // The writer was told that its data is written.
        if self.progress != Progress::Flushed {
            self.source = None;
            let _ = self.stream.as_ref().map(|stream| stream.output.blocking_flush());
        }
    }
}

fn failed(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
    }
}
