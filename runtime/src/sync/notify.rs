//! `Notify`: wakes one waiting task or all of them, and remembers one notification for the next task that waits.

use std::fmt;
use std::future::Future;
use std::marker::PhantomPinned;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Waker};

use pin_project_lite::pin_project;

use super::waiters::{Key, Waiters, Wakers};
use crate::lock::Mutex;

/// Notifies tasks that something has happened. It carries no data.
///
/// [`notify_one`](Self::notify_one) wakes one waiting task. If no task waits, one notification is remembered, and the
/// next [`notified`](Self::notified) completes at once. [`notify_waiters`](Self::notify_waiters) wakes every task that
/// waits at that moment, and is not remembered.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use wasio::sync::Notify;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let ready = Arc::new(Notify::new());
/// let other = ready.clone();
/// wasio::spawn(async move { other.notify_one() });
/// ready.notified().await;
/// # }
/// ```
pub struct Notify {
    /// The number of calls of `notify_waiters`. Changed only while `state` is locked, so that a `Notified` can be
    /// created without locking.
    rounds: AtomicUsize,
    state: Mutex<State>,
}

struct State {
    /// A notification that no task has received yet. Never set while a task is queued.
    stored: bool,
    /// Each waiter's data is how it was notified.
    waiters: Waiters<Option<Notification>>,
}

/// How a waiter was notified. This decides what happens if it is dropped before it could notice.
#[derive(Clone, Copy)]
enum Notification {
    /// By `notify_one` or `notify_last`. It is passed on in the same manner.
    One(Order),
    /// By `notify_waiters`, together with all others.
    All,
}

#[derive(Clone, Copy)]
enum Order {
    Fifo,
    Lifo,
}

impl Notify {
    /// Creates a `Notify` without a stored notification.
    pub fn new() -> Self {
        Self::const_new()
    }

    /// Like [`new`](Self::new), for statics.
    pub const fn const_new() -> Self {
        Notify {
            rounds: AtomicUsize::new(0),
            state: Mutex::new(State { stored: false, waiters: Waiters::new() }),
        }
    }

    /// Waits for a notification.
    ///
    /// The future takes part in [`notify_waiters`](Self::notify_waiters) from its creation, and queues for
    /// [`notify_one`](Self::notify_one) when it is first polled or [enabled](Notified::enable).
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future loses its place in the queue. A notification by `notify_one` that it had received and
    /// not seen goes to the next waiter.
    pub fn notified(&self) -> Notified<'_> {
        Notified { wait: Wait::new(self.rounds()), notify: self, _pinned: PhantomPinned }
    }

    /// Like [`notified`](Self::notified), but the future is owned.
    ///
    /// # Cancel safety
    ///
    /// The same as for `notified`.
    pub fn notified_owned(self: Arc<Self>) -> OwnedNotified {
        OwnedNotified { wait: Wait::new(self.rounds()), notify: self, _pinned: PhantomPinned }
    }

    fn rounds(&self) -> usize {
        self.rounds.load(Ordering::Acquire)
    }

    /// Notifies the task that has waited longest, or the next one that will wait.
    pub fn notify_one(&self) {
        self.notify(Order::Fifo);
    }

    /// Notifies the task that began to wait last, or the next one that will wait.
    pub fn notify_last(&self) {
        self.notify(Order::Lifo);
    }

    fn notify(&self, order: Order) {
        let waker = self.state.lock().notify(order);
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// Notifies every task that waits now. Tasks that wait later are not notified.
    pub fn notify_waiters(&self) {
        let mut wakers = Wakers::default();
        let mut state = self.state.lock();
        self.rounds.fetch_add(1, Ordering::Release);
        while let Some(waker) = state.waiters.pop_front(Some(Notification::All)) {
            wakers.push(waker);
        }
        drop(state);
        wakers.wake();
    }
}

