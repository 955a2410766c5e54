//! A registered source, on which tasks wait for I/O.

use std::fmt;
use std::future::Future;
use std::io;
use std::mem::ManuallyDrop;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::io_state::{IoState, ReadyEvent, ShutDown, WaitMode};
use super::{Raw, Reactor, shutdown_error};
use crate::io::{Interest, Ready, forget, kind};
use crate::runtime::Handle;
use crate::sys;
use crate::task::coop;

/// The direction of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Direction {
    /// From the source to the program.
    Read,
    /// From the program to the source.
    Write,
}

impl Direction {
    pub(crate) fn interest(self) -> Interest {
        match self {
            Direction::Read => Interest::READABLE,
            Direction::Write => Interest::WRITABLE,
        }
    }

    pub(crate) fn ready(self) -> Ready {
        match self {
            Direction::Read => Ready::READABLE,
            Direction::Write => Ready::WRITABLE,
        }
    }
}

/// A read of at least this many bytes counts as a large one, as of data sent in bulk.
const LARGE_READ: usize = 16 * 1024;

/// Whether a read left data behind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// It may have: the buffer is full.
    Perhaps,
    /// It has not: there was room in the buffer.
    Nothing,
    /// It has not, according to the host, although the buffer is full.
    Drained,
}

/// The registration of a descriptor with the current runtime.
///
/// It does not own the descriptor. Drop it before the descriptor is closed: declare its field first.
///
/// Operations are attempted first. [`poll_io`](Self::poll_io) calls the operation, and arms the source only when that
/// returns `WouldBlock`.
pub struct Source {
    pub(crate) reactor: Arc<Reactor>,
    pub(crate) state: Arc<IoState>,
    pub(crate) raw: Raw,
}

const NO_IO: &str = "A Tokio 1.x context was found, but IO is disabled. Call `enable_io` on the runtime \
     builder to enable IO.";

impl Source {
    /// Registers a descriptor that does not block.
    ///
    /// # Errors
    ///
    /// Fails when the OS refuses, or when the runtime is being shut down.
    ///
    /// # Panics
    ///
    /// Panics outside a runtime, or in one without I/O.
    #[track_caller]
    pub fn new(raw: Raw) -> io::Result<Source> {
        Source::with_interest(raw, Interest::READABLE | Interest::WRITABLE)
    }

    /// Registers a descriptor for some interest only.
    ///
    /// # Errors
    ///
    /// See [`new`](Self::new).
    ///
    /// # Panics
    ///
    /// See [`new`](Self::new).
    #[track_caller]
    pub fn with_interest(raw: Raw, interest: Interest) -> io::Result<Source> {
        let reactor = Handle::current_reactor();
        assert!(reactor.enabled, "{NO_IO}");
        if reactor.is_closed() {
            return Err(shutdown_error());
        }
        let mut sources = reactor.sources.lock();
        let key = sources.next();
        let state = Arc::new(IoState::new(key, reactor.id()));
        sources.insert(ManuallyDrop::new(state.clone()));
        drop(sources);
        if let Err(error) = reactor.selector.register(&raw, key, interest) {
            reactor.sources.lock().remove(key).map(ManuallyDrop::into_inner);
            return Err(error);
        }
        Ok(Source { reactor, state, raw })
    }

    /// Returns whether there is a current runtime with I/O, so that [`new`](Self::new) does not panic.
    pub fn is_available() -> bool {
        crate::context::with_handle(|handle| handle.is_some_and(|h| h.shared.reactor.enabled))
    }

    /// Assumes that an operation would not block, as for a connection that was just accepted. The first wait ends at
    /// once, and the first attempt finds out whether this was right.
    pub fn assume_ready(&self, ready: Ready) {
        self.state.assume_ready(ready);
    }

    /// Makes operations wait for an event before the first attempt. Use it where an early attempt would mislead (a
    /// named pipe that is not open at the other end reads as ended) or find nothing (a socket that was just bound).
    pub fn never_try_first(&self, ready: Ready) {
        self.state.forget_untried(ready);
    }

    /// Returns the registered descriptor.
    pub fn raw(&self) -> &Raw {
        &self.raw
    }

    #[cfg_attr(small_code, inline(never))] // SIZE: a poll of the host follows.
    pub(crate) fn arm(&self, interest: Interest) {
        self.reactor.selector.arm(&self.raw, self.state.key, interest);
    }

