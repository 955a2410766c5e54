//! The futures of a channel: reserving places, sending, receiving.

use std::future::Future;
use std::marker::PhantomPinned;
use std::pin::Pin;
use std::task::{Context, Poll, Waker, ready};

use pin_project_lite::pin_project;

use super::chan::{Chan, Rx, State, Tx};
use super::error::SendError;
use crate::sync::count::AcquireState;
use crate::task::coop;
use crate::task::waker::wake_any;

const NOT_TWICE: &str = "`send` polled after completion";

/// Waits for places. When dropped early, it leaves the queue and returns the places it was granted.
pub(super) struct Reserve<'a, T> {
    chan: &'a Chan<T>,
    wanted: usize,
    state: AcquireState,
}

impl<'a, T> Reserve<'a, T> {
    pub(super) fn new(chan: &'a Chan<T>, wanted: usize) -> Self {
        Reserve { chan, wanted, state: AcquireState::START }
    }

    /// Polls. When the places are there, calls `then` under the same lock.
    fn poll_then(
        &mut self,
        cx: &mut Context<'_>,
        then: impl FnOnce(&mut State<T>) -> Option<Waker>,
    ) -> Poll<Result<(), SendError<()>>> {
        let coop = coop::poll_proceed(cx);
        let mut state = self.chan.lock();
        if let (&AcquireState::START, Poll::Ready(coop)) = (&self.state, &coop) {
            if !state.places.is_closed() && state.places.try_take(self.wanted) {
                self.state = AcquireState::DONE;
                coop.made_progress();
                let rx_waker = then(&mut state);
                drop(state);
                wake_any(rx_waker);
                return Poll::Ready(Ok(()));
            }
        }
        let mut unused = None;
        let asked = state.places.poll(&mut self.state, self.wanted, cx.waker(), &mut unused);
        let (result, rx_waker) = match (asked, &coop) {
            (Poll::Ready(Ok(())), Poll::Ready(coop)) => {
                self.state = AcquireState::DONE;
                coop.made_progress();
                (Poll::Ready(Ok(())), then(&mut state))
            }
            (Poll::Ready(Err(_)), _) => (Poll::Ready(Err(SendError(()))), None),
            // The budget is spent. The places stay granted, so the task does not lose its place in the queue.
            (Poll::Ready(Ok(())), Poll::Pending) | (Poll::Pending, _) => (Poll::Pending, None),
        };
        drop(state);
        drop(unused);
        wake_any(rx_waker);
        result
    }
}

impl<T> Future for Reserve<'_, T> {
    type Output = Result<(), SendError<()>>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        self.get_mut().poll_then(cx, |_| None)
    }
}

impl<T> Drop for Reserve<'_, T> {
    #[inline]
    fn drop(&mut self) {
        if !self.state.is_free() {
            self.cancel();
        }
    }
}

impl<T> Reserve<'_, T> {
    #[cold]
    fn cancel(&mut self) {
        let mut unused = None;
        let mut state = self.chan.lock();
        let given = state.places.cancel(&mut self.state, self.wanted, &mut unused);
        self.chan.release(given, state);
        drop(unused);
    }
}

pin_project! {
    /// Waits for a place and sends.
    pub(super) struct Send<'a, T> {
        tx: &'a Tx<T>,
        // Taken when it is sent or returned.
        value: Option<T>,
        // Present only if it has to wait.
        reserve: Option<Reserve<'a, T>>,
        // `!Unpin`, like the future of an `async fn`.
        #[pin]
        _pinned: PhantomPinned,
    }
}

impl<'a, T> Send<'a, T> {
    #[inline]
    pub(super) fn new(tx: &'a Tx<T>, value: T) -> Self {
        Send { tx, value: Some(value), reserve: None, _pinned: PhantomPinned }
    }
}

impl<T> Future for Send<'_, T> {
    type Output = Result<(), SendError<T>>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        if this.reserve.is_none() && this.tx.send_fast(this.value) {
            return Poll::Ready(Ok(()));
        }
        let reserve = this.reserve.get_or_insert_with(|| this.tx.reserve(1));
        send_reserving(reserve, this.value, cx)
    }
}

#[cold]
fn send_reserving<T>(
    reserve: &mut Reserve<'_, T>,
    value: &mut Option<T>,
    cx: &mut Context<'_>,
) -> Poll<Result<(), SendError<T>>> {
    assert!(value.is_some(), "{NOT_TWICE}");
    let sent = reserve.poll_then(cx, |state| state.push(value.take()?));
    Poll::Ready(ready!(sent).map_err(|_| {
        let value = value.take();
        SendError(value.expect(NOT_TWICE))
    }))
}

pin_project! {
    /// Waits for a value.
    pub(super) struct Recv<'a, T> {
        rx: &'a mut Rx<T>,
        // `!Unpin`, like the future of an `async fn`.
        #[pin]
        _pinned: PhantomPinned,
    }
}

impl<'a, T> Recv<'a, T> {
    #[inline]
    pub(super) fn new(rx: &'a mut Rx<T>) -> Self {
        Recv { rx, _pinned: PhantomPinned }
    }
}

impl<T> Future for Recv<'_, T> {
    type Output = Option<T>;

    #[inline(always)]
    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<T>> {
        self.project().rx.poll_recv(cx)
    }
}
