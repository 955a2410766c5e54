//! The lines of a reader.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::AsyncBufRead;
use super::read_until::poll_read_until;

pin_project! {
    /// The lines of a reader, one after the other. [`AsyncBufReadExt::lines`] creates it.
    ///
    /// [`AsyncBufReadExt::lines`]: super::AsyncBufReadExt::lines
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Lines<R> {
        #[pin]
        reader: R,
        // The line so far. Kept here, so that it is not lost when a future is dropped.
        line: Vec<u8>,
    }
}

impl<R> Lines<R> {
    pub(super) fn new(reader: R) -> Self {
        Lines { reader, line: Vec::new() }
    }
}

impl<R: AsyncBufRead + Unpin> Lines<R> {
    /// Returns the next line without its `\n` or `\r\n`, or `None` at the end.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](std::io::ErrorKind::InvalidData) when the line is not UTF-8, which is then skipped; the
    /// reader's own errors.
    ///
    /// # Cancel safety
    ///
    /// Safe: the beginning of a line is kept for the next call.
    pub async fn next_line(&mut self) -> io::Result<Option<String>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next_line(cx)).await
    }

    /// Returns the reader. Reading from it takes bytes away from the lines.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.reader
    }

    /// Returns the reader.
    pub fn get_ref(&mut self) -> &R {
        &self.reader
    }

    /// Returns the reader. The beginning of a line that was already read is lost.
    pub fn into_inner(self) -> R {
        self.reader
    }
}

impl<R: AsyncBufRead> Lines<R> {
    /// Like [`next_line`](Self::next_line), for hand-written futures.
    pub fn poll_next_line(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<String>>> {
        let me = self.project();
        ready!(poll_read_until(me.reader, cx, b'\n', me.line, &mut 0))?;
        let mut line = std::mem::take(me.line);
        match line.pop() {
            None => return Poll::Ready(Ok(None)),
            Some(b'\n') => {
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
            }
            Some(other) => line.push(other),
        }
        let line =
            String::from_utf8(line).map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
        Poll::Ready(Ok(Some(line)))
    }
}
