//! The methods of every [`AsyncWrite`].

use std::io::IoSlice;

use bytes::Buf;

use super::AsyncWrite;
use super::numbers::WriteNumber;
use super::write_ops::{Flush, Shutdown, Write, WriteAll, WriteAllBuf, WriteBuf, WriteVectored};

/// Declares a method for each type of number.
macro_rules! write_numbers {
    ($($name:ident: $type:ty = $bytes:literal, $encode:ident, $what:literal;)*) => {
        $(
            #[doc = concat!("Writes ", $what, ".")]
            ///
            /// # Errors
            ///
            /// [`WriteZero`](std::io::ErrorKind::WriteZero) if the writer accepts no more bytes, and the writer's
            /// errors except `Interrupted`, after which the write is retried.
            ///
            /// # Cancel safety
            ///
            #[doc = write_numbers!(@cancel $bytes)]
            fn $name(&mut self, n: $type) -> WriteNumber<&mut Self, [u8; $bytes]>
            where
                Self: Unpin,
            {
                WriteNumber::new(self, n.$encode())
            }
        )*
    };
    (@cancel 1) => {
        "Safe: if the future is dropped before it is ready, nothing was written."
    };
    (@cancel $bytes:literal) => {
        "Not safe: if the future is dropped before it is ready, some of the bytes may be written."
    };
}

/// The methods of every [`AsyncWrite`].
///
/// # Examples
///
/// ```
/// use wasio::io::AsyncWriteExt;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> wasio::io::Result<()> {
/// let mut message = Vec::new();
/// message.write_u16(5).await?;
/// message.write_all(b"hello").await?;
/// assert_eq!(message, b"\x00\x05hello");
/// # Ok(())
/// # }
/// ```
pub trait AsyncWriteExt: AsyncWrite {
    /// Writes bytes from the start of `src`, and returns their number.
    ///
    /// That may be fewer than `src` has; [`write_all`](Self::write_all) writes them all. 0 for a `src` that is not
    /// empty usually means that the writer accepts no more.
    ///
    /// # Cancel safety
    ///
    /// Safe: if the future is dropped before it is ready, nothing was written.
    fn write<'a>(&'a mut self, src: &'a [u8]) -> Write<'a, Self>
    where
        Self: Unpin,
    {
        Write::new(self, src)
    }

    /// Writes bytes from several buffers in their order, and returns their number.
    ///
    /// # Cancel safety
    ///
    /// Safe: if the future is dropped before it is ready, nothing was written.
    fn write_vectored<'a, 'b>(&'a mut self, bufs: &'a [IoSlice<'b>]) -> WriteVectored<'a, 'b, Self>
    where
        Self: Unpin,
    {
        WriteVectored::new(self, bufs)
    }

    /// Writes bytes from the start of `src`, removes them from it, and returns their number.
    ///
    /// # Cancel safety
    ///
    /// Safe: if the future is dropped before it is ready, nothing was written and `src` is unchanged.
    fn write_buf<'a, B>(&'a mut self, src: &'a mut B) -> WriteBuf<'a, Self, B>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        WriteBuf::new(self, src)
    }

    /// Writes all of `src`, which is empty afterwards.
    ///
    /// # Errors
    ///
    /// [`WriteZero`](std::io::ErrorKind::WriteZero) if the writer accepts no more; otherwise the writer's own errors,
    /// except `Interrupted`, which is retried. The written bytes are removed from `src`.
    ///
    /// # Cancel safety
    ///
    /// Safe: if the future is dropped before it is ready, the written bytes are removed from `src`, and another call
    /// continues from there.
    fn write_all_buf<'a, B>(&'a mut self, src: &'a mut B) -> WriteAllBuf<'a, Self, B>
    where
        Self: Sized + Unpin,
        B: Buf,
    {
        WriteAllBuf::new(self, src)
    }

    /// Writes all of `src`.
    ///
    /// # Errors
    ///
    /// [`WriteZero`](std::io::ErrorKind::WriteZero) if the writer accepts no more; otherwise the writer's own errors,
    /// except `Interrupted`, which is retried. How much was written before is not known.
    ///
    /// # Cancel safety
    ///
    /// Not safe: if the future is dropped before it is ready, an unknown part of `src` may be written.
    /// [`write_all_buf`](Self::write_all_buf) is safe.
    fn write_all<'a>(&'a mut self, src: &'a [u8]) -> WriteAll<'a, Self>
    where
        Self: Unpin,
    {
        WriteAll::new(self, src)
    }

    write_numbers! {
        write_u8: u8 = 1, to_be_bytes, "an unsigned 8-bit integer";
        write_i8: i8 = 1, to_be_bytes, "a signed 8-bit integer";
        write_u16: u16 = 2, to_be_bytes, "an unsigned 16-bit integer, big-endian";
        write_i16: i16 = 2, to_be_bytes, "a signed 16-bit integer, big-endian";
        write_u32: u32 = 4, to_be_bytes, "an unsigned 32-bit integer, big-endian";
        write_i32: i32 = 4, to_be_bytes, "a signed 32-bit integer, big-endian";
        write_u64: u64 = 8, to_be_bytes, "an unsigned 64-bit integer, big-endian";
        write_i64: i64 = 8, to_be_bytes, "a signed 64-bit integer, big-endian";
        write_u128: u128 = 16, to_be_bytes, "an unsigned 128-bit integer, big-endian";
        write_i128: i128 = 16, to_be_bytes, "a signed 128-bit integer, big-endian";
        write_f32: f32 = 4, to_be_bytes, "a 32-bit floating-point number, big-endian";
        write_f64: f64 = 8, to_be_bytes, "a 64-bit floating-point number, big-endian";
        write_u16_le: u16 = 2, to_le_bytes, "an unsigned 16-bit integer, little-endian";
        write_i16_le: i16 = 2, to_le_bytes, "a signed 16-bit integer, little-endian";
        write_u32_le: u32 = 4, to_le_bytes, "an unsigned 32-bit integer, little-endian";
        write_i32_le: i32 = 4, to_le_bytes, "a signed 32-bit integer, little-endian";
        write_u64_le: u64 = 8, to_le_bytes, "an unsigned 64-bit integer, little-endian";
        write_i64_le: i64 = 8, to_le_bytes, "a signed 64-bit integer, little-endian";
        write_u128_le: u128 = 16, to_le_bytes, "an unsigned 128-bit integer, little-endian";
        write_i128_le: i128 = 16, to_le_bytes, "a signed 128-bit integer, little-endian";
        write_f32_le: f32 = 4, to_le_bytes, "a 32-bit floating-point number, little-endian";
        write_f64_le: f64 = 8, to_le_bytes, "a 64-bit floating-point number, little-endian";
    }

    /// Writes out all buffered bytes.
    ///
    /// # Cancel safety
    ///
    /// Safe: the remaining bytes stay buffered, and another call continues.
    fn flush(&mut self) -> Flush<'_, Self>
    where
        Self: Unpin,
    {
        Flush::new(self)
    }

    /// Flushes, and ends the writing.
    ///
    /// For a TCP stream this closes the sending half, so that the peer reads the end.
    ///
    /// # Cancel safety
    ///
    /// Safe: another call continues.
    fn shutdown(&mut self) -> Shutdown<'_, Self>
    where
        Self: Unpin,
    {
        Shutdown::new(self)
    }
}

impl<W: AsyncWrite + ?Sized> AsyncWriteExt for W {}
