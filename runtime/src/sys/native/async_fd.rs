//! `AsyncFd`: waiting for any descriptor that the OS can poll. Unix only.
//!
//! Readiness is a hint that the user clears. Each wait returns a guard, and an operation that would have blocked clears
//! the readiness that the guard saw, unless more was reported since.
#![allow(unsafe_code)] // `AsyncFd::register` is unsafe: see its promise.

use std::error::Error;
use std::fmt;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, RawFd};
use std::task::{Context, Poll, ready};

use crate::io::{Interest, Ready};
use crate::reactor::io_state::ReadyEvent;
use crate::reactor::{Direction, Source};

mod guard;

pub use guard::{AsyncFdReadyGuard, AsyncFdReadyMutGuard, TryIoError};

/// A file descriptor that tasks can wait for.
///
/// The descriptor must be one that the OS can poll (sockets, pipes, terminals; not regular files), and should
/// not block. It is registered until the `AsyncFd` is dropped or taken apart; the OS must not see it closed
/// before.
///
/// # Examples
///
/// ```
/// use std::io::{Read, Write};
/// use std::os::unix::net::UnixStream;
///
/// use wasio::io::unix::AsyncFd;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() -> std::io::Result<()> {
/// let (mut sender, receiver) = UnixStream::pair()?;
/// receiver.set_nonblocking(true)?;
/// let mut receiver = AsyncFd::new(receiver)?;
/// sender.write_all(b"hello")?;
/// let mut buf = [0; 5];
/// loop {
///     let mut guard = receiver.readable_mut().await?;
///     // Clears the readiness if nothing can be read.
///     match guard.try_io(|fd| fd.get_mut().read(&mut buf)) {
///         Ok(n) => break assert_eq!(n?, 5),
///         Err(_would_block) => continue,
///     }
/// }
/// # Ok(())
/// # }
/// ```
pub struct AsyncFd<T: AsRawFd> {
    // Declared before the descriptor, so that it is deregistered before the descriptor is closed.
    source: Source,
    inner: T,
}

