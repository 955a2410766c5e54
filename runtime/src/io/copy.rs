//! Copies everything from a reader to a writer.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{AsyncRead, AsyncWrite, DEFAULT_BUF_SIZE, ReadBuf, retry};
use crate::task::coop;

/// Copies everything from `reader` to `writer`, flushes, and returns the number of bytes.
///
/// It reads ahead while the writer is not ready, and flushes whenever the reader has no data for the moment. The buffer
/// has 8 KiB; [`copy_buf`](super::copy_buf()) uses the reader's own.
///
/// # Errors
///
/// An error of the reader or the writer. [`Interrupted`](std::io::ErrorKind::Interrupted) is retried.
/// [`WriteZero`](std::io::ErrorKind::WriteZero) if the writer accepts no more.
///
/// # Cancel safety
///
/// Not safe: if the future is dropped before it is ready, bytes that were read and not yet written are lost.
///
/// # Examples
///
/// ```
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> wasio::io::Result<()> {
/// let mut reader: &[u8] = b"hello";
/// let mut writer = Vec::new();
/// assert_eq!(wasio::io::copy(&mut reader, &mut writer).await?, 5);
/// assert_eq!(writer, b"hello");
/// # Ok(())
/// # }
/// ```
pub async fn copy<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> io::Result<u64>
where
    R: AsyncRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let mut buffer = CopyBuffer::new(DEFAULT_BUF_SIZE);
    poll_fn(|cx| buffer.poll_copy(cx, Pin::new(&mut *reader), Pin::new(&mut *writer))).await
}

/// The bytes in transit from a reader to a writer.
#[derive(Debug)]
pub(super) struct CopyBuffer {
    memory: Box<[u8]>,
    /// `memory[start..end]` is read and not yet written.
    start: usize,
    end: usize,
    /// The reader has ended.
    ended: bool,
    /// Bytes were written since the last flush.
    unflushed: bool,
    copied: u64,
}

impl CopyBuffer {
    pub(super) fn new(size: usize) -> Self {
        let memory = vec![0; size].into_boxed_slice();
        CopyBuffer { memory, start: 0, end: 0, ended: false, unflushed: false, copied: 0 }
    }

    fn may_read(&self) -> bool {
        !self.ended && self.end < self.memory.len()
    }

    /// Reads once into the free end of the buffer.
    fn poll_read<R: AsyncRead + ?Sized>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
    ) -> Poll<io::Result<()>> {
        let mut buf = ReadBuf::new(&mut self.memory);
        buf.set_filled(self.end);
        ready!(retry(|| reader.as_mut().poll_read(cx, &mut buf)))?;
        let end = buf.filled_len();
        self.ended = end == self.end;
        self.end = end;
        Poll::Ready(Ok(()))
    }

    /// Copies until the reader has ended and everything is flushed.
    pub(super) fn poll_copy<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
        mut writer: Pin<&mut W>,
    ) -> Poll<io::Result<u64>>
    where
        R: AsyncRead + ?Sized,
        W: AsyncWrite + ?Sized,
    {
        let coop = ready!(coop::poll_proceed(cx));
        loop {
            if self.may_read() {
                match self.poll_read(cx, reader.as_mut()) {
                    Poll::Ready(result) => {
                        coop.made_progress();
                        result?;
                    }
                    Poll::Pending if self.start < self.end => {}
                    Poll::Pending => {
                        if self.unflushed {
                            ready!(writer.as_mut().poll_flush(cx))?;
                            coop.made_progress();
                            self.unflushed = false;
                        }
                        return Poll::Pending;
                    }
                }
            }
            while self.start < self.end {
                let rest = &self.memory[self.start..self.end];
                let n = match retry(|| writer.as_mut().poll_write(cx, rest)) {
                    Poll::Ready(result) => result?,
                    Poll::Pending => {
                        // A fuller buffer makes the next write larger.
                        if self.may_read() && self.poll_read(cx, reader.as_mut())?.is_ready() {
                            coop.made_progress();
                        }
                        return Poll::Pending;
                    }
                };
                if n == 0 {
                    let what = "write zero byte into writer";
                    return Poll::Ready(Err(io::Error::new(io::ErrorKind::WriteZero, what)));
                }
                coop.made_progress();
                self.start += n;
                self.copied += n as u64;
                self.unflushed = true;
            }
            (self.start, self.end) = (0, 0);
            if self.ended {
                ready!(writer.as_mut().poll_flush(cx))?;
                coop.made_progress();
                return Poll::Ready(Ok(self.copied));
            }
        }
    }
}
