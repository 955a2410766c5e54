//! The receiver of a `broadcast` channel.

use std::fmt;
use std::future::Future;
use std::mem;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use super::error::{RecvError, TryRecvError};
use super::{Shared, Slot, Tail};
use crate::lock::MutexGuard;
use crate::runtime::block_on_sync;
use crate::sync::notify::Notify;
use crate::sync::waiters::Key;
use crate::task::coop::cooperative;

/// More receivers than this mean that they were leaked.
const MAX_RECEIVERS: usize = usize::MAX >> 2;

/// Receives every value that is sent while it exists.
pub struct Receiver<T> {
    shared: Arc<Shared<T>>,
    /// The position of the next value to take.
    next: u64,
}

/// The slot at a receiver's position.
enum Found<'a, T> {
    Value(MutexGuard<'a, Slot<T>>),
    /// The next value has not been sent yet. The tail is locked, so that it cannot be sent meanwhile.
    Nothing(MutexGuard<'a, Tail>),
    /// The value was overwritten. The oldest remaining one is at this position.
    Overwritten(u64),
}

impl<T> Receiver<T> {
    pub(super) fn new(shared: Arc<Shared<T>>) -> Self {
        let next = {
            let mut tail = shared.tail.lock();
            assert!(tail.receivers != MAX_RECEIVERS, "max receivers");
            tail.receivers += 1;
            tail.pos
        };
        Receiver { shared, next }
    }

    /// Returns how many values this receiver has not received yet, including overwritten ones.
    pub fn len(&self) -> usize {
        let sent = self.shared.tail.lock().pos;
        sent.wrapping_sub(self.next) as usize
    }

    /// Returns whether this receiver has received every value.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns whether both receive from the same channel.
    pub fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.shared, &other.shared)
    }

    /// Returns how many senders there are, without weak ones.
    pub fn sender_strong_count(&self) -> usize {
        self.shared.tail.lock().senders
    }

    /// Returns how many weak senders there are.
    pub fn sender_weak_count(&self) -> usize {
        self.shared.tail.lock().weak_senders
    }

    /// Returns whether all senders are gone.
    pub fn is_closed(&self) -> bool {
        self.sender_strong_count() == 0
    }
}

/// Looks for the value at a position.
fn find<T>(shared: &Shared<T>, pos: u64) -> Found<'_, T> {
    let slot = shared.slot(pos).lock();
    if slot.pos == pos {
        return Found::Value(slot);
    }
    // The tail's lock is taken before a slot's, never after it.
    drop(slot);
    let tail = shared.tail.lock();
    let slot = shared.slot(pos).lock();
    if slot.pos == pos {
        Found::Value(slot)
    } else if tail.pos == pos {
        Found::Nothing(tail)
    } else {
        Found::Overwritten(tail.pos.wrapping_sub(shared.slots.len() as u64))
    }
}

/// Counts one receiver less for a slot. For the last one, takes the value out.
fn count_off<T>(slot: &mut Slot<T>) -> Option<T> {
    slot.pending -= 1;
    if slot.pending == 0 { slot.value.take() } else { None }
}

/// Returns a copy of a slot's value.
fn take<T: Clone>(mut slot: MutexGuard<'_, Slot<T>>) -> T {
    // Counted before it is cloned: a value whose `clone` panics counts as received.
    match count_off(&mut slot) {
        Some(value) => {
            drop(slot);
            // Cloned, not moved out: tokio clones for every receiver.
            value.clone()
        }
        None => slot.value.clone().expect("a slot has its value until all have taken it"),
    }
}

/// Moves to the oldest remaining value. Returns the number of values missed.
fn skip_to(oldest: u64, next: &mut u64) -> u64 {
    oldest.wrapping_sub(mem::replace(next, oldest))
}

impl<T: Clone> Receiver<T> {
    /// Creates a new receiver, for the values sent from now on.
    ///
    /// # Panics
    ///
    /// Panics if there are as many receivers as can be counted.
    pub fn resubscribe(&self) -> Self {
        Receiver::new(self.shared.clone())
    }

