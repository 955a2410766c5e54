//! Copies everything between two streams, in both directions.

use std::future::poll_fn;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::copy::CopyBuffer;
use super::{AsyncRead, AsyncWrite, DEFAULT_BUF_SIZE};

/// Copies everything from `a` to `b` and from `b` to `a`, and returns the number of bytes of each.
///
/// When one side ends, the other is shut down, and its answer is still copied. Ready when both have ended.
///
/// # Errors
///
/// The first error of either direction ends both; [`copy`](super::copy()) names them.
///
/// # Cancel safety
///
/// Not safe: if the future is dropped before it is ready, bytes that were read and not yet written are lost.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (mut client, mut a) = wasio::io::duplex(64);
/// let (mut server, mut b) = wasio::io::duplex(64);
/// let proxy = wasio::spawn(async move { wasio::io::copy_bidirectional(&mut a, &mut b).await });
///
/// client.write_all(b"question").await?;
/// client.shutdown().await?;
/// let mut received = String::new();
/// server.read_to_string(&mut received).await?;
/// assert_eq!(received, "question");
/// drop(server);
/// assert_eq!(proxy.await??, (8, 0));
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn copy_bidirectional<A, B>(a: &mut A, b: &mut B) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    copy_bidirectional_with_sizes(a, b, DEFAULT_BUF_SIZE, DEFAULT_BUF_SIZE).await
}

/// Like [`copy_bidirectional`], with buffers of these sizes in bytes.
///
/// # Errors
///
/// The same as for [`copy_bidirectional`].
///
/// # Panics
///
/// Panics if a size is 0.
///
/// # Cancel safety
///
/// Not safe: if the future is dropped before it is ready, bytes that were read and not yet written are lost.
pub async fn copy_bidirectional_with_sizes<A, B>(
    a: &mut A,
    b: &mut B,
    a_to_b_buf_size: usize,
    b_to_a_buf_size: usize,
) -> io::Result<(u64, u64)>
where
    A: AsyncRead + AsyncWrite + Unpin + ?Sized,
    B: AsyncRead + AsyncWrite + Unpin + ?Sized,
{
    assert!(a_to_b_buf_size > 0, "`a_to_b_buf_size` must be greater than 0");
    assert!(b_to_a_buf_size > 0, "`b_to_a_buf_size` must be greater than 0");
    let mut a_to_b = Direction::Copying(CopyBuffer::new(a_to_b_buf_size));
    let mut b_to_a = Direction::Copying(CopyBuffer::new(b_to_a_buf_size));
    poll_fn(|cx| {
        // Both are polled each time, so that an error of one does not wait for the other.
        let there = a_to_b.poll(cx, Pin::new(&mut *a), Pin::new(&mut *b))?;
        let back = b_to_a.poll(cx, Pin::new(&mut *b), Pin::new(&mut *a))?;
        Poll::Ready(Ok((ready!(there), ready!(back))))
    })
    .await
}

enum Direction {
    Copying(CopyBuffer),
    ShuttingDown(u64),
    Done(u64),
}

impl Direction {
    fn poll<R, W>(
        &mut self,
        cx: &mut Context<'_>,
        mut reader: Pin<&mut R>,
        mut writer: Pin<&mut W>,
    ) -> Poll<io::Result<u64>>
    where
        R: AsyncRead + ?Sized,
        W: AsyncWrite + ?Sized,
    {
        loop {
            *self = match self {
                Direction::Copying(buffer) => {
                    let n = ready!(buffer.poll_copy(cx, reader.as_mut(), writer.as_mut()))?;
                    Direction::ShuttingDown(n)
                }
                Direction::ShuttingDown(n) => {
                    ready!(writer.as_mut().poll_shutdown(cx))?;
                    Direction::Done(*n)
                }
                Direction::Done(n) => return Poll::Ready(Ok(*n)),
            }
        }
    }
}
