//! The standard input on WASI: the reactor waits, then the task reads.

use std::io;
use std::task::{Context, Poll, ready};

use crate::io::{Buf, poll_budget};
use crate::reactor::{Direction, Source};
use crate::sys::stdin_stream::Stream;

#[derive(Debug, Default)]
pub(crate) struct Input {
    buf: Buf,
    /// Registered while a task waits. Declared before the stream, so that it is deregistered before the stream is
    /// dropped.
    source: Option<Source>,
    stream: Option<Stream>,
}

impl Input {
    /// Returns the buffer. It has bytes in it unless the input has ended.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        _: usize,
    ) -> Poll<io::Result<&mut Buf>> {
        if self.buf.bytes().is_empty() {
            ready!(self.poll_read(cx))?;
        }
        Poll::Ready(Ok(&mut self.buf))
    }

    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let stream = self.stream.get_or_insert_with(Stream::open);
        if !Source::is_available() {
            ready!(poll_budget(cx));
            return Poll::Ready(stream.read_blocking(&mut self.buf));
        }
        let source = match &mut self.source {
            Some(source) => source,
            none => none.insert(stream.register()?),
        };
        let read = ready!(source.poll_io(cx, Direction::Read, || stream.read(&mut self.buf)));
        // A handle that does not wait is not registered.
        self.source = None;
        Poll::Ready(read)
    }
}
