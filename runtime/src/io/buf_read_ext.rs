//! The methods of every [`AsyncBufRead`].

use std::pin::Pin;

use super::read_until::{FillBuf, ReadLine, ReadUntil};
use super::{AsyncBufRead, Lines, Split};

/// The methods of every [`AsyncBufRead`].
///
/// # Examples
///
/// ```
/// use wasio::io::AsyncBufReadExt;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> wasio::io::Result<()> {
/// let mut lines = b"one\ntwo\r\nthree".lines();
/// let mut all = Vec::new();
/// while let Some(line) = lines.next_line().await? {
///     all.push(line);
/// }
/// assert_eq!(all, ["one", "two", "three"]);
/// # Ok(())
/// # }
/// ```
pub trait AsyncBufReadExt: AsyncBufRead {
    /// Reads up to and including the next `byte`, appends the bytes to `buf`, and returns their number.
    ///
    /// At the end of the data the last byte may be a different one. 0 means that nothing was left.
    ///
    /// # Errors
    ///
    /// The reader's own errors, except `Interrupted`, which is retried. The bytes before the error are in `buf`.
    ///
    /// # Cancel safety
    ///
    /// Safe: the bytes that were read are in `buf`, and another call continues from there.
    fn read_until<'a>(&'a mut self, byte: u8, buf: &'a mut Vec<u8>) -> ReadUntil<'a, Self>
    where
        Self: Unpin,
    {
        ReadUntil::new(self, byte, buf)
    }

    /// Reads a line, appends it to `buf` with its line feed, and returns the number of bytes.
    ///
    /// 0 means that nothing was left. A line has no length limit: put [`take`](super::AsyncReadExt::take) before it if
    /// the other side is not trusted.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](std::io::ErrorKind::InvalidData) if the line is not UTF-8. The line is then lost and `buf` is
    /// unchanged. Otherwise the reader's own errors, except `Interrupted`, which is retried.
    ///
    /// # Cancel safety
    ///
    /// Not safe: if the future is dropped before it is ready, the beginning of the line is lost. `buf` is unchanged.
    /// [`Lines::next_line`] and [`read_until`](Self::read_until) lose nothing.
    fn read_line<'a>(&'a mut self, buf: &'a mut String) -> ReadLine<'a, Self>
    where
        Self: Unpin,
    {
        ReadLine::new(self, buf)
    }

    /// Returns the parts of the data between the `byte`s, without them.
    fn split(self, byte: u8) -> Split<Self>
    where
        Self: Sized + Unpin,
    {
        Split::new(self, byte)
    }

    /// Returns the buffered bytes, reading some first if there are none.
    ///
    /// Empty means the end. The bytes stay in the buffer until [`consume`](Self::consume) takes them out.
    ///
    /// # Cancel safety
    ///
    /// Safe: the bytes that were read are in the reader's buffer.
    fn fill_buf(&mut self) -> FillBuf<'_, Self>
    where
        Self: Unpin,
    {
        FillBuf::new(self)
    }

    /// Takes `amt` bytes out of the buffer, at most as many as [`fill_buf`](Self::fill_buf) returned.
    fn consume(&mut self, amt: usize)
    where
        Self: Unpin,
    {
        Pin::new(self).consume(amt);
    }

    /// Returns the lines of the data, without their line feeds.
    fn lines(self) -> Lines<Self>
    where
        Self: Sized,
    {
        Lines::new(self)
    }
}

impl<R: AsyncBufRead + ?Sized> AsyncBufReadExt for R {}
