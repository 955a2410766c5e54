//! Pipes between processes, with and without a name.
//!
//! A [`Sender`] writes, a [`Receiver`] reads. A named pipe (FIFO) is opened through [`OpenOptions`]. [`pipe`] creates
//! one without a name, to be given to a child process.

mod fd;

use std::fs::File;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::path::Path;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::BufMut;
use wasio_runtime::io::{AsyncRead, AsyncWrite, Interest, ReadBuf, Ready};
use wasio_runtime::reactor::{Direction, Source};

use fd::{End, Pipe};

/// Creates a pipe without a name.
///
/// # Errors
///
/// An error of `pipe`: too many open files (`EMFILE`).
///
/// # Panics
///
/// Panics outside a runtime, or in one without I/O.
///
/// # Examples
///
/// ```
/// use wasio::io::{AsyncReadExt, AsyncWriteExt};
/// use wasio::net::unix::pipe;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (mut sender, mut receiver) = pipe::pipe()?;
/// sender.write_all(b"hello").await?;
/// drop(sender);
/// let mut received = String::new();
/// receiver.read_to_string(&mut received).await?;
/// assert_eq!(received, "hello");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub fn pipe() -> io::Result<(Sender, Receiver)> {
    let (read, write) = Pipe::new()?;
    Ok((Sender::new(write)?, Receiver::new(read)?))
}

/// Options of opening a named pipe.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use wasio::io::AsyncReadExt;
/// use wasio::net::unix::pipe;
///
/// // Created with mkfifo(1). Without `read_write`, the pipe ends when the last writer closes it.
/// let mut pipe = pipe::OpenOptions::new().open_receiver("fifo")?;
/// let mut text = String::new();
/// pipe.read_to_string(&mut text).await?;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct OpenOptions {
    read_write: bool,
    unchecked: bool,
}

impl OpenOptions {
    /// The defaults: one direction, and only pipes are accepted.
    pub fn new() -> OpenOptions {
        OpenOptions::default()
    }

    /// Opens both directions, so that opening never fails because the other end is missing, and the end of the stream
    /// is never read. Only Linux supports this.
    #[cfg(any(target_os = "linux", target_os = "android"))]
    pub fn read_write(&mut self, value: bool) -> &mut Self {
        self.read_write = value;
        self
    }

    /// Skips the check that the file is a pipe.
    pub fn unchecked(&mut self, value: bool) -> &mut Self {
        self.unchecked = value;
        self
    }

    /// Opens the reading end.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) when the file is not a pipe, and others of the system.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn open_receiver<P: AsRef<Path>>(&self, path: P) -> io::Result<Receiver> {
        Receiver::new(self.open(path.as_ref(), End::Read)?)
    }

    /// Opens the writing end.
    ///
    /// # Errors
    ///
    /// [`InvalidInput`](io::ErrorKind::InvalidInput) when the file is not a pipe; an error of the system
    /// (`ENXIO`) if the pipe has no reader.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    pub fn open_sender<P: AsRef<Path>>(&self, path: P) -> io::Result<Sender> {
        Sender::new(self.open(path.as_ref(), End::Write)?)
    }

    fn open(&self, path: &Path, end: End) -> io::Result<Pipe> {
        let pipe = Pipe::open(path, end, self.read_write)?;
        if !self.unchecked {
            must_be_pipe(&pipe)?
        }
        Ok(pipe)
    }
}

fn must_be_pipe(pipe: &Pipe) -> io::Result<()> {
    if pipe.is_pipe()? {
        Ok(())
    } else {
        Err(io::Error::new(io::ErrorKind::InvalidInput, "not a pipe"))
    }
}

/// Checks the user's descriptor and makes it non-blocking.
fn adopt(fd: OwnedFd, end: End, otherwise: &str) -> io::Result<Pipe> {
    let pipe = Pipe::unchecked(fd);
    must_be_pipe(&pipe)?;
    if !pipe.permits(end)? {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, otherwise));
    }
    pipe.set_nonblocking(true)?;
    Ok(pipe)
}

