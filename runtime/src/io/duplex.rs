//! Two pipes in memory: a connection between two ends.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::simplex::Pipe;
use super::{AsyncRead, AsyncWrite, ReadBuf};
use crate::lock::Mutex;

/// Creates a connection in memory: bytes written at one end are read at the other, in both directions.
///
/// Each direction holds at most `max_buf_size` bytes. When it is full, writing waits for reading. When one end is
/// dropped, the other reads the remaining bytes and then the end, and writing to it fails with
/// [`BrokenPipe`](std::io::ErrorKind::BrokenPipe).
///
/// # Panics
///
/// Panics if `max_buf_size` is 0.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> wasio::io::Result<()> {
/// let (mut client, mut server) = wasio::io::duplex(64);
/// client.write_all(b"ping").await?;
/// let mut bytes = [0; 4];
/// server.read_exact(&mut bytes).await?;
/// assert_eq!(&bytes, b"ping");
/// # Ok(())
/// # }
/// ```
#[track_caller]
pub fn duplex(max_buf_size: usize) -> (DuplexStream, DuplexStream) {
    let one = Arc::new(Mutex::new(Pipe::new(max_buf_size)));
    let two = Arc::new(Mutex::new(Pipe::new(max_buf_size)));
    (DuplexStream { read: one.clone(), write: two.clone() }, DuplexStream { read: two, write: one })
}

/// One end of a connection in memory. [`duplex`] creates it.
#[derive(Debug)]
pub struct DuplexStream {
    read: Arc<Mutex<Pipe>>,
    write: Arc<Mutex<Pipe>>,
}

/// Closes a pipe and wakes the tasks that wait for it, once it is unlocked.
fn close(pipe: &Mutex<Pipe>) {
    let wakers = pipe.lock().close();
    wakers.wake();
}

impl AsyncRead for DuplexStream {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let (polled, wakers) = self.read.lock().poll_read(cx, buf);
        wakers.wake();
        polled
    }
}

impl AsyncWrite for DuplexStream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.poll_write_vectored(cx, &[IoSlice::new(buf)])
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        close(&self.write);
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let (polled, wakers) = self.write.lock().poll_write(cx, bufs);
        wakers.wake();
        polled
    }

    fn is_write_vectored(&self) -> bool {
        true
    }
}

impl Drop for DuplexStream {
    fn drop(&mut self) {
        close(&self.write);
        close(&self.read);
    }
}
