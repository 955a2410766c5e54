//! The standard output and the standard error stream.

use std::io::{self, IoSlice};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{AsyncWrite, Buf, Job, MAX_BUF_SIZE, run_to_end};

/// Writes blocks of bytes to a stream of std, one after the other.
///
/// A write is accepted when the one before it is done; its error is the result of the operation after it.
#[derive(Debug)]
struct Writer {
    state: State,
    unflushed: bool,
}

#[derive(Debug)]
enum State {
    Idle(Buf),
    Busy(Job<(io::Result<()>, Buf)>),
}

impl Writer {
    fn new() -> Self {
        Writer { state: State::Idle(Buf::default()), unflushed: false }
    }

    /// Waits until nothing is being written, and returns the buffer.
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

    fn poll_write<W: io::Write + 'static>(
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

    fn poll_flush<W: io::Write + 'static>(
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

macro_rules! stream {
    ($(#[$doc:meta])* $Stream:ident, $(#[$fn_doc:meta])* $stream:ident) => {
        $(#[$doc])*
        ///
        /// Only bytes that are flushed are sure to be written when the program ends.
        ///
        /// # On WASI
        ///
        /// Writing blocks the guest's one thread until the host has taken the bytes.
        #[derive(Debug)]
        pub struct $Stream {
            writer: Writer,
            // Kept to lend its descriptor.
            std: io::$Stream,
        }

        $(#[$fn_doc])*
        pub fn $stream() -> $Stream {
            $Stream { writer: Writer::new(), std: io::$stream() }
        }

        impl AsyncWrite for $Stream {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.writer.poll_write(cx, buf, io::$stream)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.writer.poll_flush(cx, io::$stream)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_flush(cx)
            }
        }

        impl AsRawFd for $Stream {
            fn as_raw_fd(&self) -> RawFd {
                self.std.as_raw_fd()
            }
        }

        impl AsFd for $Stream {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.std.as_fd()
            }
        }
    };
}

stream! {
    /// The standard output of the program. Made by [`stdout`].
    Stdout,
    /// The standard output of the program.
    ///
    /// Each call gives a handle of its own. What two handles write at once can get mixed, but only between
    /// writes.
    stdout
}

stream! {
    /// The standard error stream of the program. Made by [`stderr`].
    Stderr,
    /// The standard error stream of the program.
    ///
    /// Each call gives a handle of its own. What two handles write at once can get mixed, but only between
    /// writes.
    stderr
}
