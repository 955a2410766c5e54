//! The unbounded channel.

use std::fmt;
use std::future::poll_fn;
use std::task::{Context, Poll};

use super::chan::{self, Rx, Tx, WeakTx};
use super::error::{SendError, TryRecvError};
use crate::runtime::block_on_sync;
use crate::sync::count::Count;

/// Sends values without ever waiting. Can be cloned.
pub struct UnboundedSender<T> {
    chan: Tx<T>,
}

/// A sender that does not keep the channel open.
pub struct WeakUnboundedSender<T> {
    chan: WeakTx<T>,
}

/// Receives the values.
pub struct UnboundedReceiver<T> {
    chan: Rx<T>,
}

/// Creates a channel without a limit: sending never waits.
///
/// Nothing slows down a sender that is faster than the receiver: the values fill the memory. Use a bounded
/// [`channel`](super::channel()) where that can happen.
///
/// # Examples
///
/// ```
/// use wasio::sync::mpsc;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut rx) = mpsc::unbounded_channel();
/// tx.send(1).unwrap();
/// tx.send(2).unwrap();
/// drop(tx);
/// assert_eq!(rx.recv().await, Some(1));
/// assert_eq!(rx.recv().await, Some(2));
/// assert_eq!(rx.recv().await, None);
/// # }
/// ```
pub fn unbounded_channel<T>() -> (UnboundedSender<T>, UnboundedReceiver<T>) {
    let (tx, rx) = chan::channel(Count::MAX);
    (UnboundedSender { chan: tx }, UnboundedReceiver { chan: rx })
}

impl<T> UnboundedSender<T> {
    /// Sends a value.
    ///
    /// # Errors
    ///
    /// Returns the value if the receiver was dropped or closed.
    pub fn send(&self, message: T) -> Result<(), SendError<T>> {
        self.chan.try_send(message).map_err(|error| SendError(error.into_inner()))
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

    /// Returns whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan.same_channel(&other.chan)
    }

    /// A sender that does not keep the channel open.
    #[must_use = "it has no effect on this sender"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender { chan: self.chan.downgrade() }
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

impl<T> Clone for UnboundedSender<T> {
    fn clone(&self) -> Self {
        UnboundedSender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for UnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedSender").finish_non_exhaustive()
    }
}

impl<T> WeakUnboundedSender<T> {
    /// Returns a sender, if there is still one.
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        self.chan.upgrade().map(|chan| UnboundedSender { chan })
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

impl<T> Clone for WeakUnboundedSender<T> {
    fn clone(&self) -> Self {
        WeakUnboundedSender { chan: self.chan.clone() }
    }
}

impl<T> fmt::Debug for WeakUnboundedSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeakUnboundedSender").finish()
    }
}

impl<T> UnboundedReceiver<T> {
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

    /// Closes the channel for sending. Values that were sent can still be received.
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

    /// Returns how many senders there are, without weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.chan.sender_counts().0
    }

    /// Returns how many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.chan.sender_counts().1
    }
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedReceiver").finish_non_exhaustive()
    }
}
