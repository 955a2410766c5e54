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

/// A channel that takes every value at once.
///
/// Nothing slows a sender down that is faster than the receiver: the values fill the memory. Where that
/// can happen, use a bounded [`channel`](super::channel()).
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
    /// Gives the value back when the receiver was dropped or closed.
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

    /// Whether the receiver was dropped or closed.
    pub fn is_closed(&self) -> bool {
        self.chan.is_closed()
    }

    /// Whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        self.chan.same_channel(&other.chan)
    }

    /// A sender that does not keep the channel open.
    #[must_use = "it has no effect on this sender"]
    pub fn downgrade(&self) -> WeakUnboundedSender<T> {
        WeakUnboundedSender { chan: self.chan.downgrade() }
    }

    /// How many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.chan.counts().0
    }

    /// How many weak senders there are.
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
    /// A sender, if there is still one.
    pub fn upgrade(&self) -> Option<UnboundedSender<T>> {
        self.chan.upgrade().map(|chan| UnboundedSender { chan })
    }

    /// How many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.chan.counts().0
    }

    /// How many weak senders there are.
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
    /// The next value, waiting for it; `None` when none will come any more.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was ready, it has received nothing.
    pub fn recv(&mut self) -> impl Future<Output = Option<T>> {
        self.chan.recv()
    }

    /// Waits for values and appends up to `limit` of those that are there to `buffer`. Returns how many: 0
    /// when none will come any more, or `limit` is 0.
    ///
    /// # Cancel safety
    ///
    /// Dropped before it was ready, it has received nothing.
    pub async fn recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        poll_fn(|cx| self.chan.poll_recv_many(cx, buffer, limit)).await
    }

    /// The next value, if it is there now.
    ///
    /// # Errors
    ///
    /// When the channel is empty, or none will come any more.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        self.chan.try_recv()
    }

    /// As [`recv`](Self::recv), blocking the thread.
    ///
    /// # Panics
    ///
    /// In asynchronous code.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Option<T> {
        block_on_sync(self.recv())
    }

    /// As [`recv_many`](Self::recv_many), blocking the thread.
    ///
    /// # Panics
    ///
    /// In asynchronous code.
    #[track_caller]
    pub fn blocking_recv_many(&mut self, buffer: &mut Vec<T>, limit: usize) -> usize {
        block_on_sync(self.recv_many(buffer, limit))
    }

    /// As [`recv`](Self::recv), for a hand-written future: the last task to poll is woken.
    pub fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.chan.poll_recv(cx)
    }

    /// As [`recv_many`](Self::recv_many), for a hand-written future: the last task to poll is woken.
    pub fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        self.chan.poll_recv_many(cx, buffer, limit)
    }

    /// Lets nothing more in. What was sent can still be received.
    pub fn close(&mut self) {
        self.chan.close();
    }

    /// Whether nothing can be sent any more, though there may be values left to receive: it was closed or
    /// all senders are gone.
    pub fn is_closed(&self) -> bool {
        self.chan.is_closed()
    }

    /// Whether there is no value to be received now.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many values there are to be received now.
    pub fn len(&self) -> usize {
        self.chan.len()
    }

    /// How many senders there are, without weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.chan.sender_counts().0
    }

    /// How many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.chan.sender_counts().1
    }
}

impl<T> fmt::Debug for UnboundedReceiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("UnboundedReceiver").finish_non_exhaustive()
    }
}
