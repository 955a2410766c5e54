//! Reading into memory of other owners: the free part of a `BufMut`, the spare capacity of a `Vec`.
//!
//! Like [`read_buf`](super::read_buf), this file may use unsafe code, so that its callers need none.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;

use super::{AsyncRead, ReadBuf};

/// Reads once into `buf`. Returns the number of bytes.
///
/// 0 means the end, or that `buf` has no room.
#[allow(unsafe_code)]
pub(super) fn poll_read_buf<R, B>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    buf: &mut B,
) -> Poll<io::Result<usize>>
where
    R: AsyncRead + ?Sized,
    B: BufMut + ?Sized,
{
    if !buf.has_remaining_mut() {
        return Poll::Ready(Ok(0));
    }
    // SAFETY: a ReadBuf never makes an initialised byte uninitialised.
    let mut room = ReadBuf::uninit(unsafe { buf.chunk_mut().as_uninit_slice_mut() });
    ready!(poll_fill(reader, cx, &mut room))?;
    let n = room.filled_len();
    // SAFETY: the ReadBuf over the first chunk has `n` bytes filled, so they are initialised.
    unsafe { buf.advance_mut(n) };
    Poll::Ready(Ok(n))
}

/// Reads once into the spare capacity of `vec`. Returns the number of bytes.
///
/// `initialized` is the number of bytes of the spare capacity that an earlier call has initialised. It is updated, so
/// that a reader that clears its memory before it fills it does so once, not at every read.
///
/// # Safety
///
/// `initialized` is 0, or has the value that the last call for this `vec` left there, and `vec` has not been changed
/// since.
#[allow(unsafe_code)]
pub(super) unsafe fn poll_read_spare<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    vec: &mut Vec<u8>,
    initialized: &mut usize,
) -> Poll<io::Result<usize>> {
    let mut room = ReadBuf::uninit(vec.spare_capacity_mut());
    // SAFETY: the last call left that many bytes initialised, and the memory is still the same.
    unsafe { room.assume_init(*initialized) };
    let polled = poll_fill(reader, cx, &mut room);
    *initialized = room.initialized().len();
    let n = room.filled_len();
    ready!(polled)?;
    *initialized -= n;
    let len = vec.len() + n;
    // SAFETY: the ReadBuf over the spare capacity has `n` bytes filled, so they are initialised.
    unsafe { vec.set_len(len) };
    Poll::Ready(Ok(n))
}

/// Reads into `room`, and checks that it is still the same memory afterwards.
fn poll_fill<R: AsyncRead + ?Sized>(
    reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    room: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    let at = room.filled().as_ptr();
    let polled = reader.poll_read(cx, room);
    assert_eq!(at, room.filled().as_ptr(), "the reader swapped the ReadBuf");
    polled
}