    /// Waits until the host reports that the direction is ready. The report may be wrong. Try, and if the operation
    /// would block, call [`clear_ready`](Self::clear_ready).
    ///
    /// Only the waker of the last caller in each direction is stored.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    pub fn poll_ready(&self, cx: &mut Context<'_>, direction: Direction) -> Poll<io::Result<()>> {
        self.poll_event(cx, direction).map_ok(drop)
    }

    /// Like `poll_ready`, but returns the readiness that was seen. Clearing it keeps readiness that was reported later.
    pub(crate) fn poll_event(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
    ) -> Poll<io::Result<ReadyEvent>> {
        let coop = ready!(coop::poll_proceed(cx));
        let event = ready!(self.poll_ready_event(cx, direction, WaitMode::Reported));
        coop.made_progress();
        Poll::Ready(event)
    }

    fn poll_ready_event(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        want: WaitMode,
    ) -> Poll<io::Result<ReadyEvent>> {
        match self.state.poll_ready_event(cx, direction, want) {
            Poll::Ready(event) => Poll::Ready(event.map_err(|ShutDown| shutdown_error())),
            Poll::Pending => {
                self.arm(direction.interest());
                Poll::Pending
            }
        }
    }

    /// Records that an operation in this direction would have blocked.
    pub fn clear_ready(&self, direction: Direction) {
        let event = self.state.worth_trying(direction.interest());
        self.state.clear(event, direction.ready());
    }

    /// Runs an operation now, or as soon as it does not block.
    ///
    /// `op` returns `WouldBlock` to be called again later. Counts against the task's budget.
    ///
    /// # Errors
    ///
    /// The error of `op`, or an error if the runtime has shut down.
    pub fn poll_io<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        op: impl FnMut() -> io::Result<R>,
    ) -> Poll<io::Result<R>> {
        self.poll_op(cx, direction, WaitMode::TryFirst, op, |_| (0, Left::Perhaps))
    }

    /// Reads from a stream of bytes, now or when it can be done without blocking.
    ///
    /// Like [`poll_io`](Self::poll_io), but `op` returns how many bytes it read and whether more may be left. Nothing
    /// is left when a read leaves room in its buffer: the next one then waits for an event instead of finding nothing.
    /// On WASI `op` may also be called without an event, because there was data a moment ago.
    ///
    /// # Errors
    ///
    /// See [`poll_io`](Self::poll_io).
    pub fn poll_read(
        &self,
        cx: &mut Context<'_>,
        op: impl FnMut() -> io::Result<(usize, Left)>,
    ) -> Poll<io::Result<()>> {
        self.poll_op(cx, Direction::Read, WaitMode::Speculative, op, |read| *read).map_ok(drop)
    }

    /// Runs an operation. `left` returns how many bytes were read, and whether the next operation would block.
    fn poll_op<R>(
        &self,
        cx: &mut Context<'_>,
        direction: Direction,
        want: WaitMode,
        mut op: impl FnMut() -> io::Result<R>,
        left: impl FnOnce(&R) -> (usize, Left),
    ) -> Poll<io::Result<R>> {
        if !coop::may_proceed(cx) {
            return Poll::Pending;
        }
        loop {
            let event = ready!(self.poll_ready_event(cx, direction, want))?;
            let again = |error| self.unless_again(error, event, direction.ready());
            let result = match op().map_err(again) {
                Err(None) => continue,
                Err(Some(error)) => Err(error),
                Ok(value) => Ok(value),
            };
            coop::spend();
            if want == WaitMode::Speculative && event.guess {
                self.state.record_hit();
                self.reactor.record_hit();
            }
            let (read, left) = result.as_ref().map_or((0, Left::Perhaps), left);
            if want == WaitMode::Speculative && read >= LARGE_READ {
                self.state.record_bulk_read();
            }
            match left {
                Left::Perhaps => {}
                // An error that was reported at the same time is still to come.
                Left::Nothing => self.state.clear(event.only(direction.ready()), direction.ready()),
                Left::Drained => self.state.set_drained(event),
            }
            return Poll::Ready(result);
        }
    }

    /// Returns the error of an operation, or `None` if the operation is to be tried again: at once, or when it no
    /// longer blocks.
    ///
    // SIZE: called after a poll of the host; each copy is hundreds of bytes.
    #[cfg_attr(small_code, inline(never))]
    #[cfg_attr(not(small_code), inline)]
    fn unless_again(&self, error: io::Error, event: ReadyEvent, tried: Ready) -> Option<io::Error> {
        match kind(&error) {
            io::ErrorKind::WouldBlock => self.state.clear(event, tried),
            io::ErrorKind::Interrupted => {}
            _ => return Some(error),
        }
        forget(error);
        None
    }

    /// Runs an operation if it is worth trying, for tokio's `try_*`.
    ///
    /// # Errors
    ///
    /// `WouldBlock` if it is not, or if `op` returns it; otherwise the error of `op`.
    pub fn try_io<R>(
        &self,
        interest: Interest,
        op: impl FnOnce() -> io::Result<R>,
    ) -> io::Result<R> {
        let event = self.state.worth_trying(interest);
        if event.ready.is_empty() {
            // Nothing is cached. The host may know more, but it is polled only when a task waits. Arm the source, so
            // that a later park finds out for a program that only ever calls `try_io`.
            self.arm(interest);
            return Err(io::ErrorKind::WouldBlock.into());
        }
        match op() {
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {
                self.state.clear(event, interest.mask() & (Ready::READABLE | Ready::WRITABLE));
                Err(e)
            }
            result => result,
        }
    }

    /// Waits for readiness and returns it.
    ///
    /// # Errors
    ///
    /// Fails if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// Readiness stays until an operation finds that it is gone, so nothing is lost.
    pub async fn ready(&self, interest: Interest) -> io::Result<Ready> {
        self.event(interest).await.map(|event| event.ready)
    }

    /// Like `ready`, but returns the readiness that was seen. Clearing it keeps readiness that was reported later.
    pub(crate) fn event(&self, interest: Interest) -> Readiness<'_> {
        Readiness { source: self, interest, reported_only: true, key: None }
    }

    /// Runs an operation as soon as it does not block. Any number of tasks may wait.
    ///
    /// # Errors
    ///
    /// The error of `op`, or an error if the runtime has shut down.
    ///
    /// # Cancel safety
    ///
    /// `op` is called and its result returned in one poll. Dropping the future before that loses nothing.
    pub fn async_io<R>(
        &self,
        interest: Interest,
        op: impl FnMut() -> io::Result<R>,
    ) -> impl Future<Output = io::Result<R>> {
        Operation {
            readiness: Readiness { source: self, interest, reported_only: false, key: None },
            op,
        }
    }
}

