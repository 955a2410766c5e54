//! The methods of every [`AsyncRead`].

use bytes::BufMut;

use super::numbers::ReadNumber;
use super::read_ops::{Read, ReadExact, ReadIntoBuf};
use super::read_to_end::{ReadToEnd, ReadToString};
use super::{AsyncRead, Chain, Take};

/// Declares a method for each type of number.
macro_rules! read_numbers {
    ($($name:ident: $type:ty = $bytes:literal, $decode:ident, $what:literal;)*) => {
        $(
            #[doc = concat!("Reads ", $what, ".")]
            ///
            /// # Errors
            ///
            /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) if the data ends early, and the reader's errors
            /// except `Interrupted`, after which the read is retried.
            ///
            /// # Cancel safety
            ///
            #[doc = read_numbers!(@cancel $bytes)]
            fn $name(&mut self) -> ReadNumber<&mut Self, $type, [u8; $bytes]>
            where
                Self: Unpin,
            {
                ReadNumber::new(self, <$type>::$decode)
            }
        )*
    };
    (@cancel 1) => {
        "Safe: if the future is dropped before it is ready, nothing was read."
    };
    (@cancel $bytes:literal) => {
        "Not safe: if the future is dropped before it is ready, the bytes read so far are lost."
    };
}

/// The methods of every [`AsyncRead`].
///
/// # Examples
///
/// ```
/// use wasio::io::AsyncReadExt;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> wasio::io::Result<()> {
/// let mut data: &[u8] = b"\x00\x05hello, world";
/// let length = data.read_u16().await?;
/// let mut word = String::new();
/// (&mut data).take(length.into()).read_to_string(&mut word).await?;
/// assert_eq!(word, "hello");
/// # Ok(())
/// # }
/// ```
pub trait AsyncReadExt: AsyncRead {
    /// Returns a reader of the bytes of `self`, followed by those of `next`.
    fn chain<R>(self, next: R) -> Chain<Self, R>
    where
        Self: Sized,
        R: AsyncRead,
    {
        Chain::new(self, next)
    }

    /// Reads the available bytes, at most as many as fit into `buf`, and returns their number.
    ///
    /// 0 means the end of the data, or that `buf` is empty.
    ///
    /// # Cancel safety
    ///
    /// Safe: if the future is dropped before it is ready, nothing was read.
    fn read<'a>(&'a mut self, buf: &'a mut [u8]) -> Read<'a, Self>
    where
        Self: Unpin,
    {
        Read::new(self, buf)
    }

    /// Reads the available bytes, appends them to `buf`, and returns their number.
    ///
    /// The memory is not cleared first. A buffer that grows (`Vec`, `BytesMut`) grows by as much as it needs. 0 means
    /// the end of the data, or that `buf` has no room.
    ///
    /// # Cancel safety
    ///
    /// Safe: if the future is dropped before it is ready, nothing was read.
    fn read_buf<'a, B>(&'a mut self, buf: &'a mut B) -> ReadIntoBuf<'a, Self, B>
    where
        Self: Unpin,
        B: BufMut + ?Sized,
    {
        ReadIntoBuf::new(self, buf)
    }

    /// Reads until `buf` is full, and returns its length.
    ///
    /// # Errors
    ///
    /// [`UnexpectedEof`](std::io::ErrorKind::UnexpectedEof) if the data ends before; otherwise the reader's own errors,
    /// except `Interrupted`, which is retried. The content of `buf` is then unspecified.
    ///
    /// # Cancel safety
    ///
    /// Not safe: if the future is dropped before it is ready, an unknown part of `buf` may be filled.
    fn read_exact<'a>(&'a mut self, buf: &'a mut [u8]) -> ReadExact<'a, Self>
    where
        Self: Unpin,
    {
        ReadExact::new(self, buf)
    }

    read_numbers! {
        read_u8: u8 = 1, from_be_bytes, "an unsigned 8-bit integer";
        read_i8: i8 = 1, from_be_bytes, "a signed 8-bit integer";
        read_u16: u16 = 2, from_be_bytes, "an unsigned 16-bit integer, big-endian";
        read_i16: i16 = 2, from_be_bytes, "a signed 16-bit integer, big-endian";
        read_u32: u32 = 4, from_be_bytes, "an unsigned 32-bit integer, big-endian";
        read_i32: i32 = 4, from_be_bytes, "a signed 32-bit integer, big-endian";
        read_u64: u64 = 8, from_be_bytes, "an unsigned 64-bit integer, big-endian";
        read_i64: i64 = 8, from_be_bytes, "a signed 64-bit integer, big-endian";
        read_u128: u128 = 16, from_be_bytes, "an unsigned 128-bit integer, big-endian";
        read_i128: i128 = 16, from_be_bytes, "a signed 128-bit integer, big-endian";
        read_f32: f32 = 4, from_be_bytes, "a 32-bit floating-point number, big-endian";
        read_f64: f64 = 8, from_be_bytes, "a 64-bit floating-point number, big-endian";
        read_u16_le: u16 = 2, from_le_bytes, "an unsigned 16-bit integer, little-endian";
        read_i16_le: i16 = 2, from_le_bytes, "a signed 16-bit integer, little-endian";
        read_u32_le: u32 = 4, from_le_bytes, "an unsigned 32-bit integer, little-endian";
        read_i32_le: i32 = 4, from_le_bytes, "a signed 32-bit integer, little-endian";
        read_u64_le: u64 = 8, from_le_bytes, "an unsigned 64-bit integer, little-endian";
        read_i64_le: i64 = 8, from_le_bytes, "a signed 64-bit integer, little-endian";
        read_u128_le: u128 = 16, from_le_bytes, "an unsigned 128-bit integer, little-endian";
        read_i128_le: i128 = 16, from_le_bytes, "a signed 128-bit integer, little-endian";
        read_f32_le: f32 = 4, from_le_bytes, "a 32-bit floating-point number, little-endian";
        read_f64_le: f64 = 8, from_le_bytes, "a 64-bit floating-point number, little-endian";
    }

    /// Reads everything up to the end of the data, appends it to `buf`, and returns the number of bytes.
    ///
    /// # Errors
    ///
    /// The reader's own errors, except `Interrupted`, which is retried. The bytes before the error are in `buf`.
    ///
    /// # Cancel safety
    ///
    /// Safe: the bytes that were read are in `buf`, and another call continues from there.
    fn read_to_end<'a>(&'a mut self, buf: &'a mut Vec<u8>) -> ReadToEnd<'a, Self>
    where
        Self: Unpin,
    {
        ReadToEnd::new(self, buf)
    }

    /// Reads everything up to the end of the data, appends it to `dst`, and returns the number of bytes.
    ///
    /// # Errors
    ///
    /// [`InvalidData`](std::io::ErrorKind::InvalidData) if the data is not UTF-8; otherwise the reader's own errors,
    /// except `Interrupted`, which is retried. `dst` is then unchanged.
    ///
    /// # Cancel safety
    ///
    /// Not safe: if the future is dropped before it is ready, the bytes that were read are lost. `dst` is unchanged.
    fn read_to_string<'a>(&'a mut self, dst: &'a mut String) -> ReadToString<'a, Self>
    where
        Self: Unpin,
    {
        ReadToString::new(self, dst)
    }

    /// Returns a reader of the first `limit` bytes of `self`.
    fn take(self, limit: u64) -> Take<Self>
    where
        Self: Sized,
    {
        Take::new(self, limit)
    }
}

impl<R: AsyncRead + ?Sized> AsyncReadExt for R {}
