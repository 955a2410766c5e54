//! A scripted stream, and polling by hand.
#![allow(dead_code, unreachable_pub)] // Each test file uses some of it.

use std::collections::VecDeque;
use std::future::Future;
use std::io::{self, ErrorKind};
use std::pin::{Pin, pin};
use std::task::{Context, Poll, Waker};

use wasio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// The action of the next operation of a [`Script`].
pub enum Step {
    /// The operation is not ready, and is ready at once after that.
    Pending,
    /// A read returns these bytes, as many as fit. The rest stays for the next one.
    Data(&'static [u8]),
    /// A write takes at most this many bytes.
    Accept(usize),
    /// The operation fails.
    Fail(ErrorKind),
}

/// A stream whose reads and writes follow two scripts.
///
/// After the last step, a read is at the end, and a write takes everything.
#[derive(Default)]
pub struct Script {
    pub reads: VecDeque<Step>,
    pub writes: VecDeque<Step>,
    pub written: Vec<u8>,
    pub flushes: usize,
    pub shut_down: bool,
}

impl Script {
    pub fn reads(steps: impl IntoIterator<Item = Step>) -> Script {
        Script { reads: steps.into_iter().collect(), ..Script::default() }
    }

    pub fn writes(steps: impl IntoIterator<Item = Step>) -> Script {
        Script { writes: steps.into_iter().collect(), ..Script::default() }
    }
}

impl AsyncRead for Script {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match self.reads.pop_front() {
            None => Poll::Ready(Ok(())),
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                Poll::Pending
            }
            Some(Step::Fail(kind)) => Poll::Ready(Err(kind.into())),
            Some(Step::Accept(_)) => panic!("a step for writing"),
            Some(Step::Data(data)) => {
                let (now, later) = data.split_at(data.len().min(buf.remaining()));
                buf.put_slice(now);
                if !later.is_empty() {
                    self.reads.push_front(Step::Data(later));
                }
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl AsyncWrite for Script {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        let n = match self.writes.pop_front() {
            None => buf.len(),
            Some(Step::Pending) => {
                cx.waker().wake_by_ref();
                return Poll::Pending;
            }
            Some(Step::Fail(kind)) => return Poll::Ready(Err(kind.into())),
            Some(Step::Data(_)) => panic!("a step for reading"),
            Some(Step::Accept(n)) => n.min(buf.len()),
        };
        self.written.extend_from_slice(&buf[..n]);
        Poll::Ready(Ok(n))
    }

    fn poll_flush(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.flushes += 1;
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.shut_down = true;
        Poll::Ready(Ok(()))
    }
}

/// Polls a future once and drops it.
pub fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls a future once and drops it. It must not be ready.
#[track_caller]
pub fn cancel<F: Future>(future: F) {
    assert!(poll_once(future).is_pending(), "the operation did not have to wait");
}

/// Returns the result of a future that is ready at the first poll.
#[track_caller]
pub fn now<F: Future>(future: F) -> F::Output {
    match poll_once(future) {
        Poll::Ready(output) => output,
        Poll::Pending => panic!("the operation has to wait"),
    }
}
