//! The futures of `read_u8` … `read_f64_le` and `write_u8` … `write_f64_le`.
//!
//! One future serves all types: it moves an array of bytes, and a function pointer converts it to a number.

use std::fmt;
use std::future::Future;
use std::io;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{AsyncRead, AsyncWrite, ReadBuf, retry};

pin_project! {
    /// The future of the methods that read a number, such as [`read_u16`](super::AsyncReadExt::read_u16).
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ReadNumber<R, T, B> {
        #[pin]
        reader: R,
        bytes: B,
        read: usize,
        decode: fn(B) -> T,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<R, T, const N: usize> ReadNumber<R, T, [u8; N]> {
    pub(super) fn new(reader: R, decode: fn([u8; N]) -> T) -> Self {
        ReadNumber { reader, bytes: [0; N], read: 0, decode, _pin: PhantomPinned }
    }
}

impl<R: AsyncRead, T, const N: usize> Future for ReadNumber<R, T, [u8; N]> {
    type Output = io::Result<T>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<T>> {
        let mut me = self.project();
        while *me.read < N {
            let mut buf = ReadBuf::new(&mut me.bytes[*me.read..]);
            ready!(retry(|| me.reader.as_mut().poll_read(cx, &mut buf)))?;
            match buf.filled_len() {
                0 => return Poll::Ready(Err(io::ErrorKind::UnexpectedEof.into())),
                n => *me.read += n,
            }
        }
        Poll::Ready(Ok((me.decode)(*me.bytes)))
    }
}

impl<R, T, B> fmt::Debug for ReadNumber<R, T, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ReadNumber").field("read", &self.read).finish_non_exhaustive()
    }
}

pin_project! {
    /// The future of the methods that write a number, such as [`write_u16`](super::AsyncWriteExt::write_u16).
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct WriteNumber<W, B> {
        #[pin]
        writer: W,
        bytes: B,
        written: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<W, const N: usize> WriteNumber<W, [u8; N]> {
    pub(super) fn new(writer: W, bytes: [u8; N]) -> Self {
        WriteNumber { writer, bytes, written: 0, _pin: PhantomPinned }
    }
}

impl<W: AsyncWrite, const N: usize> Future for WriteNumber<W, [u8; N]> {
    type Output = io::Result<()>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut me = self.project();
        while *me.written < N {
            match ready!(retry(|| me.writer.as_mut().poll_write(cx, &me.bytes[*me.written..])))? {
                0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                n => *me.written += n,
            }
        }
        Poll::Ready(Ok(()))
    }
}

impl<W, B> fmt::Debug for WriteNumber<W, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WriteNumber").field("written", &self.written).finish_non_exhaustive()
    }
}
