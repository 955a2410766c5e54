//! The standard output and the standard error stream.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{AsyncWrite, forget, kind};
use crate::sys::stdout::Raw;

/// Writes to a standard stream of the target, one operation after the other.
#[derive(Debug)]
struct Writer {
    raw: Raw,
    progress: Progress,
}

/// Whether the bytes that were written are flushed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Progress {
    Flushed,
    Unflushed,
    /// A flush is under way.
    Flushing,
}

impl Writer {
    fn new(is_error: bool) -> Writer {
        Writer { raw: Raw::new(is_error), progress: Progress::Flushed }
    }

    fn poll_write(&mut self, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.raw.poll_ready(cx))?;
            self.progress = Progress::Unflushed;
            match self.raw.write(bytes) {
                Err(error) if kind(&error) == io::ErrorKind::WouldBlock => forget(error),
                written => return Poll::Ready(written),
            }
        }
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.progress == Progress::Unflushed {
            ready!(self.raw.poll_ready(cx))?;
            self.progress = Progress::Flushing;
            self.raw.flush()?;
        }
        if self.progress == Progress::Flushing {
            ready!(self.raw.poll_ready(cx))?;
            self.progress = Progress::Flushed;
        }
        Poll::Ready(Ok(()))
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if self.progress != Progress::Flushed {
            self.raw.finish();
        }
    }
}

macro_rules! stream {
    ($(#[$doc:meta])* $Stream:ident, $(#[$fn_doc:meta])* $stream:ident, $is_error:literal) => {
        $(#[$doc])*
        ///
        /// Only flushed bytes are certain to be written when the program ends.
        ///
        /// # On WASI
        ///
        /// On preview 1, writing blocks the guest's one thread until the host has taken the bytes. On WASI 0.2 only the
        /// task that writes waits, unless the host's streams block.
        #[derive(Debug)]
        pub struct $Stream {
            writer: Writer,
            /// Kept so that its descriptor can be borrowed.
            #[allow(dead_code)] // Some targets have no descriptors.
            pub(crate) std: io::$Stream,
        }

        $(#[$fn_doc])*
        pub fn $stream() -> $Stream {
            $Stream { writer: Writer::new($is_error), std: io::$stream() }
        }

        impl AsyncWrite for $Stream {
            fn poll_write(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &[u8],
            ) -> Poll<io::Result<usize>> {
                self.writer.poll_write(cx, buf)
            }

            fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.writer.poll_flush(cx)
            }

            fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
                self.poll_flush(cx)
            }
        }
    };
}

stream! {
    /// The standard output of the program. [`stdout`] creates it.
    Stdout,
    /// The standard output of the program.
    ///
    /// Each call returns a new handle. Output of two handles can be interleaved, but only between writes.
    stdout,
    false
}

stream! {
    /// The standard error stream of the program. [`stderr`] creates it.
    Stderr,
    /// The standard error stream of the program.
    ///
    /// Each call returns a new handle. Output of two handles can be interleaved, but only between writes.
    stderr,
    true
}
