//! `broadcast`: a channel in which every receiver receives every value.
//!
//! The values are in a ring of slots. Each slot has its own lock, so that receivers clone values without holding each
//! other up, and a `clone` that uses the channel does not find it locked. The tail (the next position, the number of
//! senders and receivers, the waiting receivers) has another lock. Code that takes both locks takes the tail's first.

pub mod error;
mod receiver;

use std::fmt;
use std::sync::Arc;

use super::notify::Notify;
use super::waiters::{Waiters, Wakers};
use crate::lock::Mutex;
use error::SendError;

pub use receiver::Receiver;

/// Sends values to all receivers. Can be cloned.
pub struct Sender<T> {
    shared: Arc<Shared<T>>,
}

/// A sender that does not keep the channel open.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let (sender, _receiver) = wasio::sync::broadcast::channel::<u32>(16);
/// let weak = sender.downgrade();
/// assert!(weak.upgrade().is_some());
/// drop(sender);
/// assert!(weak.upgrade().is_none());
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct WeakSender<T> {
    shared: Arc<Shared<T>>,
}

struct Shared<T> {
    /// The number of slots is a power of two. The value of position `p` is in slot `p % slots.len()`.
    slots: Box<[Mutex<Slot<T>>]>,
    tail: Mutex<Tail>,
    /// Notified when the last receiver is dropped.
    deserted: Notify,
}

struct Slot<T> {
    /// The position of the value, counted from the first ever sent.
    pos: u64,
    /// The number of receivers that have not taken the value yet.
    pending: usize,
    value: Option<T>,
}

struct Tail {
    /// The position of the next value.
    pos: u64,
    senders: usize,
    weak_senders: usize,
    receivers: usize,
    waiters: Waiters<()>,
}

/// Creates a channel that keeps the last `capacity` values (rounded up to a power of two).
///
/// A sender never waits. When the channel is full, the oldest value is dropped, and receivers that have not seen it
/// learn that they [lag](error::RecvError::Lagged).
///
/// # Panics
///
/// Panics if `capacity` is 0 or more than `usize::MAX / 2`.
///
/// # Examples
///
/// ```
/// use wasio::sync::broadcast;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, mut one) = broadcast::channel(4);
/// let mut two = tx.subscribe();
/// tx.send("all").unwrap();
/// assert_eq!(one.recv().await, Ok("all"));
/// assert_eq!(two.recv().await, Ok("all"));
/// # }
/// ```
#[track_caller]
pub fn channel<T: Clone>(capacity: usize) -> (Sender<T>, Receiver<T>) {
    let tx = Sender::new(capacity);
    let rx = tx.subscribe();
    (tx, rx)
}

impl<T> Shared<T> {
    fn slot(&self, pos: u64) -> &Mutex<Slot<T>> {
        // Truncation is fine: only the low bits count.
        &self.slots[pos as usize & (self.slots.len() - 1)]
    }

    /// Removes all tasks from the queue and returns their wakers.
    fn wake_all(tail: &mut Tail) -> Wakers {
        let mut wakers = Wakers::default();
        while let Some(waker) = tail.waiters.pop_front(()) {
            wakers.push(waker);
        }
        wakers
    }
}

impl<T> Sender<T> {
    /// Creates a channel without a receiver. [`subscribe`](Self::subscribe) adds receivers.
    ///
    /// # Panics
    ///
    /// Panics if `capacity` is 0 or more than `usize::MAX / 2`.
    #[track_caller]
    pub fn new(capacity: usize) -> Self {
        assert!(capacity > 0, "broadcast channel capacity cannot be zero");
        assert!(
            capacity <= usize::MAX >> 1,
            "broadcast channel capacity exceeded `usize::MAX / 2`"
        );
        let capacity = capacity.next_power_of_two();
        // As if written one round ago and received by all.
        let slot =
            |i| Slot { pos: (i as u64).wrapping_sub(capacity as u64), pending: 0, value: None };
        let tail =
            Tail { pos: 0, senders: 1, weak_senders: 0, receivers: 0, waiters: Waiters::new() };
        Sender {
            shared: Arc::new(Shared {
                slots: (0..capacity).map(|i| Mutex::new(slot(i))).collect(),
                tail: Mutex::new(tail),
                deserted: Notify::new(),
            }),
        }
    }