impl<T: AsRawFd> AsyncFd<T> {
    /// Registers a descriptor for reading and writing.
    ///
    /// # Errors
    ///
    /// Gives it back with the OS's reason when it cannot be polled.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    ///
    /// # Safety
    ///
    /// `inner.as_raw_fd()` always returns the same descriptor, which stays open as long as `inner` lives.
    #[track_caller]
    pub unsafe fn register(inner: T) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_register(inner, Interest::READABLE | Interest::WRITABLE)
    }

    /// Registers a descriptor for the given interest only.
    ///
    /// # Errors
    ///
    /// See [`register`](Self::register).
    ///
    /// # Panics
    ///
    /// See [`register`](Self::register).
    ///
    /// # Safety
    ///
    /// See [`register`](Self::register).
    #[track_caller]
    pub unsafe fn register_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_register(inner, interest)
    }

    #[track_caller]
    fn try_register(inner: T, interest: Interest) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        match Source::with_interest(inner.as_raw_fd(), interest) {
            Ok(source) => {
                // The user's operations may have any effect, so none is attempted on a guess.
                source.never_try_first(Ready::READABLE | Ready::WRITABLE);
                Ok(AsyncFd { source, inner })
            }
            Err(cause) => Err(AsyncFdRegisterError { inner, cause }),
        }
    }

    /// Registers a descriptor for reading and writing.
    ///
    /// # Errors
    ///
    /// The OS's reason when it cannot be polled.
    ///
    /// # Panics
    ///
    /// See [`register`](Self::register).
    #[track_caller]
    #[deprecated(note = "nothing promises that the descriptor stays open; use `AsyncFd::register`")]
    pub fn new(inner: T) -> io::Result<AsyncFd<T>> {
        Ok(AsyncFd::try_register(inner, Interest::READABLE | Interest::WRITABLE)?)
    }

    /// Registers a descriptor for the given interest only.
    ///
    /// # Errors
    ///
    /// The OS's reason when it cannot be polled.
    ///
    /// # Panics
    ///
    /// See [`register`](Self::register).
    #[track_caller]
    #[deprecated(
        note = "nothing promises that the descriptor stays open; use `AsyncFd::register_with_interest`"
    )]
    pub fn with_interest(inner: T, interest: Interest) -> io::Result<AsyncFd<T>> {
        Ok(AsyncFd::try_register(inner, interest)?)
    }

    /// Registers a descriptor for reading and writing.
    ///
    /// # Errors
    ///
    /// Gives it back with the OS's reason when it cannot be polled.
    ///
    /// # Panics
    ///
    /// See [`register`](Self::register).
    #[track_caller]
    #[deprecated(note = "nothing promises that the descriptor stays open; use `AsyncFd::register`")]
    pub fn try_new(inner: T) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_register(inner, Interest::READABLE | Interest::WRITABLE)
    }

    /// Registers a descriptor for the given interest only.
    ///
    /// # Errors
    ///
    /// Gives it back with the OS's reason when it cannot be polled.
    ///
    /// # Panics
    ///
    /// See [`register`](Self::register).
    #[track_caller]
    #[deprecated(
        note = "nothing promises that the descriptor stays open; use `AsyncFd::register_with_interest`"
    )]
    pub fn try_with_interest(
        inner: T,
        interest: Interest,
    ) -> Result<AsyncFd<T>, AsyncFdRegisterError<T>> {
        AsyncFd::try_register(inner, interest)
    }

    /// Clears the readiness that was seen, unless more was reported since.
    fn clear(&self, event: ReadyEvent) {
        self.source.state.clear(event, event.ready);
    }

    /// Returns the owner of the descriptor.
    pub fn get_ref(&self) -> &T {
        &self.inner
    }

    /// Returns the owner of the descriptor.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.inner
    }

    /// Deregisters the descriptor and returns its owner.
    pub fn into_inner(self) -> T {
        drop(self.source);
        self.inner
    }

    /// Waits until the descriptor can be read. Only the waker of the last call is kept.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_read_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.source.poll_event(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyGuard { async_fd: self, event: Some(event) }))
    }

    /// Like [`poll_read_ready`](Self::poll_read_ready), with exclusive access.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_read_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.source.poll_event(cx, Direction::Read))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard { async_fd: self, event: Some(event) }))
    }

    /// Waits until the descriptor can be written to. Only the waker of the last call is kept.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_write_ready<'a>(
        &'a self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyGuard<'a, T>>> {
        let event = ready!(self.source.poll_event(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyGuard { async_fd: self, event: Some(event) }))
    }

    /// Like [`poll_write_ready`](Self::poll_write_ready), with exclusive access.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_write_ready_mut<'a>(
        &'a mut self,
        cx: &mut Context<'_>,
    ) -> Poll<io::Result<AsyncFdReadyMutGuard<'a, T>>> {
        let event = ready!(self.source.poll_event(cx, Direction::Write))?;
        Poll::Ready(Ok(AsyncFdReadyMutGuard { async_fd: self, event: Some(event) }))
    }

    /// Waits until the descriptor is ready for any of `interest`. Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until it is cleared.
    pub async fn ready(&self, interest: Interest) -> io::Result<AsyncFdReadyGuard<'_, T>> {
        let event = self.source.event(interest).await?;
        Ok(AsyncFdReadyGuard { async_fd: self, event: Some(event) })
    }

    /// Like [`ready`](Self::ready), with exclusive access.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until it is cleared.
    pub async fn ready_mut(
        &mut self,
        interest: Interest,
    ) -> io::Result<AsyncFdReadyMutGuard<'_, T>> {
        let event = self.source.event(interest).await?;
        Ok(AsyncFdReadyMutGuard { async_fd: self, event: Some(event) })
    }

    /// Waits until the descriptor can be read. See [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until it is cleared.
    pub async fn readable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::READABLE).await
    }

    /// Like [`readable`](Self::readable), with exclusive access.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until it is cleared.
    pub async fn readable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::READABLE).await
    }

    /// Waits until the descriptor can be written to. See [`ready`](Self::ready).
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until it is cleared.
    pub async fn writable<'a>(&'a self) -> io::Result<AsyncFdReadyGuard<'a, T>> {
        self.ready(Interest::WRITABLE).await
    }

    /// Like [`writable`](Self::writable), with exclusive access.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until it is cleared.
    pub async fn writable_mut<'a>(&'a mut self) -> io::Result<AsyncFdReadyMutGuard<'a, T>> {
        self.ready_mut(Interest::WRITABLE).await
    }

    /// Runs an operation as soon as it can be done, again until it does not return
    /// [`WouldBlock`](io::ErrorKind::WouldBlock).
    ///
    /// # Errors
    ///
    /// The error of `f`, or an error if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// `f` is called and its result returned in one poll: dropping the future before loses nothing.
    pub async fn async_io<R>(
        &self,
        interest: Interest,
        mut f: impl FnMut(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.async_io(interest, || f(&self.inner)).await
    }

    /// Like [`async_io`](Self::async_io), with exclusive access.
    ///
    /// # Errors
    ///
    /// See [`async_io`](Self::async_io).
    ///
    /// # Cancel safety
    ///
    /// See [`async_io`](Self::async_io).
    pub async fn async_io_mut<R>(
        &mut self,
        interest: Interest,
        mut f: impl FnMut(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.async_io(interest, || f(&mut self.inner)).await
    }

    /// Runs an operation if it is worth trying; when it returns
    /// [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is cleared.
    ///
    /// # Errors
    ///
    /// [`WouldBlock`](io::ErrorKind::WouldBlock) when it is not worth trying; otherwise the error of `f`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        f: impl FnOnce(&T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_io(interest, || f(&self.inner))
    }

    /// Like [`try_io`](Self::try_io), with exclusive access.
    ///
    /// # Errors
    ///
    /// See [`try_io`](Self::try_io).
    pub fn try_io_mut<R>(
        &mut self,
        interest: Interest,
        f: impl FnOnce(&mut T) -> io::Result<R>,
    ) -> io::Result<R> {
        self.source.try_io(interest, || f(&mut self.inner))
    }
}

