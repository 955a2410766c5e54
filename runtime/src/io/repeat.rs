//! A reader that repeats one byte.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;

use super::{AsyncRead, ReadBuf, poll_budget};

/// A reader that repeats one byte forever. [`repeat`] creates it.
#[derive(Debug)]
pub struct Repeat {
    byte: u8,
}

/// Creates a reader that repeats `byte` forever.
///
/// Its operations count against the task's budget, so a task that only uses it lets others run.
///
/// # Examples
///
/// ```
/// use wasio::io::AsyncReadExt;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mut buf = [0; 3];
/// wasio::io::repeat(7).read_exact(&mut buf).await?;
/// assert_eq!(buf, [7; 3]);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub fn repeat(byte: u8) -> Repeat {
    Repeat { byte }
}

impl AsyncRead for Repeat {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        ready!(poll_budget(cx));
        let n = buf.remaining();
        buf.put_bytes(self.byte, n);
        Poll::Ready(Ok(()))
    }
}
