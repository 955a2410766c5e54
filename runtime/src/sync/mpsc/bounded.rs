//! The bounded channel.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};
use std::time::Duration;

use super::chan::{self, Rx, Tx, WeakTx};
use super::error::{SendError, SendTimeoutError, TryRecvError, TrySendError};
use super::permit::{OwnedPermit, Permit, PermitIterator};
use crate::runtime::block_on_sync;
use crate::sync::permits::assert_countable;

/// Sends values, waiting while the channel is full. Can be cloned.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (sender, mut receiver) = wasio::sync::mpsc::channel(1);
/// sender.send("first").await.unwrap();
/// assert!(sender.try_send("second").is_err(), "the channel is full");
/// assert_eq!(receiver.recv().await, Some("first"));
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct Sender<T> {
    pub(super) chan: Tx<T>,
}

/// A sender that does not keep the channel open.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (sender, mut receiver) = wasio::sync::mpsc::channel::<u32>(1);
/// let weak = sender.downgrade();
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// assert_eq!(receiver.recv().await, None, "a weak sender does not keep the channel open");
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct WeakSender<T> {
    chan: WeakTx<T>,
}

/// Receives the values.
pub struct Receiver<T> {
    chan: Rx<T>,
}

/// Creates a channel with room for `buffer` values.
///
/// # Panics
///
/// Panics if `buffer` is 0, or more than [`Semaphore::MAX_PERMITS`](crate::sync::Semaphore::MAX_PERMITS).
///
/// # Examples
///
/// ```
/// use wasio::sync::mpsc;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = mpsc::channel(1);
/// wasio::spawn(async move {
///     for i in 0..3 {
///         tx.send(i).await.unwrap();
///     }
/// });
/// let mut sum = 0;
/// while let Some(i) = rx.recv().await {
///     sum += i;
/// }
/// assert_eq!(sum, 3);
/// # }
/// ```
#[track_caller]
pub fn channel<T>(buffer: usize) -> (Sender<T>, Receiver<T>) {
    assert!(buffer > 0, "mpsc bounded channel requires buffer > 0");
    assert_countable(buffer);
    let (tx, rx) = chan::channel(buffer);
    (Sender { chan: tx }, Receiver { chan: rx })
}

impl<T> Sender<T> {
    /// Sends a value, waiting for room.
    ///
    /// # Errors
    ///
    /// Returns the value if the receiver was dropped or closed.
    ///
    /// # Cancel safety
    ///
    /// When dropped before it is ready, the future has not sent. The value is dropped with it, and the place in the
    /// queue is lost. To keep the value, [`reserve`](Self::reserve) first.
    pub fn send(&self, value: T) -> impl Future<Output = Result<(), SendError<T>>> {
        self.chan.send(value)
    }

    /// Sends a value if there is room now.
    ///
    /// # Errors
    ///
    /// Returns the value if the channel is full, or the receiver was dropped or closed.
    pub fn try_send(&self, message: T) -> Result<(), TrySendError<T>> {
        self.chan.try_send(message)
    }

    /// Sends a value, waiting for room for at most `timeout`.
    ///
    /// # Errors
    ///
    /// Returns the value if the time is over, or the receiver was dropped or closed.
    ///
    /// # Panics
    ///
    /// Panics outside of a runtime.
    ///
    /// # Cancel safety
    ///
    /// The same as for [`send`](Self::send).
    pub async fn send_timeout(
        &self,
        value: T,
        timeout: Duration,
    ) -> Result<(), SendTimeoutError<T>> {
        match crate::time::timeout(timeout, self.reserve()).await {
            Ok(Ok(permit)) => {
                permit.send(value);
                Ok(())
            }
            Ok(Err(_)) => Err(SendTimeoutError::Closed(value)),
            Err(_) => Err(SendTimeoutError::Timeout(value)),
        }
    }

