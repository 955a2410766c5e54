//! The futures of `read_until`, `read_line` and `fill_buf`.

use std::future::Future;
use std::io::{self, BufRead};
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use pin_project_lite::pin_project;

use super::{AsyncBufRead, append_utf8, retry, take_bytes};
use crate::task::coop;

/// Moves bytes from `reader` to `buf` up to and including `delimiter`, or to the end.
///
/// Returns the number of bytes moved. It includes those of earlier calls that returned `Pending`, which are counted in
/// `read`.
pub(super) fn poll_read_until<R: AsyncBufRead + ?Sized>(
    mut reader: Pin<&mut R>,
    cx: &mut Context<'_>,
    delimiter: u8,
    buf: &mut Vec<u8>,
    read: &mut usize,
) -> Poll<io::Result<usize>> {
    loop {
        let mut available = match ready!(reader.as_mut().poll_fill_buf(cx)) {
            Ok(available) => available,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => continue,
            Err(e) => return Poll::Ready(Err(e)),
        };
        // std's search for a byte is fast, but is only accessible through its reader of a slice.
        let n = available.read_until(delimiter, buf)?;
        reader.as_mut().consume(n);
        *read += n;
        if n == 0 || buf.last() == Some(&delimiter) {
            return Poll::Ready(Ok(std::mem::take(read)));
        }
    }
}

pin_project! {
    /// The future of [`AsyncBufReadExt::read_until`](super::AsyncBufReadExt::read_until).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ReadUntil<'a, R: ?Sized> {
        reader: &'a mut R,
        delimiter: u8,
        buf: &'a mut Vec<u8>,
        read: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadUntil<'a, R> {
    pub(super) fn new(reader: &'a mut R, delimiter: u8, buf: &'a mut Vec<u8>) -> Self {
        ReadUntil { reader, delimiter, buf, read: 0, _pin: PhantomPinned }
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Future for ReadUntil<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        poll_read_until(Pin::new(&mut **me.reader), cx, *me.delimiter, me.buf, me.read)
    }
}

pin_project! {
    /// The future of [`AsyncBufReadExt::read_line`](super::AsyncBufReadExt::read_line).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct ReadLine<'a, R: ?Sized> {
        reader: &'a mut R,
        output: &'a mut String,
        // Checked and appended to `output` at the end. `output` is unchanged until then.
        bytes: Vec<u8>,
        read: usize,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> ReadLine<'a, R> {
    pub(super) fn new(reader: &'a mut R, output: &'a mut String) -> Self {
        let bytes = take_bytes(output);
        ReadLine { reader, output, bytes, read: 0, _pin: PhantomPinned }
    }
}

impl<R: AsyncBufRead + Unpin + ?Sized> Future for ReadLine<'_, R> {
    type Output = io::Result<usize>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<usize>> {
        let me = self.project();
        let read =
            ready!(poll_read_until(Pin::new(&mut **me.reader), cx, b'\n', me.bytes, me.read));
        let appended = append_utf8(me.output, std::mem::take(me.bytes));
        // The reader's error takes precedence over an error in the text before it.
        let n = read?;
        appended?;
        Poll::Ready(Ok(n))
    }
}

pin_project! {
    /// The future of [`AsyncBufReadExt::fill_buf`](super::AsyncBufReadExt::fill_buf).
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct FillBuf<'a, R: ?Sized> {
        reader: Option<&'a mut R>,
        #[pin]
        _pin: PhantomPinned,
    }
}

impl<'a, R: ?Sized> FillBuf<'a, R> {
    pub(super) fn new(reader: &'a mut R) -> Self {
        FillBuf { reader: Some(reader), _pin: PhantomPinned }
    }
}

impl<'a, R: AsyncBufRead + Unpin + ?Sized> Future for FillBuf<'a, R> {
    type Output = io::Result<&'a [u8]>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<&'a [u8]>> {
        let slot = self.project().reader;
        let reader = slot.take().expect("`fill_buf` polled after it was ready");
        match retry(|| Pin::new(&mut *reader).poll_fill_buf(cx).map_ok(<[u8]>::is_empty)) {
            Poll::Pending => {
                *slot = Some(reader);
                Poll::Pending
            }
            Poll::Ready(Err(e)) => Poll::Ready(Err(e)),
            Poll::Ready(Ok(true)) => Poll::Ready(Ok(&[])),
            // The borrow checker does not let a slice leave one arm and the reader another, so this asks again for the
            // buffered bytes. Without a budget, which the first call may have spent.
            Poll::Ready(Ok(false)) => coop::with_unconstrained(|| {
                let again = Pin::new(reader).poll_fill_buf(cx);
                assert!(
                    again.is_ready(),
                    "poll_fill_buf was ready, and then not, without `consume`"
                );
                again
            }),
        }
    }
}
