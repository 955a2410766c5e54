//! The trait of types from which bytes can be read.

use std::io;
use std::ops::DerefMut;
use std::pin::Pin;
use std::task::{Context, Poll};

use super::ReadBuf;

/// Reads bytes without blocking the thread.
///
/// The counterpart of [`std::io::Read`]. Programs call the methods of
/// [`AsyncReadExt`](super::AsyncReadExt). This trait is for implementing a reader.
///
/// # Examples
///
/// A reader that yields zeros without end:
///
/// ```
/// use std::io;
/// use std::pin::Pin;
/// use std::task::{Context, Poll};
///
/// use wasio::io::{AsyncRead, AsyncReadExt, ReadBuf};
///
/// struct Zeros;
///
/// impl AsyncRead for Zeros {
///     fn poll_read(
///         self: Pin<&mut Self>,
///         _: &mut Context<'_>,
///         buf: &mut ReadBuf<'_>,
///     ) -> Poll<io::Result<()>> {
///         let n = buf.remaining();
///         buf.initialize_unfilled().fill(0);
///         buf.advance(n);
///         Poll::Ready(Ok(()))
///     }
/// }
///
/// # wasio::runtime::Builder::new_current_thread().build()?.block_on(async {
/// let mut buf = [1; 4];
/// Zeros.read_exact(&mut buf).await?;
/// assert_eq!(buf, [0; 4]);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub trait AsyncRead {
    /// Tries to read into the unfilled part of `buf`.
    ///
    /// - `Ready(Ok(()))`: the bytes that were read have been added to `buf`'s filled part. If there was room and none
    ///   were added, the end of the data is reached.
    /// - `Ready(Err(_))`: nothing was read.
    /// - `Pending`: nothing was read, and the current task is woken when it is worth trying again.
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>>;
}

impl<T: ?Sized + AsyncRead + Unpin> AsyncRead for Box<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_read(cx, buf)
    }
}

impl<T: ?Sized + AsyncRead + Unpin> AsyncRead for &mut T {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut **self).poll_read(cx, buf)
    }
}

impl<P> AsyncRead for Pin<P>
where
    P: DerefMut,
    P::Target: AsyncRead,
{
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.as_deref_mut().poll_read(cx, buf)
    }
}

impl AsyncRead for &[u8] {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (now, later) = self.split_at(self.len().min(buf.remaining()));
        buf.put_slice(now);
        *self = later;
        Poll::Ready(Ok(()))
    }
}

impl<T: AsRef<[u8]> + Unpin> AsyncRead for io::Cursor<T> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let data = self.get_ref().as_ref();
        // A cursor may be past the end of its data. That is the end, too.
        let start = self.position().min(data.len() as u64) as usize;
        let n = (data.len() - start).min(buf.remaining());
        buf.put_slice(&data[start..start + n]);
        let position = self.position() + n as u64;
        self.set_position(position);
        Poll::Ready(Ok(()))
    }
}
