//! The standard output and error stream on WASI 0.2: streams of the host, written when they accept data.
//!
//! They bypass std's streams, whose writes block the guest. Data that std has buffered is written first, which keeps
//! the order of a program's own lines.
//!
//! Limits: a host whose streams are always ready blocks in the write instead. Dropping a stream that was not flushed
//! waits for the host, too.

use std::io::{self, Write};
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use wasip2::cli::{stderr::get_stderr, stdout::get_stdout};
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{OutputStream, StreamError};

use crate::io::Interest;
use crate::once::Once;
use crate::reactor::{Direction, Source, Subscribe};
use crate::runtime::Handle;

/// A stream of the host.
#[derive(Debug)]
pub(crate) struct Raw {
    is_error: bool,
    /// Registered while a task waits. Declared before the stream, so that it is deregistered before the pollable is
    /// dropped.
    source: Option<Source>,
    stream: Once<Arc<Stream>>,
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
    /// Returns the number of bytes that the stream accepts now. It accepts none while it is being flushed.
    fn permit(&self) -> io::Result<usize> {
        match self.output.check_write().map_err(failed)? {
            0 => Err(io::ErrorKind::WouldBlock.into()),
            n => Ok(n as usize),
        }
    }
}

impl Raw {
    pub(crate) fn new(is_error: bool) -> Raw {
        Raw { is_error, source: None, stream: Once::new() }
    }

    fn stream(&self) -> &Arc<Stream> {
        self.stream.get_or_init(|| {
            let output = if self.is_error { get_stderr() } else { get_stdout() };
            Arc::new(Stream { pollable: Once::new(), output })
        })
    }

    /// Waits until the stream accepts data. In a runtime without I/O, blocks the guest.
    pub(crate) fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.stream().clone();
        if !Source::is_available() {
            // Outside a runtime this panics, as elsewhere.
            Handle::with_current(|_| ());
            ready!(crate::io::poll_budget(cx));
            return Poll::Ready(loop {
                match stream.permit() {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                        stream.pollable.get_or_init(|| stream.output.subscribe()).block();
                    }
                    result => break result.map(drop),
                }
            });
        }
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(Source::with_interest(stream.clone(), Interest::WRITABLE)?),
        };
        let permit = ready!(source.poll_io(cx, Direction::Write, || stream.permit()));
        // A stream is registered only while a task waits.
        self.source = None;
        Poll::Ready(permit.map(drop))
    }

    /// Writes as many bytes as the stream accepts. Returns `WouldBlock` if std's buffer used up the permit.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.flush_std()?;
        let stream = self.stream();
        let bytes = &bytes[..bytes.len().min(stream.permit()?)];
        stream.output.write(bytes).map_err(failed)?;
        Ok(bytes.len())
    }

    /// Begins to flush.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.flush_std()?;
        self.stream().output.flush().map_err(failed)
    }

    /// Writes what std has buffered. Its standard error stream has no buffer.
    fn flush_std(&self) -> io::Result<()> {
        if self.is_error { Ok(()) } else { io::stdout().flush() }
    }

    /// Waits until everything is written.
    pub(crate) fn finish(&mut self) {
        self.source = None;
        let _ = self.stream().output.blocking_flush();
    }
}

fn failed(error: StreamError) -> io::Error {
    match error {
        StreamError::Closed => io::ErrorKind::BrokenPipe.into(),
        StreamError::LastOperationFailed(error) => io::Error::other(error.to_debug_string()),
    }
}