impl Drop for Source {
    #[inline(never)] // SIZE: every future with a socket in it drops one.
    fn drop(&mut self) {
        if !sys::linger(self) {
            self.reactor.remove(&self.raw, self.state.key);
        }
    }
}

impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Source").field("key", &self.state.key).finish_non_exhaustive()
    }
}

/// Waits for readiness among any number of waiters. It costs no budget, as in tokio: the operation that follows does.
pub(crate) struct Readiness<'a> {
    source: &'a Source,
    interest: Interest,
    /// Whether only readiness that the host reported counts.
    reported_only: bool,
    /// The key in the source's list of waiters.
    key: Option<usize>,
}

impl Future for Readiness<'_> {
    type Output = io::Result<ReadyEvent>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.get_mut();
        match this.source.state.poll_interest(cx, this.interest, this.reported_only, &mut this.key)
        {
            Poll::Ready(Ok(event)) => {
                if event.stale {
                    // The host is polled again when the task yields or waits for something.
                    this.source.arm(this.interest);
                }
                Poll::Ready(Ok(event))
            }
            Poll::Ready(Err(ShutDown)) => Poll::Ready(Err(shutdown_error())),
            Poll::Pending => {
                this.source.arm(this.interest);
                Poll::Pending
            }
        }
    }
}

impl Drop for Readiness<'_> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            self.source.state.forget_waiter(key);
        }
    }
}

/// An operation of [`Source::async_io`].
// SIZE: an `async fn` would be three nested coroutines, and a kilobyte more in every guest.
struct Operation<'a, Op> {
    readiness: Readiness<'a>,
    op: Op,
}

// The closure is never pinned.
impl<Op> Unpin for Operation<'_, Op> {}

impl<R, Op: FnMut() -> io::Result<R>> Future for Operation<'_, Op> {
    type Output = io::Result<R>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<R>> {
        loop {
            let event = ready!(Pin::new(&mut self.readiness).poll(cx))?;
            if !coop::may_proceed(cx) {
                return Poll::Pending;
            }
            let Readiness { source, interest, .. } = &self.readiness;
            let tried = interest.mask() & (Ready::READABLE | Ready::WRITABLE);
            let again = |error| source.unless_again(error, event, tried);
            let result = match (self.op)().map_err(again) {
                Err(None) => continue,
                Err(Some(error)) => Err(error),
                Ok(value) => Ok(value),
            };
            coop::spend();
            return Poll::Ready(result);
        }
    }
}
