//! `oneshot`: a channel for a single value.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker, ready};

use crate::lock::Mutex;
use crate::runtime::block_on_sync;
use crate::task::coop;
use error::{RecvError, TryRecvError};

/// The errors of this channel.
pub mod error {
    use std::fmt;

    /// The sender was dropped without sending.
    #[derive(Debug, Eq, PartialEq, Clone)]
    pub struct RecvError(pub(super) ());

    /// Why [`try_recv`](super::Receiver::try_recv) returned no value.
    #[derive(Debug, Eq, PartialEq, Clone)]
    pub enum TryRecvError {
        /// Nothing was sent yet.
        Empty,
        /// No value will arrive: the sender is gone, or the value was already received.
        Closed,
    }

    impl fmt::Display for RecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("channel closed")
        }
    }

    impl std::error::Error for RecvError {}

    impl fmt::Display for TryRecvError {
        fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str(match self {
                TryRecvError::Empty => "channel empty",
                TryRecvError::Closed => "channel closed",
            })
        }
    }

    impl std::error::Error for TryRecvError {}
}

/// Sends the value. Dropped without sending, it closes the channel.
#[derive(Debug)]
pub struct Sender<T> {
    /// Taken when the value is sent.
    inner: Option<Arc<Inner<T>>>,
}

/// Receives the value: a future.
///
/// # Cancel safety
///
/// Waiting on `&mut receiver` loses nothing when it is dropped. Dropping the receiver itself closes the
/// channel; a value that was sent is dropped with it.
#[derive(Debug)]
pub struct Receiver<T> {
    /// Taken when the value was received, or cannot arrive any more.
    inner: Option<Arc<Inner<T>>>,
}

struct Inner<T> {
    state: Mutex<State<T>>,
}

struct State<T> {
    value: Option<T>,
    /// The sender has sent or was dropped.
    complete: bool,
    /// The receiver accepts no more values, except one that was sent before.
    closed: bool,
    rx_waker: Option<Waker>,
    tx_waker: Option<Waker>,
}

/// Creates a channel for one value.
///
/// # Examples
///
/// ```
/// use wasio::sync::oneshot;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let (tx, rx) = oneshot::channel();
/// wasio::spawn(async move { tx.send("answer") });
/// assert_eq!(rx.await, Ok("answer"));
/// # }
/// ```
#[track_caller]
pub fn channel<T>() -> (Sender<T>, Receiver<T>) {
    let inner = Arc::new(Inner {
        state: Mutex::new(State {
            value: None,
            complete: false,
            closed: false,
            rx_waker: None,
            tx_waker: None,
        }),
    });
    (Sender { inner: Some(inner.clone()) }, Receiver { inner: Some(inner) })
}

impl<T> Inner<T> {
    /// Completes the sender's side. Returns the value if the receiver does not take it.
    fn complete(&self, value: Option<T>) -> Result<(), Option<T>> {
        let mut state = self.state.lock();
        state.complete = true;
        let unused = state.tx_waker.take();
        if state.closed {
            drop(state);
            drop(unused);
            return Err(value);
        }
        state.value = value;
        let waker = state.rx_waker.take();
        drop(state);
        drop(unused);
        if let Some(waker) = waker {
            waker.wake();
        }
        Ok(())
    }

    /// Closes the receiver's side.
    fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        let tx_waker = state.tx_waker.take();
        let unused = state.rx_waker.take();
        drop(state);
        drop(unused);
        if let Some(waker) = tx_waker {
            waker.wake();
        }
    }

    /// Returns the outcome, if there is one already: the value, or `None` if none will arrive.
    fn outcome(state: &mut State<T>) -> Poll<Option<T>> {
        if state.complete || state.closed { Poll::Ready(state.value.take()) } else { Poll::Pending }
    }
}

