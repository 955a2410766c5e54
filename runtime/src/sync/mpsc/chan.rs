//! The channel behind both kinds. An unbounded channel is a bounded one with more places than memory.

use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use super::error::{TryRecvError, TrySendError};
use super::futures::{Recv, Reserve, Send};
use super::queue::Queue;
use crate::lock::{Mutex, MutexGuard};
use crate::sync::count::Count;
use crate::sync::notify::Notify;
use crate::sync::waiters::Wakers;
use crate::task::coop;
use crate::task::waker::{self, wake_any};

pub(super) struct Chan<T> {
    bound: usize,
    state: Mutex<State<T>>,
    /// Notified when the receiver closes the channel.
    closed: Notify,
}

pub(super) struct State<T> {
    queue: Queue<T>,
    /// The places that neither hold a value nor are reserved. Closed with the channel.
    pub(super) places: Count,
    rx_waker: Option<Waker>,
    /// The receiver was dropped, so a value would never be received.
    deserted: bool,
    senders: usize,
    weak_senders: usize,
}

/// The outcome of the short path of a receiver.
enum FastPoll<T> {
    Value(T),
    /// The waker was stored.
    Wait,
    /// Nothing was done: the caller takes the long path.
    Slow,
}

impl<T> State<T> {
    /// Puts a value into a reserved place. The returned waker has to be woken outside the lock.
    pub(super) fn push(&mut self, value: T) -> Option<Waker> {
        self.queue.push(value);
        self.rx_waker.take()
    }

    /// Like `push`, into a place that is not reserved. Calls no other code, not even the allocator.
    #[inline(always)]
    fn send_fast(&mut self, value: &mut Option<T>) -> Option<Option<Waker>> {
        // This overtakes no other sender: while senders wait, no place is available.
        if !self.places.has_some() || !self.queue.has_room() {
            return None;
        }
        let value = value.take()?;
        self.places.try_take(1);
        Some(self.push(value))
    }

    /// Takes a value, or stores the waker. Calls no other code, not even the allocator.
    #[inline(always)]
    fn receive_fast(&mut self, waker: &Waker) -> FastPoll<T> {
        if self.queue.is_empty() {
            let waits = self.senders != 0
                && !self.places.is_closed()
                && self.rx_waker.is_none()
                && waker::clone_task_waker_into(&mut self.rx_waker, waker);
            return if waits { FastPoll::Wait } else { FastPoll::Slow };
        }
        if !self.queue.keeps_memory() || !self.places.put_back(1) {
            return FastPoll::Slow;
        }
        self.queue.pop().map_or(FastPoll::Slow, FastPoll::Value)
    }

    /// Returns whether no value can arrive any more once the queue is empty.
    fn finished(&self, bound: usize) -> bool {
        self.senders == 0 || (self.places.is_closed() && self.places.available() == bound)
    }
}

/// Creates a channel with one sender and one receiver.
pub(super) fn channel<T>(bound: usize) -> (Tx<T>, Rx<T>) {
    let chan = Arc::new(Chan {
        bound,
        state: Mutex::new(State {
            queue: Queue::new(),
            places: Count::new(bound),
            rx_waker: None,
            deserted: false,
            senders: 1,
            weak_senders: 0,
        }),
        closed: Notify::new(),
    });
    (Tx(chan.clone()), Rx(chan))
}

impl<T> Chan<T> {
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock()
    }

    /// Releases places.
    #[inline]
    pub(super) fn release(&self, n: usize, mut state: MutexGuard<'_, State<T>>) {
        if state.places.is_closed() || !state.places.put_back(n) {
            self.release_to_waiters(n, state);
        }
    }

    #[cold]
    fn release_to_waiters(&self, n: usize, mut state: MutexGuard<'_, State<T>>) {
        let mut wakers = Wakers::default();
        state.places.release(n, &mut wakers);
        // A receiver that has closed the channel still waits for reserved places.
        if state.places.is_closed() && state.finished(self.bound) {
            wakers.push(state.rx_waker.take());
        }
        drop(state);
        wakers.wake();
    }

    fn close(&self) {
        let mut wakers = Wakers::default();
        self.lock().places.close(&mut wakers);
        wakers.wake();
        self.closed.notify_waiters();
    }
}