impl State {
    fn notify(&mut self, order: Order) -> Option<Waker> {
        let notification = Some(Notification::One(order));
        let popped = match order {
            Order::Fifo => self.waiters.pop_front(notification),
            Order::Lifo => self.waiters.pop_back(notification),
        };
        if popped.is_none() {
            self.stored = true;
        }
        popped.flatten()
    }
}

impl Default for Notify {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Notify {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notify").finish_non_exhaustive()
    }
}

impl UnwindSafe for Notify {}
impl RefUnwindSafe for Notify {}

pin_project! {
    /// The future of [`Notify::notified`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct Notified<'a> {
        notify: &'a Notify,
        wait: Wait,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl PinnedDrop for Notified<'_> {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.wait.cancel(this.notify);
        }
    }
}

pin_project! {
    /// The future of [`Notify::notified_owned`].
    #[derive(Debug)]
    #[must_use = "futures do nothing unless polled"]
    pub struct OwnedNotified {
        notify: Arc<Notify>,
        wait: Wait,
        #[pin]
        _pinned: PhantomPinned,
    }

    impl PinnedDrop for OwnedNotified {
        fn drop(this: Pin<&mut Self>) {
            let this = this.project();
            this.wait.cancel(this.notify);
        }
    }
}

impl Notified<'_> {
    /// Queues for a notification without being polled. Returns whether it has already received one.
    ///
    /// So no notification after this call is missed, even if the future is polled later.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        this.wait.poll(this.notify, None).is_ready()
    }
}

impl OwnedNotified {
    /// Queues for a notification without being polled. Returns whether it has already received one.
    ///
    /// So no notification after this call is missed, even if the future is polled later.
    pub fn enable(self: Pin<&mut Self>) -> bool {
        let this = self.project();
        this.wait.poll(this.notify, None).is_ready()
    }
}

impl Future for Notified<'_> {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.wait.poll(this.notify, Some(cx.waker()))
    }
}

impl Future for OwnedNotified {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let this = self.project();
        this.wait.poll(this.notify, Some(cx.waker()))
    }
}

/// The progress of a `Notified`.
#[derive(Debug)]
enum Wait {
    /// Created after this many calls of `notify_waiters`.
    Start {
        rounds: usize,
    },
    Queued(Key),
    Done,
}

impl Wait {
    fn new(rounds: usize) -> Self {
        Wait::Start { rounds }
    }

    fn poll(&mut self, notify: &Notify, waker: Option<&Waker>) -> Poll<()> {
        match self {
            Wait::Start { rounds } => {
                let rounds = *rounds;
                // Cloned before locking, because a waker may run any code, even code that notifies.
                let waker = waker.cloned();
                let mut state = notify.state.lock();
                if notify.rounds() != rounds {
                    *self = Wait::Done;
                } else if state.stored {
                    state.stored = false;
                    *self = Wait::Done;
                } else {
                    *self = Wait::Queued(state.waiters.push(waker, None));
                    return Poll::Pending;
                }
                // Released before `waker` is dropped.
                drop(state);
            }
            Wait::Queued(key) => {
                let mut state = notify.state.lock();
                if state.waiters.is_queued(key) {
                    let old = waker.and_then(|waker| state.waiters.set_waker(key, waker));
                    drop(state);
                    drop(old);
                    return Poll::Pending;
                }
                let Wait::Queued(key) = std::mem::replace(self, Wait::Done) else {
                    unreachable!("matched above")
                };
                let (_, waker) = state.waiters.remove(key);
                drop(state);
                drop(waker);
            }
            Wait::Done => {}
        }
        Poll::Ready(())
    }

    /// Leaves the queue, and passes on a notification that was meant for one task.
    fn cancel(&mut self, notify: &Notify) {
        let Wait::Queued(key) = std::mem::replace(self, Wait::Done) else { return };
        let mut state = notify.state.lock();
        let (notification, unused) = state.waiters.remove(key);
        let next = match notification {
            Some(Notification::One(order)) => state.notify(order),
            Some(Notification::All) | None => None,
        };
        drop(state);
        drop(unused);
        if let Some(next) = next {
            next.wake();
        }
    }
}
