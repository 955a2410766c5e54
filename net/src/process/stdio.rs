//! The ends of the pipes to a child process.

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use wasio_runtime::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::sys::{ChildReader, ChildWriter};

macro_rules! end {
    ($(#[$doc:meta])* $name:ident($inner:ident)) => {
        $(#[$doc])*
        #[derive(Debug)]
        pub struct $name(pub(crate) $inner);

        impl $name {
            /// Takes std's end of the pipe, and makes it non-blocking.
            ///
            /// # Errors
            ///
            /// An error of making the descriptor non-blocking (`fcntl`), or of registering it.
            ///
            /// # Panics
            ///
            /// Panics outside a runtime, or in one without I/O.
            pub fn from_std(inner: std::process::$name) -> io::Result<$name> {
                $inner::adopt(inner).map($name)
            }
        }

        impl TryInto<Stdio> for $name {
            type Error = io::Error;

            /// Converts the pipe for another program, which receives it in blocking mode.
            fn try_into(self) -> io::Result<Stdio> {
                self.0.into_stdio()
            }
        }
    };
}

end! {
    /// The standard input of a child, to be written to. Dropping it tells the child the end.
    ChildStdin(ChildWriter)
}

end! {
    /// The standard output of a child, to be read from.
    ChildStdout(ChildReader)
}

end! {
    /// The standard error of a child, to be read from.
    ChildStderr(ChildReader)
}

impl AsyncWrite for ChildStdin {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, buf)
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// Does nothing: only dropping it closes the pipe.
    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.0.is_write_vectored()
    }
}

macro_rules! reader {
    ($($name:ident),*) => {$(
        impl AsyncRead for $name {
            fn poll_read(
                mut self: Pin<&mut Self>,
                cx: &mut Context<'_>,
                buf: &mut ReadBuf<'_>,
            ) -> Poll<io::Result<()>> {
                Pin::new(&mut self.0).poll_read(cx, buf)
            }
        }
    )*};
}

reader!(ChildStdout, ChildStderr);