/// The sending side. It counts the senders.
pub(super) struct Tx<T>(Arc<Chan<T>>);

impl<T> Tx<T> {
    /// Sends if there is a place.
    pub(super) fn try_send(&self, value: T) -> Result<(), TrySendError<T>> {
        let mut state = self.0.lock();
        if state.places.is_closed() {
            return Err(TrySendError::Closed(value));
        }
        if !state.places.try_take(1) {
            return Err(TrySendError::Full(value));
        }
        let waker = state.push(value);
        drop(state);
        wake_any(waker);
        Ok(())
    }

    /// Sends the value if there is a place, the task has budget left, and nothing has to grow.
    // PERF: inlined into the task that sends. With calls, a ping-pong costs a quarter more instructions.
    #[inline(always)]
    pub(super) fn send_fast(&self, value: &mut Option<T>) -> bool {
        if !coop::has_budget_remaining() {
            return false;
        }
        #[allow(unsafe_code)]
        // SAFETY: the closure moves a value and takes a waker, and calls no other code.
        let sent = unsafe { self.0.state.with(|state| state.send_fast(value)) };
        let Some(waker) = sent else { return false };
        coop::spend();
        if let Some(waker) = waker {
            waker::wake_inline(waker);
        }
        true
    }

    /// Sends as soon as there is a place.
    pub(super) fn send(&self, value: T) -> Send<'_, T> {
        Send::new(self, value)
    }

    /// Sends into a reserved place.
    pub(super) fn send_reserved(&self, value: T) {
        let mut state = self.0.lock();
        if state.deserted {
            self.0.release(1, state);
            return;
        }
        let waker = state.push(value);
        drop(state);
        wake_any(waker);
    }

    /// Reserves `n` places if that many are free.
    pub(super) fn try_reserve(&self, n: usize) -> Result<(), TrySendError<()>> {
        let mut state = self.0.lock();
        if state.places.is_closed() {
            Err(TrySendError::Closed(()))
        } else if state.places.try_take(n) {
            Ok(())
        } else {
            Err(TrySendError::Full(()))
        }
    }

    /// Reserves `n` places as soon as that many are free.
    pub(super) fn reserve(&self, n: usize) -> Reserve<'_, T> {
        Reserve::new(&self.0, n)
    }

    /// Returns reserved places.
    pub(super) fn release(&self, n: usize) {
        if n > 0 {
            self.0.release(n, self.0.lock());
        }
    }

    pub(super) async fn closed(&self) {
        // Created before the check, so that a close after the check is not missed.
        let closed = self.0.closed.notified();
        if !self.is_closed() {
            closed.await;
        }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.0.lock().places.is_closed()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.lock().places.available()
    }

    pub(super) fn max_capacity(&self) -> usize {
        self.0.bound
    }

    pub(super) fn same_channel(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    pub(super) fn downgrade(&self) -> WeakTx<T> {
        self.0.lock().weak_senders += 1;
        WeakTx(self.0.clone())
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        counts(&self.0)
    }
}

impl<T> Clone for Tx<T> {
    fn clone(&self) -> Self {
        self.0.lock().senders += 1;
        Tx(self.0.clone())
    }
}

impl<T> Drop for Tx<T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        state.senders -= 1;
        if state.senders == 0 {
            let waker = state.rx_waker.take();
            drop(state);
            wake_any(waker);
        }
    }
}

/// A sender that does not keep the channel open.
pub(super) struct WeakTx<T>(Arc<Chan<T>>);

impl<T> WeakTx<T> {
    pub(super) fn upgrade(&self) -> Option<Tx<T>> {
        let mut state = self.0.lock();
        if state.senders == 0 {
            return None;
        }
        state.senders += 1;
        drop(state);
        Some(Tx(self.0.clone()))
    }

    pub(super) fn counts(&self) -> (usize, usize) {
        counts(&self.0)
    }
}

impl<T> Clone for WeakTx<T> {
    fn clone(&self) -> Self {
        self.0.lock().weak_senders += 1;
        WeakTx(self.0.clone())
    }
}