/// Defines one end, with the methods that both have.
macro_rules! end {
    ($end:ident, $interest:expr, $kind:expr, $otherwise:literal) => {
        impl $end {
            #[track_caller]
            fn new(pipe: Pipe) -> io::Result<$end> {
                let source = Source::with_interest(pipe.as_raw_fd(), $interest)?;
                source.never_try_first(Ready::READABLE | Ready::WRITABLE);
                Ok($end { source, pipe })
            }

            /// Takes a file, which must be a pipe that was opened for this direction. It is made
            /// non-blocking.
            ///
            /// # Errors
            ///
            /// [`InvalidInput`](io::ErrorKind::InvalidInput) when it is not.
            ///
            /// # Panics
            ///
            /// Panics outside a runtime, or in one without I/O.
            pub fn from_file(file: File) -> io::Result<$end> {
                $end::from_owned_fd(file.into())
            }

            /// Takes a descriptor, which must be of a pipe that was opened for this direction. It is made
            /// non-blocking.
            ///
            /// # Errors
            ///
            /// [`InvalidInput`](io::ErrorKind::InvalidInput) when it is not.
            ///
            /// # Panics
            ///
            /// Panics outside a runtime, or in one without I/O.
            pub fn from_owned_fd(owned_fd: OwnedFd) -> io::Result<$end> {
                $end::new(adopt(owned_fd, $kind, $otherwise)?)
            }

            /// Takes a file without changing it. It must not block.
            ///
            /// # Errors
            ///
            /// Fails if it cannot be registered with the reactor.
            ///
            /// # Panics
            ///
            /// Panics outside a runtime, or in one without I/O.
            pub fn from_file_unchecked(file: File) -> io::Result<$end> {
                $end::from_owned_fd_unchecked(file.into())
            }

            /// Takes a descriptor without changing it. It must not block.
            ///
            /// # Errors
            ///
            /// Fails if it cannot be registered with the reactor.
            ///
            /// # Panics
            ///
            /// Panics outside a runtime, or in one without I/O.
            pub fn from_owned_fd_unchecked(owned_fd: OwnedFd) -> io::Result<$end> {
                $end::new(Pipe::unchecked(owned_fd))
            }

            /// Waits until the pipe is ready for any of `interest`. The readiness may be wrong.
            ///
            /// # Errors
            ///
            /// Fails if the runtime has shut down.
            ///
            /// # Cancel safety
            ///
            /// Nothing is lost: readiness remains until an attempt finds that it is gone.
            pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
                self.source.ready(interest).await
            }

            /// Runs an operation on the pipe if it is ready. When `f` returns
            /// [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is forgotten.
            ///
            /// # Errors
            ///
            /// [`WouldBlock`](io::ErrorKind::WouldBlock) when it is not ready; otherwise the error of `f`.
            pub fn try_io<R>(&self, f: impl FnOnce() -> io::Result<R>) -> io::Result<R> {
                self.source.try_io($interest, f)
            }

            /// Returns the descriptor in blocking mode.
            ///
            /// # Errors
            ///
            /// An error of making the descriptor blocking (`fcntl`).
            pub fn into_blocking_fd(self) -> io::Result<OwnedFd> {
                self.pipe.set_nonblocking(false)?;
                self.into_nonblocking_fd()
            }

            /// Returns the descriptor. It still does not block.
            ///
            /// # Errors
            ///
            /// It does not fail at present.
            pub fn into_nonblocking_fd(self) -> io::Result<OwnedFd> {
                Ok(self.pipe.into_fd())
            }
        }

        impl AsRawFd for $end {
            fn as_raw_fd(&self) -> RawFd {
                self.pipe.as_raw_fd()
            }
        }

        impl AsFd for $end {
            fn as_fd(&self) -> BorrowedFd<'_> {
                self.pipe.as_fd()
            }
        }
    };
}

/// The writing end of a pipe.
#[derive(Debug)]
pub struct Sender {
    // Declared before the pipe, so that it is deregistered before the pipe is closed.
    source: Source,
    pipe: Pipe,
}

/// The reading end of a pipe.
#[derive(Debug)]
pub struct Receiver {
    // Declared before the pipe, so that it is deregistered before the pipe is closed.
    source: Source,
    pipe: Pipe,
}

end!(Sender, Interest::WRITABLE, End::Write, "not in O_WRONLY or O_RDWR access mode");
end!(Receiver, Interest::READABLE, End::Read, "not in O_RDONLY or O_RDWR access mode");

impl Sender {
    /// Waits until something can be written.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: readiness remains until an attempt finds that it is gone.
    pub async fn writable(&self) -> io::Result<()> {
        self.source.ready(Interest::WRITABLE).await.map(drop)
    }

    /// Like [`writable`](Self::writable), for hand-written futures. Only the waker of the last call is
    /// kept.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_write_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(cx, Direction::Write)
    }

    /// Writes as many bytes as fit, and returns their number.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if no room is known to be available: wait for
    /// [`writable`](Self::writable) first. [`BrokenPipe`](io::ErrorKind::BrokenPipe) if the pipe has no reader.
    pub fn try_write(&self, buf: &[u8]) -> io::Result<usize> {
        self.source.try_io(Interest::WRITABLE, || self.pipe.write(buf))
    }

    /// Like [`try_write`](Self::try_write), from several buffers.
    ///
    /// # Errors
    ///
    /// See [`try_write`](Self::try_write).
    pub fn try_write_vectored(&self, buf: &[IoSlice<'_>]) -> io::Result<usize> {
        self.source.try_io(Interest::WRITABLE, || self.pipe.write_vectored(buf))
    }
}

impl AsyncWrite for Sender {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Write, || self.pipe.write(buf))
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.source.poll_io(cx, Direction::Write, || self.pipe.write_vectored(bufs))
    }

    fn is_write_vectored(&self) -> bool {
        true
    }

    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        // Only closing the pipe ends it.
        Poll::Ready(Ok(()))
    }
}

impl Receiver {
    /// Waits until there is something to read, or the end.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost: readiness remains until an attempt finds that it is gone.
    pub async fn readable(&self) -> io::Result<()> {
        self.source.ready(Interest::READABLE).await.map(drop)
    }

    /// Like [`readable`](Self::readable), for hand-written futures. Only the waker of the last call is
    /// kept.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_read_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.source.poll_ready(cx, Direction::Read)
    }

    /// Reads the available bytes. `Ok(0)` is the end of the stream.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) if nothing is known to be available: wait for
    /// [`readable`](Self::readable) first.
    pub fn try_read(&self, buf: &mut [u8]) -> io::Result<usize> {
        self.source.try_io(Interest::READABLE, || self.pipe.read(buf))
    }

    /// Like [`try_read`](Self::try_read), into several buffers.
    ///
    /// # Errors
    ///
    /// See [`try_read`](Self::try_read).
    pub fn try_read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        self.source.try_io(Interest::READABLE, || self.pipe.read_vectored(bufs))
    }

    /// Like [`try_read`](Self::try_read), appending to a buffer.
    ///
    /// # Errors
    ///
    /// See [`try_read`](Self::try_read).
    pub fn try_read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        self.source.try_io(Interest::READABLE, || self.pipe.read_buf(buf))
    }
}

impl AsyncRead for Receiver {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        self.source.poll_io(cx, Direction::Read, || self.pipe.read_into(buf))
    }
}