    /// Receives the next value, waiting until there is one.
    ///
    /// # Errors
    ///
    /// [`Closed`](RecvError::Closed) when no sender is left and everything was received;
    /// [`Lagged`](RecvError::Lagged) when values were overwritten before this receiver took them.
    ///
    /// # Cancel safety
    ///
    /// When dropped before it is ready, the future has taken nothing.
    pub async fn recv(&mut self) -> Result<T, RecvError> {
        cooperative(Recv { receiver: self, key: None }).await
    }

    /// Receives the next value if one is available now.
    ///
    /// # Errors
    ///
    /// The same as for [`recv`](Self::recv), and [`Empty`](TryRecvError::Empty) if everything was received.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        match find(&self.shared, self.next) {
            Found::Value(slot) => {
                self.next = self.next.wrapping_add(1);
                Ok(take(slot))
            }
            Found::Nothing(tail) if tail.senders == 0 => Err(TryRecvError::Closed),
            Found::Nothing(_) => Err(TryRecvError::Empty),
            Found::Overwritten(oldest) => {
                Err(TryRecvError::Lagged(skip_to(oldest, &mut self.next)))
            }
        }
    }

    /// Receives the next value, blocking the thread until there is one.
    ///
    /// # Errors
    ///
    /// The same as for [`recv`](Self::recv).
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_recv(&mut self) -> Result<T, RecvError> {
        block_on_sync(self.recv())
    }
}

struct NotifyOnDrop<'a>(&'a Notify);

impl Drop for NotifyOnDrop<'_> {
    fn drop(&mut self) {
        self.0.notify_waiters();
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        let (sent, last) = {
            let mut tail = self.shared.tail.lock();
            tail.receivers -= 1;
            (tail.pos, tail.receivers == 0)
        };
        // Notified after the values are dropped, even if the destructor of one panics.
        let _deserted = last.then(|| NotifyOnDrop(&self.shared.deserted));
        // The values sent until now also count this receiver. Count it off.
        let behind = sent.wrapping_sub(self.next).min(self.shared.slots.len() as u64);
        for pos in (1..=behind).rev().map(|back| sent.wrapping_sub(back)) {
            let mut slot = self.shared.slot(pos).lock();
            let value = if slot.pos == pos { count_off(&mut slot) } else { None };
            drop(slot);
            // Outside the lock: the destructor may run any code.
            drop(value);
        }
    }
}

/// Waits for the next value.
struct Recv<'a, T> {
    receiver: &'a mut Receiver<T>,
    key: Option<Key>,
}

impl<T: Clone> Future for Recv<'_, T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Recv { receiver: Receiver { shared, next }, key } = &mut *self;
        match find(shared, *next) {
            Found::Value(slot) => {
                *next = next.wrapping_add(1);
                Poll::Ready(Ok(take(slot)))
            }
            Found::Nothing(tail) if tail.senders == 0 => Poll::Ready(Err(RecvError::Closed)),
            Found::Nothing(mut tail) => {
                let old = match key {
                    None => {
                        *key = Some(tail.waiters.push(Some(cx.waker().clone()), ()));
                        None
                    }
                    Some(key) => {
                        if !tail.waiters.is_queued(key) {
                            tail.waiters.requeue(key);
                        }
                        tail.waiters.set_waker(key, cx.waker())
                    }
                };
                drop(tail);
                drop(old);
                Poll::Pending
            }
            Found::Overwritten(oldest) => {
                Poll::Ready(Err(RecvError::Lagged(skip_to(oldest, next))))
            }
        }
    }
}

impl<T> Drop for Recv<'_, T> {
    fn drop(&mut self) {
        if let Some(key) = self.key.take() {
            let mut tail = self.receiver.shared.tail.lock();
            let (_, waker) = tail.waiters.remove(key);
            drop(tail);
            drop(waker);
        }
    }
}

impl<T> fmt::Debug for Receiver<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("broadcast::Receiver")
    }
}