impl<T: AsRawFd> AsRawFd for AsyncFd<T> {
    fn as_raw_fd(&self) -> RawFd {
        self.inner.as_raw_fd()
    }
}

impl<T: AsRawFd> AsFd for AsyncFd<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        // SAFETY: whoever registered it promised that the descriptor stays open as long as `inner` lives.
        unsafe { BorrowedFd::borrow_raw(self.as_raw_fd()) }
    }
}

impl<T: fmt::Debug + AsRawFd> fmt::Debug for AsyncFd<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncFd").field("inner", &self.inner).finish_non_exhaustive()
    }
}

/// The error of registering a descriptor. It contains the owner of the descriptor and the reason.
pub struct AsyncFdRegisterError<T> {
    inner: T,
    cause: io::Error,
}

/// The older name of [`AsyncFdRegisterError`].
#[doc(hidden)]
#[deprecated(note = "renamed to `AsyncFdRegisterError`")]
pub type AsyncFdTryNewError<T> = AsyncFdRegisterError<T>;

impl<T> AsyncFdRegisterError<T> {
    /// Returns the owner of the descriptor, and the reason.
    pub fn into_parts(self) -> (T, io::Error) {
        (self.inner, self.cause)
    }
}

impl<T> fmt::Display for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.cause.fmt(f)
    }
}

impl<T> fmt::Debug for AsyncFdRegisterError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.cause, f)
    }
}

impl<T> Error for AsyncFdRegisterError<T> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        Some(&self.cause)
    }
}

impl<T> From<AsyncFdRegisterError<T>> for io::Error {
    fn from(error: AsyncFdRegisterError<T>) -> io::Error {
        error.cause
    }
}
