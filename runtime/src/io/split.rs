//! A stream split into a reader and a writer.

use std::fmt;
use std::io::{self, IoSlice};
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::{AsyncRead, AsyncWrite, ReadBuf};
use crate::lock::Mutex;

/// Splits a stream into a reader and a writer that can go to different tasks.
///
/// It works for any stream, and so needs a lock and an allocation. A type that can be split in a way of its
/// own, such as a TCP stream with `into_split`, does so more cheaply. [`ReadHalf::unsplit`] puts the halves
/// together again.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt, duplex, split};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> wasio::io::Result<()> {
/// let (mut here, there) = duplex(64);
/// let (mut reader, mut writer) = split(there);
/// writer.write_all(b"ping").await?;
/// here.write_all(b"pong").await?;
///
/// let mut bytes = [0; 4];
/// here.read_exact(&mut bytes).await?;
/// assert_eq!(&bytes, b"ping");
/// reader.read_exact(&mut bytes).await?;
/// assert_eq!(&bytes, b"pong");
/// let _there = reader.unsplit(writer);
/// # Ok(())
/// # }
/// ```
pub fn split<T>(stream: T) -> (ReadHalf<T>, WriteHalf<T>)
where
    T: AsyncRead + AsyncWrite,
{
    let is_write_vectored = stream.is_write_vectored();
    let stream = Arc::new(Mutex::new(Box::pin(stream)));
    (
        ReadHalf { stream: stream.clone(), _stream: PhantomData },
        WriteHalf { stream, is_write_vectored, _stream: PhantomData },
    )
}

// Boxed, because a pinned stream in a mutex cannot be reached without unsafe code. Locked only during a poll.
type Shared<T> = Arc<Mutex<Pin<Box<T>>>>;

/// The reading half of a stream. [`split`] creates it.
pub struct ReadHalf<T> {
    stream: Shared<T>,
    // `Sync` only if the stream is.
    _stream: PhantomData<Box<T>>,
}

/// The writing half of a stream. [`split`] creates it.
///
/// Dropping it does not shut the stream down: that happens when both halves are dropped, or by `shutdown`.
pub struct WriteHalf<T> {
    stream: Shared<T>,
    is_write_vectored: bool,
    _stream: PhantomData<Box<T>>,
}

impl<T> ReadHalf<T> {
    /// Returns whether both are halves of the same stream.
    pub fn is_pair_of(&self, other: &WriteHalf<T>) -> bool {
        other.is_pair_of(self)
    }

    /// Joins the two halves into the stream again.
    ///
    /// # Panics
    ///
    /// Panics if they are not halves of the same stream.
    #[track_caller]
    pub fn unsplit(self, wr: WriteHalf<T>) -> T
    where
        T: Unpin,
    {
        assert!(self.is_pair_of(&wr), "Unrelated `split::Write` passed to `split::Read::unsplit`.");
        drop(wr);
        let stream = Arc::into_inner(self.stream).expect("a stream has two halves");
        *Pin::into_inner(stream.into_inner())
    }
}

impl<T> WriteHalf<T> {
    /// Returns whether both are halves of the same stream.
    pub fn is_pair_of(&self, other: &ReadHalf<T>) -> bool {
        Arc::ptr_eq(&self.stream, &other.stream)
    }
}

impl<T: AsyncRead> AsyncRead for ReadHalf<T> {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.stream.lock().as_mut().poll_read(cx, buf)
    }
}

impl<T: AsyncWrite> AsyncWrite for WriteHalf<T> {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.stream.lock().as_mut().poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.lock().as_mut().poll_flush(cx)
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream.lock().as_mut().poll_shutdown(cx)
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.stream.lock().as_mut().poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.is_write_vectored
    }
}

impl<T: fmt::Debug> fmt::Debug for ReadHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::ReadHalf").finish()
    }
}

impl<T: fmt::Debug> fmt::Debug for WriteHalf<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("split::WriteHalf").finish()
    }
}
