//! The guards of `AsyncFd`: a descriptor is ready until the user clears it.

use std::fmt;
use std::io;
use std::os::fd::AsRawFd;

use super::AsyncFd;
use crate::io::Ready;
use crate::reactor::io_state::ReadyEvent;

/// The readiness of a descriptor, returned by [`AsyncFd::ready`] and its siblings.
///
/// Clear the readiness when an operation would have blocked; [`try_io`](Self::try_io) does so.
#[must_use = "clear the readiness, or say that it is kept"]
pub struct AsyncFdReadyGuard<'a, T: AsRawFd> {
    pub(super) async_fd: &'a AsyncFd<T>,
    pub(super) event: Option<ReadyEvent>,
}

/// Like [`AsyncFdReadyGuard`], with exclusive access.
#[must_use = "clear the readiness, or say that it is kept"]
pub struct AsyncFdReadyMutGuard<'a, T: AsRawFd> {
    pub(super) async_fd: &'a mut AsyncFd<T>,
    pub(super) event: Option<ReadyEvent>,
}

/// The methods that both guards have.
macro_rules! guard {
    ($guard:ident) => {
        impl<'a, T: AsRawFd> $guard<'a, T> {
            /// Clears the readiness: the next wait is for a new event.
            pub fn clear_ready(&mut self) {
                if let Some(event) = self.event.take() {
                    self.async_fd.clear(event);
                }
            }

            /// Clears some of the readiness.
            pub fn clear_ready_matching(&mut self, ready: Ready) {
                if let Some(event) = &mut self.event {
                    self.async_fd.clear(event.only(ready));
                    event.ready = event.ready.without(ready);
                }
            }

            /// Keeps the readiness. This does nothing.
            pub fn retain_ready(&mut self) {}

            /// Returns the readiness, without what was cleared.
            pub fn ready(&self) -> Ready {
                self.event.map_or(Ready::EMPTY, |event| event.ready)
            }
        }

        impl<'a, T: fmt::Debug + AsRawFd> fmt::Debug for $guard<'a, T> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut debug = f.debug_struct(stringify!($guard));
                debug.field("async_fd", &self.async_fd).finish_non_exhaustive()
            }
        }
    };
}

guard!(AsyncFdReadyGuard);
guard!(AsyncFdReadyMutGuard);

impl<'a, T: AsRawFd> AsyncFdReadyGuard<'a, T> {
    /// Runs an operation; when it returns [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is
    /// cleared.
    ///
    /// # Errors
    ///
    /// [`TryIoError`] when it would have blocked. Other errors of `f` are in the inner result.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&'a AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.async_fd) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError(()))
            }
            result => Ok(result),
        }
    }

    /// Returns the `AsyncFd` of the guard.
    pub fn get_ref(&self) -> &'a AsyncFd<T> {
        self.async_fd
    }

    /// Returns the owner of the descriptor.
    pub fn get_inner(&self) -> &'a T {
        &self.async_fd.inner
    }
}

impl<'a, T: AsRawFd> AsyncFdReadyMutGuard<'a, T> {
    /// Runs an operation; when it returns [`WouldBlock`](io::ErrorKind::WouldBlock), the readiness is
    /// cleared.
    ///
    /// # Errors
    ///
    /// [`TryIoError`] when it would have blocked. Other errors of `f` are in the inner result.
    pub fn try_io<R>(
        &mut self,
        f: impl FnOnce(&mut AsyncFd<T>) -> io::Result<R>,
    ) -> Result<io::Result<R>, TryIoError> {
        match f(self.async_fd) {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.clear_ready();
                Err(TryIoError(()))
            }
            result => Ok(result),
        }
    }

    /// Returns the `AsyncFd` of the guard.
    pub fn get_ref(&self) -> &AsyncFd<T> {
        self.async_fd
    }

    /// Returns the `AsyncFd` of the guard.
    pub fn get_mut(&mut self) -> &mut AsyncFd<T> {
        self.async_fd
    }

    /// Returns the owner of the descriptor.
    pub fn get_inner(&self) -> &T {
        &self.async_fd.inner
    }

    /// Returns the owner of the descriptor.
    pub fn get_inner_mut(&mut self) -> &mut T {
        &mut self.async_fd.inner
    }
}

/// The operation would have blocked. The readiness was cleared.
#[derive(Debug)]
pub struct TryIoError(());
