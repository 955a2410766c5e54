//! The standard output and error stream, written through std. A write blocks a thread of the pool, or on a target with
//! one thread the whole program.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::io::{Buf, Job, MAX_BUF_SIZE, run_to_end};

/// Writes blocks of bytes to one of std's streams, one after the other.
///
/// A write is accepted when the previous one has finished. The error of a write is returned by the operation after it.
#[derive(Debug)]
pub(crate) struct Writer {
    state: State,
    unflushed: bool,
}

#[derive(Debug)]
enum State {
    Idle(Buf),
    Busy(Job<(io::Result<()>, Buf)>),
}

impl Writer {
    pub(crate) fn new(_is_error: bool) -> Self {
        Writer { state: State::Idle(Buf::default()), unflushed: false }
    }

    /// Waits until no write is under way, and returns the buffer.
    fn poll_idle(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<&mut Buf>> {
        if let State::Busy(job) = &mut self.state {
            let (result, buf) = match ready!(Pin::new(job).poll(cx)) {
                Ok(done) => done,
                Err(e) => (Err(e), Buf::default()),
            };
            self.state = State::Idle(buf);
            result?;
        }
        match &mut self.state {
            State::Idle(buf) => Poll::Ready(Ok(buf)),
            State::Busy(_) => unreachable!("the job is done"),
        }
    }

    pub(crate) fn poll_write<W: io::Write + 'static>(
        &mut self,
        cx: &mut Context<'_>,
        bytes: &[u8],
        stream: fn() -> W,
    ) -> Poll<io::Result<usize>> {
        let mut buf = std::mem::take(ready!(self.poll_idle(cx))?);
        let n = buf.copy_from(&[IoSlice::new(bytes)], MAX_BUF_SIZE);
        self.unflushed = true;
        self.state = State::Busy(run_to_end(move || (buf.write_to(&mut stream()), buf))?);
        Poll::Ready(Ok(n))
    }

    pub(crate) fn poll_flush<W: io::Write + 'static>(
        &mut self,
        cx: &mut Context<'_>,
        stream: fn() -> W,
    ) -> Poll<io::Result<()>> {
        let unflushed = self.unflushed;
        let buf = ready!(self.poll_idle(cx))?;
        if unflushed {
            let buf = std::mem::take(buf);
            self.unflushed = false;
            self.state = State::Busy(run_to_end(move || (stream().flush(), buf))?);
            ready!(self.poll_idle(cx))?;
        }
        Poll::Ready(Ok(()))
    }
}
