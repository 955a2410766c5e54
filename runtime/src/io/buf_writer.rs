//! A writer with a buffer.

use std::fmt;
use std::io::{self, IoSlice, SeekFrom};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{AsyncBufRead, AsyncRead, AsyncSeek, AsyncWrite, DEFAULT_BUF_SIZE, ReadBuf, retry};

pin_project! {
    /// Buffers writes, so that many small writes become few large ones.
    ///
    /// Call [`flush`](super::AsyncWriteExt::flush) or [`shutdown`](super::AsyncWriteExt::shutdown) at the end: bytes
    /// that are still buffered at the drop are lost. A seek flushes first. If the writer is a reader too, reading
    /// bypasses the buffer.
    ///
    /// # Examples
    ///
    /// ```
    /// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
    /// use wasio::io::{AsyncWriteExt, BufWriter};
    ///
    /// let mut writer = BufWriter::new(Vec::new());
    /// writer.write_all(b"hello").await?;
    /// assert!(writer.get_ref().is_empty());
    /// writer.flush().await?;
    /// assert_eq!(writer.get_ref(), b"hello");
    /// # std::io::Result::Ok(())
    /// # })?;
    /// # std::io::Result::Ok(())
    /// ```
    pub struct BufWriter<W> {
        #[pin]
        pub(super) inner: W,
        pub(super) behind: WriteBehind,
    }
}

/// The state of a [`BufWriter`]: bytes that were accepted and not written yet, and a seek that is under way.
#[derive(Debug)]
pub(super) struct WriteBehind {
    bytes: Vec<u8>,
    /// The number of `bytes` that are written. They are removed when all are written, or on an error.
    written: usize,
    seek: Seek,
}

#[derive(Debug, Clone, Copy)]
enum Seek {
    No,
    Requested(SeekFrom),
    /// The inner writer is seeking.
    Running,
}

impl WriteBehind {
    fn room(&self) -> usize {
        self.bytes.capacity() - self.bytes.len()
    }
}

impl<W: AsyncWrite> BufWriter<W> {
    /// Creates a writer with a buffer of 8 KiB.
    pub fn new(inner: W) -> Self {
        Self::with_capacity(DEFAULT_BUF_SIZE, inner)
    }

    /// Creates a writer with a buffer of `cap` bytes.
    pub fn with_capacity(cap: usize, inner: W) -> Self {
        let bytes = Vec::with_capacity(cap);
        BufWriter { inner, behind: WriteBehind { bytes, written: 0, seek: Seek::No } }
    }

    /// Writes the buffered bytes, without flushing the inner writer.
    fn poll_empty(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut me = self.project();
        let behind = me.behind;
        let mut result = Ok(());
        while result.is_ok() && behind.written < behind.bytes.len() {
            let rest = &behind.bytes[behind.written..];
            match ready!(retry(|| me.inner.as_mut().poll_write(cx, rest))) {
                Ok(0) => {
                    let what = "failed to write the buffered data";
                    result = Err(io::Error::new(io::ErrorKind::WriteZero, what));
                }
                Ok(n) => behind.written += n,
                Err(e) => result = Err(e),
            }
        }
        behind.bytes.drain(..behind.written);
        behind.written = 0;
        Poll::Ready(result)
    }

    /// Returns the inner writer.
    pub fn get_ref(&self) -> &W {
        &self.inner
    }

    /// Returns the inner writer. Writing to it overtakes the buffered bytes.
    pub fn get_mut(&mut self) -> &mut W {
        &mut self.inner
    }

    /// Returns the inner writer. Writing to it overtakes the buffered bytes.
    pub fn get_pin_mut(self: Pin<&mut Self>) -> Pin<&mut W> {
        self.project().inner
    }

    /// Returns the inner writer. Buffered bytes are lost.
    pub fn into_inner(self) -> W {
        self.inner
    }

    /// Returns the buffered bytes.
    pub fn buffer(&self) -> &[u8] {
        &self.behind.bytes
    }
}

impl<W: AsyncWrite> AsyncWrite for BufWriter<W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        if buf.len() > self.behind.room() {
            ready!(self.as_mut().poll_empty(cx))?;
        }
        let me = self.project();
        if buf.len() >= me.behind.bytes.capacity() {
            return me.inner.poll_write(cx, buf);
        }
        me.behind.bytes.extend_from_slice(buf);
        Poll::Ready(Ok(buf.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_empty(cx))?;
        self.get_pin_mut().poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.as_mut().poll_empty(cx))?;
        self.get_pin_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        if self.inner.is_write_vectored() {
            let len = bufs.iter().fold(0usize, |sum, buf| sum.saturating_add(buf.len()));
            if len > self.behind.room() {
                ready!(self.as_mut().poll_empty(cx))?;
            }
            let me = self.project();
            if len >= me.behind.bytes.capacity() {
                return me.inner.poll_write_vectored(cx, bufs);
            }
            bufs.iter().for_each(|buf| me.behind.bytes.extend_from_slice(buf));
            return Poll::Ready(Ok(len));
        }

        // The first buffer as if it were alone, then those that fit after it.
        let mut bufs = bufs.iter().skip_while(|buf| buf.is_empty());
        let Some(first) = bufs.next() else { return Poll::Ready(Ok(0)) };
        let mut n = ready!(self.as_mut().poll_write(cx, first))?;
        if first.len() >= self.behind.bytes.capacity() {
            return Poll::Ready(Ok(n));
        }
        let behind = self.project().behind;
        for buf in bufs {
            if buf.len() > behind.room() {
                break;
            }
            behind.bytes.extend_from_slice(buf);
            n += buf.len();
        }
        Poll::Ready(Ok(n))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// Seeking writes the buffer out first, so nothing happens before `poll_complete`.
impl<W: AsyncWrite + AsyncSeek> AsyncSeek for BufWriter<W> {
    fn start_seek(self: Pin<&mut Self>, position: SeekFrom) -> io::Result<()> {
        self.project().behind.seek = Seek::Requested(position);
        Ok(())
    }

    fn poll_complete(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<u64>> {
        if let Seek::Requested(position) = self.behind.seek {
            ready!(self.as_mut().poll_empty(cx))?;
            let mut me = self.as_mut().project();
            // The write may still be under way.
            ready!(me.inner.as_mut().poll_complete(cx))?;
            me.behind.seek = Seek::No;
            me.inner.start_seek(position)?;
            me.behind.seek = Seek::Running;
        }
        let me = self.project();
        let result = ready!(me.inner.poll_complete(cx));
        me.behind.seek = Seek::No;
        Poll::Ready(result)
    }
}

impl<W: AsyncWrite + AsyncRead> AsyncRead for BufWriter<W> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.get_pin_mut().poll_read(cx, buf)
    }
}

impl<W: AsyncWrite + AsyncBufRead> AsyncBufRead for BufWriter<W> {
    fn poll_fill_buf(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&[u8]>> {
        self.get_pin_mut().poll_fill_buf(cx)
    }

    fn consume(self: Pin<&mut Self>, amt: usize) {
        self.get_pin_mut().consume(amt);
    }
}

impl<W: fmt::Debug> fmt::Debug for BufWriter<W> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (len, capacity) = (self.behind.bytes.len(), self.behind.bytes.capacity());
        f.debug_struct("BufWriter")
            .field("writer", &self.inner)
            .field("buffer", &format_args!("{len}/{capacity}"))
            .field("written", &self.behind.written)
            .finish()
    }
}
