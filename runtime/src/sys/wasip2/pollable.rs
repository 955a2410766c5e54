//! Waiting for the host's own pollables. Only guests of WASI 0.2 have this module.
//!
//! Many host interfaces (HTTP, key-value stores, messaging, …) hand out a `pollable`. [`AsyncPollable`] makes one
//! awaitable, in the reactor that sockets and timers use, so that only the task that waits is suspended. Call the
//! interface's functions through its own bindings. Await the pollable before a call, or after one that returned
//! `would-block`.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use crate::io::Interest;
use crate::reactor::{Direction, Source, Subscribe};

pub use wasip2::io::poll::Pollable;

/// A pollable of the host that tasks can wait for.
///
/// # Examples
///
/// A clock of the host's own:
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// use wasio::wasi::AsyncPollable;
///
/// let timer = wasip2::clocks::monotonic_clock::subscribe_duration(1_000_000);
/// AsyncPollable::new(timer)?.ready().await?;
/// # Ok(())
/// # }
/// ```
///
/// A stream of a host interface, read to its end. The pollable belongs to the stream, so it is dropped first:
///
/// ```no_run
/// use std::io;
///
/// use wasio::wasi::AsyncPollable;
/// use wasip2::io::streams::{InputStream, StreamError};
///
/// async fn read_to_end(stream: InputStream) -> io::Result<Vec<u8>> {
///     let mut all = Vec::new();
///     let readable = AsyncPollable::new(stream.subscribe())?;
///     loop {
///         readable.ready().await?;
///         match stream.read(4096) {
///             Ok(bytes) => all.extend(bytes),
///             Err(StreamError::Closed) => break,
///             Err(error) => return Err(io::Error::other(error)),
///         }
///     }
///     drop(readable);
///     Ok(all)
/// }
/// ```
pub struct AsyncPollable {
    // Declared before the pollable, so that it is deregistered first.
    source: Source,
    pollable: Arc<Owned>,
}

struct Owned(Pollable);

impl Subscribe for Owned {
    fn pollable(&self, _: Direction) -> Option<u32> {
        Some(self.0.handle())
    }
}

impl AsyncPollable {
    /// Registers a pollable with the current runtime.
    ///
    /// Drop it before the host's object that the pollable belongs to.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is being shut down.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    #[track_caller]
    pub fn new(pollable: Pollable) -> io::Result<AsyncPollable> {
        let pollable = Arc::new(Owned(pollable));
        let source = Source::with_interest(pollable.clone(), Interest::READABLE)?;
        Ok(AsyncPollable { source, pollable })
    }

    /// Registers a pollable by its handle, for bindings other than the crate `wasip2`.
    ///
    /// # Errors
    ///
    /// See [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// See [`new`](Self::new).
    ///
    /// # Safety
    ///
    /// The handle is that of a `wasi:io/poll` pollable, and nothing else owns it.
    #[allow(unsafe_code)]
    #[track_caller]
    pub unsafe fn from_handle(handle: u32) -> io::Result<AsyncPollable> {
        // SAFETY: promised by the caller.
        AsyncPollable::new(unsafe { Pollable::from_handle(handle) })
    }

    /// Waits until the pollable is ready. Each call polls the host, because a ready pollable may become unready again.
    /// Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Nothing is consumed, so nothing is lost.
    pub async fn ready(&self) -> io::Result<()> {
        self.source.ready(Interest::READABLE).await?;
        self.source.clear_ready(Direction::Read);
        Ok(())
    }

    /// Like [`ready`](Self::ready), for hand-written futures. Only the waker of the last call is kept.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_ready(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.source.poll_ready(cx, Direction::Read))?;
        self.source.clear_ready(Direction::Read);
        Poll::Ready(Ok(()))
    }

    /// Returns the pollable.
    pub fn get_ref(&self) -> &Pollable {
        &self.pollable.0
    }
}

impl fmt::Debug for AsyncPollable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AsyncPollable").field("handle", &self.pollable.0.handle()).finish()
    }
}