    /// Sends a value, blocking the thread while the channel is full.
    ///
    /// # Errors
    ///
    /// Returns the value if the receiver was dropped or closed.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_send(&self, value: T) -> Result<(), SendError<T>> {
        block_on_sync(self.send(value))
    }

    /// Waits until the receiver is dropped or closed.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn closed(&self) {
        self.chan.closed().await;
    }

    /// Returns whether the receiver was dropped or closed.
    pub fn is_closed(&self) -> bool {
        self.chan.is_closed()
    }

    /// Waits for room and reserves it.
    ///
    /// # Errors
    ///
    /// Fails if the receiver was dropped or closed.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn reserve(&self) -> Result<Permit<'_, T>, SendError<()>> {
        self.chan.reserve(1).await?;
        Ok(Permit::new(&self.chan))
    }

    /// Waits for room for `n` values and reserves it.
    ///
    /// # Errors
    ///
    /// Fails if the receiver was dropped or closed, or `n` exceeds the capacity of the channel.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future returns the room that it was granted, and loses its place in the queue.
    pub async fn reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, SendError<()>> {
        if n > self.max_capacity() {
            return Err(SendError(()));
        }
        self.chan.reserve(n).await?;
        Ok(PermitIterator::new(&self.chan, n))
    }

    /// Like [`reserve`](Self::reserve), moving the sender into the permit.
    ///
    /// # Errors
    ///
    /// Fails if the receiver was dropped or closed.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future loses its place in the queue, and the sender that was moved into it.
    pub async fn reserve_owned(self) -> Result<OwnedPermit<T>, SendError<()>> {
        self.chan.reserve(1).await?;
        Ok(OwnedPermit::new(self))
    }

    /// Reserves room if there is some now.
    ///
    /// # Errors
    ///
    /// Fails if the channel is full, or the receiver was dropped or closed.
    pub fn try_reserve(&self) -> Result<Permit<'_, T>, TrySendError<()>> {
        self.chan.try_reserve(1)?;
        Ok(Permit::new(&self.chan))
    }

    /// Reserves room for `n` values if there is enough now.
    ///
    /// # Errors
    ///
    /// Fails if there is not, or if the receiver was dropped or closed.
    pub fn try_reserve_many(&self, n: usize) -> Result<PermitIterator<'_, T>, TrySendError<()>> {
        if n > self.max_capacity() {
            return Err(TrySendError::Full(()));
        }
        self.chan.try_reserve(n)?;
        Ok(PermitIterator::new(&self.chan, n))
    }

    /// Like [`try_reserve`](Self::try_reserve), moving the sender into the permit.
    ///
    /// # Errors
    ///
    /// Returns the sender if the channel is full, or the receiver was dropped or closed.
    pub fn try_reserve_owned(self) -> Result<OwnedPermit<T>, TrySendError<Self>> {
        match self.chan.try_reserve(1) {
            Ok(()) => Ok(OwnedPermit::new(self)),
            Err(TrySendError::Full(())) => Err(TrySendError::Full(self)),
            Err(TrySendError::Closed(())) => Err(TrySendError::Closed(self)),
        }
    }

    /// Returns whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan.same_channel(&other.chan)
    }

    /// Returns the current capacity: places that are neither taken by a value nor reserved.
    pub fn capacity(&self) -> usize {
        self.chan.capacity()
    }

    /// Returns the capacity that the channel was created with.
    pub fn max_capacity(&self) -> usize {
        self.chan.max_capacity()
    }

    /// A sender that does not keep the channel open.
    #[must_use = "it has no effect on this sender"]
    pub fn downgrade(&self) -> WeakSender<T> {
        WeakSender { chan: self.chan.downgrade() }
    }

    /// Returns how many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.chan.counts().0
    }

    /// Returns how many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.chan.counts().1
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        Sender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").finish_non_exhaustive()
    }
}

impl<T> WeakSender<T> {
    /// Returns a sender, if the channel still has one.
    pub fn upgrade(&self) -> Option<Sender<T>> {
        self.chan.upgrade().map(|chan| Sender { chan })
    }

    /// Returns how many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.chan.counts().0
    }

    /// Returns how many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.chan.counts().1
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        WeakSender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakSender").finish()
    }
}

impl<T> Receiver<T> {
    /// Receives the next value, waiting until there is one. Returns `None` if the channel is closed and empty.
    ///
    /// # Cancel safety
    ///
    /// When dropped before it is ready, the future has received nothing.
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        self.chan.recv()
    }

    /// Waits for values and appends up to `limit` available ones to `buffer`. Returns their number: 0 if none will
    /// arrive any more, or if `limit` is 0.
    ///
    /// # Cancel safety
    ///
    /// When dropped before it is ready, the future has received nothing.
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        poll_fn(|cx| self.chan.poll_recv_many(cx, buffer, limit)).await
    }

    /// Receives the next value if one is available now.
    ///
    /// # Errors
    ///
    /// Fails if the channel is empty, or none will come any more.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.chan.try_recv()
    }

    /// Like [`recv`](Self::recv), blocking the thread.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_on_sync(self.recv())
    }

    /// Like [`recv_many`](Self::recv_many), blocking the thread.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        block_on_sync(self.recv_many(buffer, limit))
    }

    /// Like [`recv`](Self::recv), for a hand-written future: the last task to poll is woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.chan.poll_recv(cx)
    }

    /// Like [`recv_many`](Self::recv_many), for a hand-written future: the last task to poll is woken.
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        self.chan.poll_recv_many(cx, buffer, limit)
    }

    /// Closes the channel for sending. Values that were sent, or have a reserved place, can still be received.
    pub fn close(&mut self) {
        self.chan.close();
    }

    /// Returns whether nothing can be sent any more, though there may be values left to receive: it was closed or
    /// all senders are gone.
    pub fn is_closed(&self) -> bool {
        self.chan.is_closed()
    }

    /// Returns whether no value is available now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns how many values are available now.
    pub fn len(&self) -> usize {
        self.chan.len()
    }

    /// Returns the current capacity: places that are neither taken by a value nor reserved.
    pub fn capacity(&self) -> usize {
        self.chan.capacity()
    }

    /// Returns the capacity that the channel was created with.
    pub fn max_capacity(&self) -> usize {
        self.chan.max_capacity()
    }

    /// Returns how many senders there are, without weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.chan.sender_counts().0
    }

    /// Returns how many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.chan.sender_counts().1
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Receiver").finish_non_exhaustive()
    }
}
