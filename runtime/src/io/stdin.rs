//! The standard input.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{AsyncRead, ReadBuf};
#[cfg(all(target_family = "wasm", target_env = "p2"))]
use crate::sys::stdin as sys;

/// The standard input of the program. [`stdin`] creates it.
///
/// Made for reading what is piped in. For a dialogue with a person, read from std's in a thread of its own:
/// natively a read that is waiting for input cannot be cancelled, and the runtime waits for it when it is
/// shut down.
///
/// # Cancel safety
///
/// A read that is cancelled loses nothing: what arrives then is kept for the next read of this handle.
///
/// # On WASI
///
/// Waiting for input suspends only the task that reads. Have one handle, and do not read from std's at the
/// same time. In a runtime without I/O ([`Builder::enable_io`](crate::runtime::Builder::enable_io)) reading
/// blocks the whole guest.
#[derive(Debug)]
pub struct Stdin {
    input: sys::Input,
    // Kept to lend its descriptor.
    std: io::Stdin,
}

/// Returns the standard input of the program.
///
/// # Examples
///
/// ```no_run
/// use wasio::io::AsyncBufReadExt;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mut lines = wasio::io::BufReader::new(wasio::io::stdin()).lines();
/// while let Some(line) = lines.next_line().await? {
///     println!("{line}");
/// }
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub fn stdin() -> Stdin {
    Stdin { input: sys::Input::default(), std: io::stdin() }
}

impl AsyncRead for Stdin {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        dst: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if dst.remaining() > 0 {
            ready!(self.input.poll_fill(cx, dst.remaining()))?.move_to(dst);
        }
        Poll::Ready(Ok(()))
    }
}

impl AsRawFd for Stdin {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl AsFd for Stdin {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

/// A thread reads.
#[cfg(not(target_family = "wasm"))]
mod sys {
    use std::future::Future;

    use super::*;
    use crate::io::{Buf, Job, MAX_BUF_SIZE, run};

    #[derive(Debug)]
    pub(super) enum Input {
        Idle(Buf),
        Reading(Job<(io::Result<()>, Buf)>),
    }

    impl Default for Input {
        fn default() -> Self {
            Input::Idle(Buf::default())
        }
    }

    impl Input {
        /// The buffer, with bytes in it unless the input has ended.
        pub(super) fn poll_fill(
            &mut self,
            cx: &mut Context<'_>,
            wanted: usize,
        ) -> Poll<io::Result<&mut Buf>> {
            match self {
                Input::Idle(buf) if buf.bytes().is_empty() => {
                    let mut buf = std::mem::take(buf);
                    let max = wanted.min(MAX_BUF_SIZE);
                    *self =
                        Input::Reading(run(move || (buf.read_from(&mut io::stdin(), max), buf)));
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
}

/// The reactor waits, then we read.
#[cfg(all(target_family = "wasm", target_env = "p1"))]
mod sys {
    use super::*;
    use crate::io::{Buf, Interest};
    use crate::reactor::{Direction, Source};

    /// As much as std's own buffer, so that std hands the read on and keeps nothing back.
    const CHUNK: usize = super::super::DEFAULT_BUF_SIZE;

    #[derive(Debug, Default)]
    pub(super) struct Input {
        buf: Buf,
        /// While waiting.
        source: Option<Source>,
    }

    impl Input {
        /// The buffer, with bytes in it unless the input has ended.
        pub(super) fn poll_fill(
            &mut self,
            cx: &mut Context<'_>,
            _: usize,
        ) -> Poll<io::Result<&mut Buf>> {
            if self.buf.bytes().is_empty() {
                ready!(self.poll_readable(cx))?;
                self.buf.read_from(&mut io::stdin(), CHUNK)?;
            }
            Poll::Ready(Ok(&mut self.buf))
        }

        fn poll_readable(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            if !Source::is_available() {
                return crate::io::poll_budget(cx).map(Ok);
            }
            let source = match &mut self.source {
                Some(source) => source,
                none => none.insert(Source::with_interest(0, Interest::READABLE)?),
            };
            // An event with an error (a regular file, on some hosts) ends the wait, too: reading tells.
            let waited = ready!(source.poll_ready(cx, Direction::Read));
            self.source = None;
            Poll::Ready(waited)
        }
    }
}