impl<T> Drop for WeakTx<T> {
    fn drop(&mut self) {
        self.0.lock().weak_senders -= 1;
    }
}

/// Returns the numbers of senders and weak senders.
fn counts<T>(chan: &Chan<T>) -> (usize, usize) {
    let state = chan.lock();
    (state.senders, state.weak_senders)
}

/// The receiving side.
pub(super) struct Rx<T>(Arc<Chan<T>>);

impl<T> Rx<T> {
    pub(super) fn recv(&mut self) -> Recv<'_, T> {
        Recv::new(self)
    }

    // PERF: inlined, as `send_fast`.
    #[inline(always)]
    pub(super) fn poll_recv(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if coop::has_budget_remaining() {
            #[allow(unsafe_code)]
            // SAFETY: the closure moves a value or counts a reference, and calls no other code.
            match unsafe { self.0.state.with(|state| state.receive_fast(cx.waker())) } {
                FastPoll::Value(value) => {
                    coop::spend();
                    return Poll::Ready(Some(value));
                }
                FastPoll::Wait => return Poll::Pending,
                FastPoll::Slow => {}
            }
        }
        self.poll_recv_slow(cx)
    }

    #[cold]
    #[inline(never)]
    fn poll_recv_slow(&mut self, cx: &mut Context<'_>) -> Poll<Option<T>> {
        if !coop::may_proceed(cx) {
            return Poll::Pending;
        }
        let mut state = self.0.lock();
        if let Some(value) = state.queue.pop() {
            coop::spend();
            self.0.release(1, state);
            return Poll::Ready(Some(value));
        }
        if state.finished(self.0.bound) {
            coop::spend();
            return Poll::Ready(None);
        }
        Self::store_waker(state, cx);
        Poll::Pending
    }

    pub(super) fn poll_recv_many(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut Vec<T>,
        limit: usize,
    ) -> Poll<usize> {
        let coop = ready!(coop::poll_proceed(cx));
        if limit == 0 {
            coop.made_progress();
            return Poll::Ready(0);
        }
        let mut state = self.0.lock();
        let n = state.queue.pop_into(buffer, limit);
        if n > 0 {
            self.0.release(n, state);
        } else if !state.finished(self.0.bound) {
            Self::store_waker(state, cx);
            return Poll::Pending;
        }
        coop.made_progress();
        Poll::Ready(n)
    }

    fn store_waker(mut state: MutexGuard<'_, State<T>>, cx: &mut Context<'_>) {
        let unused = match &state.rx_waker {
            Some(old) if old.will_wake(cx.waker()) => None,
            _ => state.rx_waker.replace(waker::clone(cx.waker())),
        };
        drop(state);
        // Outside the lock: dropping a waker may drop a task.
        drop(unused);
    }

    pub(super) fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let mut state = self.0.lock();
        match state.queue.pop() {
            Some(value) => {
                self.0.release(1, state);
                Ok(value)
            }
            None if state.finished(self.0.bound) => Err(TryRecvError::Disconnected),
            None => Err(TryRecvError::Empty),
        }
    }

    pub(super) fn close(&mut self) {
        self.0.close();
    }

    pub(super) fn is_closed(&self) -> bool {
        let state = self.0.lock();
        state.places.is_closed() || state.senders == 0
    }

    pub(super) fn len(&self) -> usize {
        self.0.lock().queue.len()
    }

    pub(super) fn capacity(&self) -> usize {
        self.0.lock().places.available()
    }

    pub(super) fn max_capacity(&self) -> usize {
        self.0.bound
    }

    pub(super) fn sender_counts(&self) -> (usize, usize) {
        counts(&self.0)
    }
}

impl<T> Drop for Rx<T> {
    fn drop(&mut self) {
        self.0.close();
        let mut state = self.0.lock();
        state.deserted = true;
        let unused = state.rx_waker.take();
        let queue = std::mem::replace(&mut state.queue, Queue::new());
        self.0.release(queue.len(), state);
        // Outside the lock: the destructors may run any code.
        drop(unused);
        drop(queue);
    }
}
