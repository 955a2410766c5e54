//! The standard input.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::{AsyncRead, ReadBuf};
use crate::sys::stdin;

/// The standard input of the program. [`stdin`] creates it.
///
/// Use it for input from a pipe. For a dialogue with a person, read std's stdin in a separate thread: natively a read
/// that waits for input cannot be cancelled, and the runtime waits for it when it is shut down.
///
/// # Cancel safety
///
/// A cancelled read loses nothing: its bytes are kept for the next read of this handle.
///
/// # On WASI
///
/// Waiting for input suspends only the task that reads. Use one handle, and do not read from std's stdin at the same
/// time. In a runtime without I/O ([`Builder::enable_io`](crate::runtime::Builder::enable_io)) reading blocks the whole
/// guest.
#[derive(Debug)]
pub struct Stdin {
    input: stdin::Input,
    /// Kept so that its descriptor can be borrowed.
    #[allow(dead_code)] // Some targets have no descriptors.
    pub(crate) std: io::Stdin,
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
    Stdin { input: stdin::Input::default(), std: io::stdin() }
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
