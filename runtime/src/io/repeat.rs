//! A reader of one byte, again and again.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::BufMut;

use super::{AsyncRead, ReadBuf, poll_budget};

/// Has one byte to read, without end. Made by [`repeat`].
#[derive(Debug)]
pub struct Repeat {
    byte: u8,
}

/// A reader that has `byte` without end, and fills every buffer.
///
/// Its operations count against the task's budget, so a task that only uses it lets others run.
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