    /// Sends a value to all receivers without waiting, and returns how many there are.
    ///
    /// # Errors
    ///
    /// Returns the value if there is no receiver.
    pub fn send(&self, value: T) -> Result<usize, SendError<T>> {
        let mut tail = self.shared.tail.lock();
        let receivers = tail.receivers;
        if receivers == 0 {
            return Err(SendError(value));
        }
        let pos = tail.pos;
        tail.pos = pos.wrapping_add(1);
        let overwritten = {
            let mut slot = self.shared.slot(pos).lock();
            slot.pos = pos;
            slot.pending = receivers;
            slot.value.replace(value)
        };
        let wakers = Shared::<T>::wake_all(&mut tail);
        drop(tail);
        wakers.wake();
        // Outside the locks: the destructor may run any code.
        drop(overwritten);
        Ok(receivers)
    }

    /// Creates a receiver for values that are sent from now on.
    ///
    /// # Panics
    ///
    /// Panics if there are as many receivers as can be counted.
    pub fn subscribe(&self) -> Receiver<T> {
        Receiver::new(self.shared.clone())
    }

    /// A sender that does not keep the channel open.
    #[must_use = "it has no effect on this sender"]
    pub fn downgrade(&self) -> WeakSender<T> {
        self.shared.tail.lock().weak_senders += 1;
        WeakSender { shared: self.shared.clone() }
    }

    /// Returns how many values were not received yet by every receiver.
    pub fn len(&self) -> usize {
        let tail = self.shared.tail.lock();
        let capacity = self.shared.slots.len();
        // A receiver takes values in order, so the values that all have taken come first. Find where they end.
        let oldest = tail.pos.wrapping_sub(capacity as u64);
        let (mut taken, mut end) = (0, capacity);
        while taken < end {
            let middle = taken + (end - taken) / 2;
            if self.shared.slot(oldest.wrapping_add(middle as u64)).lock().pending == 0 {
                taken = middle + 1;
            } else {
                end = middle;
            }
        }
        capacity - taken
    }

    /// Returns whether every receiver has received every value.
    pub fn is_empty(&self) -> bool {
        let tail = self.shared.tail.lock();
        self.shared.slot(tail.pos.wrapping_sub(1)).lock().pending == 0
    }

    /// Returns how many receivers there are.
    pub fn receiver_count(&self) -> usize {
        self.shared.tail.lock().receivers
    }

    /// Returns whether both send into the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Waits until there is no receiver.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn closed(&self) {
        loop {
            // Created before the check, so that a receiver that is dropped after the check is not missed.
            let deserted = self.shared.deserted.notified();
            if self.receiver_count() == 0 {
                return;
            }
            deserted.await;
        }
    }

    /// Returns how many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.shared.tail.lock().senders
    }

    /// Returns how many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.shared.tail.lock().weak_senders
    }
}

impl<T> Clone for Sender<T> {
    fn clone(&self) -> Self {
        self.shared.tail.lock().senders += 1;
        Sender { shared: self.shared.clone() }
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        let mut tail = self.shared.tail.lock();
        tail.senders -= 1;
        if tail.senders == 0 {
            let wakers = Shared::<T>::wake_all(&mut tail);
            drop(tail);
            wakers.wake();
        }
    }
}

impl<T> WeakSender<T> {
    /// Returns a sender, if the channel is still open.
    #[must_use = "it has no effect on this sender"]
    pub fn upgrade(&self) -> Option<Sender<T>> {
        let mut tail = self.shared.tail.lock();
        if tail.senders == 0 {
            return None;
        }
        tail.senders += 1;
        drop(tail);
        Some(Sender { shared: self.shared.clone() })
    }

    /// Returns how many senders there are, without weak ones.
    pub fn strong_count(&self) -> usize {
        self.shared.tail.lock().senders
    }

    /// Returns how many weak senders there are.
    pub fn weak_count(&self) -> usize {
        self.shared.tail.lock().weak_senders
    }
}

impl<T> Clone for WeakSender<T> {
    fn clone(&self) -> Self {
        self.shared.tail.lock().weak_senders += 1;
        WeakSender { shared: self.shared.clone() }
    }
}

impl<T> Drop for WeakSender<T> {
    fn drop(&mut self) {
        self.shared.tail.lock().weak_senders -= 1;
    }
}

impl<T> fmt::Debug for Sender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Sender")
    }
}

impl<T> fmt::Debug for WeakSender<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::WeakSender")
    }
}
