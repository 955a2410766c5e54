//! The parts of a reader's data between delimiters.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::AsyncBufRead;
use super::read_until::poll_read_until;

pin_project! {
    /// The parts of a reader's data between delimiters. [`AsyncBufReadExt::split`] creates it.
    ///
    /// [`AsyncBufReadExt::split`]: super::AsyncBufReadExt::split
    #[derive(Debug)]
    #[must_use = "streams do nothing unless polled"]
    pub struct Split<R> {
        #[pin]
        reader: R,
        delimiter: u8,
        // The segment so far. Kept here, so that it is not lost when a future is dropped.
        segment: Vec<u8>,
    }
}

impl<R> Split<R> {
    pub(super) fn new(reader: R, delimiter: u8) -> Self {
        Split { reader, delimiter, segment: Vec::new() }
    }
}

impl<R: AsyncBufRead + Unpin> Split<R> {
    /// Returns the next segment without its delimiter, or `None` at the end.
    ///
    /// # Errors
    ///
    /// The reader's own errors.
    ///
    /// # Cancel safety
    ///
    /// Safe: the beginning of a segment is kept for the next call.
    pub async fn next_segment(&mut self) -> io::Result<Option<Vec<u8>>> {
        poll_fn(|cx| Pin::new(&mut *self).poll_next_segment(cx)).await
    }
}

impl<R: AsyncBufRead> Split<R> {
    /// Like [`next_segment`](Self::next_segment), for hand-written futures.
    pub fn poll_next_segment(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<Option<Vec<u8>>>> {
        let me = self.project();
        ready!(poll_read_until(me.reader, cx, *me.delimiter, me.segment, &mut 0))?;
        let mut segment = std::mem::take(me.segment);
        match segment.last() {
            None => return Poll::Ready(Ok(None)),
            Some(last) if last == me.delimiter => drop(segment.pop()),
            Some(_) => {}
        }
        Poll::Ready(Ok(Some(segment)))
    }
}