/// Stores a waker. Returns one that has to be dropped outside the lock.
fn store(slot: &mut Option<Waker>, waker: &Waker) -> Option<Waker> {
    match slot {
        Some(old) if old.will_wake(waker) => None,
        _ => slot.replace(waker.clone()),
    }
}

impl<T> Sender<T> {
    fn inner(&self) -> &Inner<T> {
        self.inner.as_ref().expect("taken by `send` only, which consumes the sender")
    }

    /// Sends the value. It does not wait: the channel has room for it.
    ///
    /// # Errors
    ///
    /// Returns the value if the receiver was dropped or closed.
    pub fn send(mut self, value: T) -> Result<(), T> {
        let inner = self.inner.take().expect("only taken here");
        inner.complete(Some(value)).map_err(|value| value.expect("just passed in"))
    }

    /// Waits until the receiver is dropped or closed.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn closed(&mut self) {
        poll_fn(|cx| self.poll_closed(cx)).await;
    }

    /// Returns whether the receiver was dropped or closed.
    pub fn is_closed(&self) -> bool {
        self.inner().state.lock().closed
    }

    /// Polls whether the receiver was dropped or closed. Otherwise the task is woken when that happens.
    pub fn poll_closed(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let coop = ready!(coop::poll_proceed(cx));
        let mut state = self.inner().state.lock();
        if state.closed {
            coop.made_progress();
            return Poll::Ready(());
        }
        let old = store(&mut state.tx_waker, cx.waker());
        drop(state);
        drop(old);
        Poll::Pending
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        if let Some(inner) = self.inner.take() {
            let _ = inner.complete(None);
        }
    }
}

impl<T> Receiver<T> {
    /// Closes the channel: sending fails from now on. A value that was already sent can still be received.
    pub fn close(&mut self) {
        if let Some(inner) = &self.inner {
            inner.close();
        }
    }

    /// Returns whether the receiver has finished: it has returned the value, or the error that none will come.
    pub fn is_terminated(&self) -> bool {
        self.inner.is_none()
    }

    /// Returns whether there is no value to be received now.
    pub fn is_empty(&self) -> bool {
        self.inner.as_ref().is_none_or(|inner| inner.state.lock().value.is_none())
    }

    /// Receives the value if it was sent already.
    ///
    /// # Errors
    ///
    /// Fails if nothing was sent yet, or if the sender was dropped.
    pub fn try_recv(&mut self) -> Result<T, TryRecvError> {
        let Some(inner) = &self.inner else { return Err(TryRecvError::Closed) };
        let outcome = Inner::outcome(&mut inner.state.lock());
        match outcome {
            Poll::Pending => Err(TryRecvError::Empty),
            Poll::Ready(value) => {
                self.inner = None;
                value.ok_or(TryRecvError::Closed)
            }
        }
    }

    /// Receives the value, blocking the thread until it was sent.
    ///
    /// # Errors
    ///
    /// Fails if the sender was dropped without sending.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_recv(self) -> Result<T, RecvError> {
        block_on_sync(self)
    }
}

impl<T> Future for Receiver<T> {
    type Output = Result<T, RecvError>;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let inner = self.inner.as_ref().expect("called after complete");
        let coop = ready!(coop::poll_proceed(cx));
        let mut state = inner.state.lock();
        match Inner::outcome(&mut state) {
            Poll::Ready(value) => {
                drop(state);
                coop.made_progress();
                self.inner = None;
                Poll::Ready(value.ok_or(RecvError(())))
            }
            Poll::Pending => {
                let old = store(&mut state.rx_waker, cx.waker());
                drop(state);
                drop(old);
                Poll::Pending
            }
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        if let Some(inner) = &self.inner {
            inner.close();
            let value = inner.state.lock().value.take();
            // Outside the lock: the destructor may run any code.
            drop(value);
        }
    }
}

impl<T: fmt::Debug> fmt::Debug for Inner<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state.lock();
        f.debug_struct("Inner")
            .field("complete", &state.complete)
            .field("closed", &state.closed)
            .finish()
    }
}
