//! Copies everything from a reader with a buffer to a writer.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{AsyncBufRead, AsyncWrite};
use crate::task::coop;

/// Copies everything from `reader` to `writer` without a buffer in between, flushes, and returns the number
/// of bytes.
///
/// It flushes whenever the reader has no data for the moment.
///
/// # Errors
///
/// An error of the reader or the writer. [`Interrupted`](std::io::ErrorKind::Interrupted) is retried.
/// [`WriteZero`](std::io::ErrorKind::WriteZero) if the writer accepts no more.
///
/// # Cancel safety
///
/// Safe: bytes that were not written are in the reader's buffer, and another call continues from there.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mut from = wasio::io::BufReader::new(&b"hello"[..]);
/// let mut to = Vec::new();
/// assert_eq!(wasio::io::copy_buf(&mut from, &mut to).await?, 5);
/// assert_eq!(to, b"hello");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn copy_buf<'a, R, W>(reader: &'a mut R, writer: &'a mut W) -> io::Result<u64>
where
    R: AsyncBufRead + Unpin + ?Sized,
    W: AsyncWrite + Unpin + ?Sized,
{
    let (mut copied, mut unflushed) = (0, false);
    poll_fn(|cx| {
        let writer = Pin::new(&mut *writer);
        poll_copy_buf(cx, Pin::new(&mut *reader), writer, &mut copied, &mut unflushed)
    })
    .await
}

fn poll_copy_buf<R, W>(
    cx: &mut Context<'_>,
    mut reader: Pin<&mut R>,
    mut writer: Pin<&mut W>,
    copied: &mut u64,
    unflushed: &mut bool,
) -> Poll<io::Result<u64>>
where
    R: AsyncBufRead + ?Sized,
    W: AsyncWrite + ?Sized,
{
    let coop = ready!(coop::poll_proceed(cx));
    loop {
        let bytes = match reader.as_mut().poll_fill_buf(cx) {
            Poll::Ready(Err(e)) if e.kind() == io::ErrorKind::Interrupted => continue,
            Poll::Ready(result) => {
                coop.made_progress();
                result?
            }
            Poll::Pending => {
                if *unflushed {
                    ready!(writer.as_mut().poll_flush(cx))?;
                    *unflushed = false;
                }
                return Poll::Pending;
            }
        };
        if bytes.is_empty() {
            ready!(writer.as_mut().poll_flush(cx))?;
            return Poll::Ready(Ok(*copied));
        }
        match ready!(writer.as_mut().poll_write(cx, bytes)) {
            Ok(0) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
            Ok(n) => {
                *copied += n as u64;
                *unflushed = true;
                reader.as_mut().consume(n);
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Poll::Ready(Err(e)),
        }
    }
}
