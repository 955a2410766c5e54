//! The standard input on WASI 0.2: a stream of the host, read when its pollable says so.
//!
//! It goes around std's, whose reads block the guest.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use wasip2::cli::stdin::get_stdin;
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, StreamError};

use crate::io::{Buf, DEFAULT_BUF_SIZE, Interest};
use crate::once::Once;
use crate::reactor::{Direction, Source, Subscribe};

/// How much is asked for at once.
const CHUNK: usize = DEFAULT_BUF_SIZE;

#[derive(Debug, Default)]
pub(crate) struct Input {
    buf: Buf,
    /// While waiting. Above the stream: it is deregistered before the pollable goes.
    source: Option<Source>,
    stream: Option<Arc<Stream>>,
}

#[derive(Debug)]
struct Stream {
    // A child of the stream: dropped before it.
    pollable: Once<Pollable>,
    input: InputStream,
}

impl Subscribe for Stream {
    fn pollable(&self, _: Direction) -> Option<u32> {
        Some(self.pollable.get_or_init(|| self.input.subscribe()).handle())
    }
}

impl Input {
    /// The buffer, with bytes in it unless the input has ended.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        _: usize,
    ) -> Poll<io::Result<&mut Buf>> {
        if self.buf.bytes().is_empty() {
            let bytes = ready!(self.poll_read(cx))?;
            self.buf.read_from(&mut bytes.as_slice(), CHUNK)?;
        }
        Poll::Ready(Ok(&mut self.buf))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Vec<u8>>> {
        let stream = self
            .stream
            .get_or_insert_with(|| Arc::new(Stream { pollable: Once::new(), input: get_stdin() }));
        if !Source::is_available() {
            ready!(crate::io::poll_budget(cx));
            return Poll::Ready(bytes(stream.input.blocking_read(CHUNK as u64)));
        }
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(Source::with_interest(stream.clone(), Interest::READABLE)?),
        };
        let read = ready!(source.poll_io(cx, Direction::Read, || {
            match stream.input.read(CHUNK as u64) {
                Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
                result => bytes(result),
            }
        }));
        // Whoever does not wait is not registered.
        self.source = None;
        Poll::Ready(read)
    }
}

fn bytes(result: Result<Vec<u8>, StreamError>) -> io::Result<Vec<u8>> {
    match result {
        Err(StreamError::Closed) => Ok(Vec::new()),
        Err(StreamError::LastOperationFailed(e)) => Err(io::Error::other(e.to_debug_string())),
        Ok(bytes) => Ok(bytes),
    }
}
