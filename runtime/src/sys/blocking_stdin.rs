//! The standard input, read through std. A read blocks a thread of the pool, or on a target with one thread the whole
//! program.

use std::future::Future;
use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use crate::io::{Buf, Job, MAX_BUF_SIZE, run};

#[derive(Debug)]
pub(crate) enum Input {
    Idle(Buf),
    Reading(Job<(io::Result<()>, Buf)>),
}

impl Default for Input {
    fn default() -> Self {
        Input::Idle(Buf::default())
    }
}

impl Input {
    /// Returns the buffer. It has bytes in it unless the input has ended.
    pub(crate) fn poll_fill(
        &mut self,
        cx: &mut Context<'_>,
        wanted: usize,
    ) -> Poll<io::Result<&mut Buf>> {
        match self {
            Input::Idle(buf) if buf.bytes().is_empty() => {
                let mut buf = std::mem::take(buf);
                let max = wanted.min(MAX_BUF_SIZE);
                *self = Input::Reading(run(move || (buf.read_from(&mut io::stdin(), max), buf)));
            }
            _ => {}
        }
        if let Input::Reading(job) = self {
            let (result, buf) = match ready!(Pin::new(job).poll(cx)) {
                Ok(done) => done,
                Err(e) => (Err(e), Buf::default()),
            };
            *self = Input::Idle(buf);
            result?;
        }
        match self {
            Input::Idle(buf) => Poll::Ready(Ok(buf)),
            Input::Reading(_) => unreachable!("the job is done"),
        }
    }
}
