//! A reader of the first bytes of another.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{AsyncBufRead, AsyncRead, ReadBuf};

pin_project! {
    /// Reads a limited number of bytes from a reader. [`AsyncReadExt::take`] creates it.
    ///
    /// [`AsyncReadExt::take`]: super::AsyncReadExt::take
    #[derive(Debug)]
    #[must_use = "streams do nothing unless you `.await` or poll them"]
    pub struct Take<R> {
        #[pin]
        inner: R,
        left: u64,
    }
}

impl<R: AsyncRead> Take<R> {
    pub(super) fn new(inner: R, limit: u64) -> Self {
        Take { inner, left: limit }
    }

    /// Returns how many bytes may still be read. The inner reader may end before.
    pub fn limit(&self) -> u64 {
        self.left
    }

    /// Sets how many bytes may still be read, regardless of how many were read before.
    pub fn set_limit(&mut self, limit: u64) {
        self.left = limit;
    }

    /// Returns the inner reader.
    pub fn get_ref(&self) -> &R {
        &self.inner
    }

    /// Returns the inner reader. Reading from it does not count.
    pub fn get_mut(&mut self) -> &mut R {
        &mut self.inner
    }

    /// Returns the inner reader. Reading from it does not count.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut R> {
        self.project().inner
    }

    /// Returns the inner reader.
    pub fn into_inner(self) -> R {
        self.inner
    }
}

impl<R: AsyncRead> AsyncRead for Take<R> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let me = self.project();
        if *me.left == 0 {
            return Poll::Ready(Ok(()));
        }
        let limit = usize::try_from(*me.left).unwrap_or(usize::MAX);
        let (n, polled) = buf.fill_at_most(limit, |part| me.inner.poll_read(cx, part));
        ready!(polled)?;
        *me.left -= n as u64;
        Poll::Ready(Ok(()))
    }
}

impl<R: AsyncBufRead> AsyncBufRead for Take<R> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        let me = self.project();
        if *me.left == 0 {
            return Poll::Ready(Ok(&[]));
        }
        let bytes = ready!(me.inner.poll_fill_buf(cx))?;
        let n = (bytes.len() as u64).min(*me.left) as usize;
        Poll::Ready(Ok(&bytes[..n]))
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        let me = self.project();
        let n = (amt as u64).min(*me.left);
        *me.left -= n;
        me.inner.consume(n as usize);
    }
}
