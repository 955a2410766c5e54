//! A pipe in memory: bytes that are written at one end are read at the other.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use super::{AsyncRead, AsyncWrite, ReadBuf, ReadHalf, WriteHalf, split};
use crate::task::coop;

/// Creates a pipe in memory. Its ends can move to different tasks.
///
/// It holds at most `max_buf_size` bytes. When it is full, writing waits for reading. The reading half ends when the
/// writing half is shut down, not when it is dropped.
///
/// # Panics
///
/// Panics if `max_buf_size` is 0.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (mut reader, mut writer) = wasio::io::simplex(64);
/// writer.write_all(b"hello").await?;
/// writer.shutdown().await?;
/// let mut received = String::new();
/// reader.read_to_string(&mut received).await?;
/// assert_eq!(received, "hello");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[track_caller]
pub fn simplex(max_buf_size: usize) -> (ReadHalf<SimplexStream>, WriteHalf<SimplexStream>) {
    split(SimplexStream::new_unsplit(max_buf_size))
}

/// A pipe in memory: bytes are read in the order in which they were written.
///
/// [`simplex`] gives it in halves.
#[derive(Debug)]
pub struct SimplexStream {
    pipe: Pipe,
}

impl SimplexStream {
    /// Creates a pipe that is not split, and holds at most `max_buf_size` bytes.
    ///
    /// # Panics
    ///
    /// Panics if `max_buf_size` is 0.
    #[track_caller]
    pub fn new_unsplit(max_buf_size: usize) -> SimplexStream {
        SimplexStream { pipe: Pipe::new(max_buf_size) }
    }
}

impl AsyncRead for SimplexStream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (polled, wakers) = self.pipe.poll_read(cx, buf);
        wakers.wake();
        polled
    }
}

impl AsyncWrite for SimplexStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.pipe.close().wake();
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (polled, wakers) = self.pipe.poll_write(cx, bufs);
        wakers.wake();
        polled
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

/// The bytes in transit, and the tasks that wait for them.
///
/// Methods return the wakers instead of calling them. The pipe may be locked, and waking or dropping a waker can run
/// code that takes the same lock.
#[derive(Debug)]
pub(super) struct Pipe {
    bytes: VecDeque<u8>,
    max: usize,
    /// One of the ends is closed: nothing more is written, or nothing more is read.
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

/// The actions that remain when the pipe is unlocked.
#[must_use]
#[derive(Default)]
pub(super) struct Wakers {
    reader: Option<Waker>,
    writer: Option<Waker>,
    replaced: Option<Waker>,
}

impl Wakers {
    pub(super) fn wake(self) {
        [self.reader, self.writer].into_iter().flatten().for_each(Waker::wake);
        drop(self.replaced);
    }
}

impl Pipe {
    #[track_caller]
    pub(super) fn new(max: usize) -> Self {
        assert!(max > 0, "`max_buf_size` must be greater than 0");
        Pipe { bytes: VecDeque::new(), max, closed: false, reader: None, writer: None }
    }

    /// Closes the pipe. The bytes in it can still be read. Writing fails from now on.
    pub(super) fn close(&mut self) -> Wakers {
        self.closed = true;
        Wakers { reader: self.reader.take(), writer: self.writer.take(), replaced: None }
    }

    pub(super) fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> (Poll<io::Result<()>>, Wakers) {
        let mut wakers = Wakers::default();
        (self.poll_read_then(cx, buf, &mut wakers), wakers)
    }

    fn poll_read_then(
        &mut self,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
        wakers: &mut Wakers,
    ) -> Poll<io::Result<()>> {
        let coop = ready!(coop::poll_proceed(cx));
        if self.bytes.is_empty() && !self.closed && buf.remaining() > 0 {
            wakers.replaced = self.reader.replace(cx.waker().clone());
            return Poll::Pending;
        }
        let (front, back) = self.bytes.as_slices();
        let mut n = 0;
        for part in [front, back] {
            let part = &part[..part.len().min(buf.remaining())];
            buf.put_slice(part);
            n += part.len();
        }
        self.bytes.drain(..n);
        if n > 0 {
            wakers.writer = self.writer.take();
        }
        coop.made_progress();
        Poll::Ready(Ok(()))
    }

    pub(super) fn poll_write(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> (Poll<io::Result<usize>>, Wakers) {
        let mut wakers = Wakers::default();
        (self.poll_write_then(cx, bufs, &mut wakers), wakers)
    }

    fn poll_write_then(
        &mut self,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
        wakers: &mut Wakers,
    ) -> Poll<io::Result<usize>> {
        let coop = ready!(coop::poll_proceed(cx));
        let room = self.max - self.bytes.len();
        if self.closed {
            coop.made_progress();
            return Poll::Ready(Err(io::ErrorKind::BrokenPipe.into()));
        }
        if room == 0 && bufs.iter().any(|buf| !buf.is_empty()) {
            wakers.replaced = self.writer.replace(cx.waker().clone());
            return Poll::Pending;
        }
        let mut left = room;
        for buf in bufs {
            let part = &buf[..buf.len().min(left)];
            self.bytes.extend(part);
            left -= part.len();
        }
        if left < room {
            wakers.reader = self.reader.take();
        }
        coop.made_progress();
        Poll::Ready(Ok(room - left))
    }
}
