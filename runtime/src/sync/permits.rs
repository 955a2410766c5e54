//! A counting semaphore, on which `Semaphore`, `Mutex`, `RwLock` and `OnceCell` are built.
//!
//! It is a [`Count`] under a lock, and does not depend on what the permits are for.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use super::count::{AcquireState, Count};
use super::waiters::Wakers;
use crate::lock::Mutex;
use crate::task::coop;

/// The semaphore is closed and gives out no permits.
///
/// Returned by [`Semaphore::acquire`](crate::sync::Semaphore::acquire) and its kin.
#[derive(Debug)]
pub struct AcquireError(());

impl fmt::Display for AcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("semaphore closed")
    }
}

impl std::error::Error for AcquireError {}

/// Why [`Semaphore::try_acquire`](crate::sync::Semaphore::try_acquire) returned no permit.
///
/// # Examples
///
/// ```
/// use wasio::sync::{Semaphore, TryAcquireError};
///
/// let semaphore = Semaphore::new(0);
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::NoPermits);
/// semaphore.close();
/// assert_eq!(semaphore.try_acquire().unwrap_err(), TryAcquireError::Closed);
/// ```
#[derive(Debug, PartialEq, Eq)]
pub enum TryAcquireError {
    /// The semaphore was closed.
    Closed,
    /// Not enough permits are available.
    NoPermits,
}

impl fmt::Display for TryAcquireError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            TryAcquireError::Closed => "semaphore closed",
            TryAcquireError::NoPermits => "no permits available",
        })
    }
}

impl std::error::Error for TryAcquireError {}

pub(super) struct Permits {
    count: Mutex<Count>,
}

impl Permits {
    pub(super) const MAX: usize = Count::MAX;

    #[track_caller]
    pub(super) fn new(permits: usize) -> Self {
        assert_countable(permits);
        Self::const_new(permits)
    }

    pub(super) const fn const_new(permits: usize) -> Self {
        assert!(permits <= Self::MAX, "a semaphore may not have more than MAX_PERMITS permits");
        Permits { count: Mutex::new(Count::new(permits)) }
    }

    pub(super) const fn const_new_closed() -> Self {
        Permits { count: Mutex::new(Count::new_closed()) }
    }

    pub(super) fn available(&self) -> usize {
        self.count.lock().available()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.count.lock().is_closed()
    }

    pub(super) fn try_acquire(&self, n: usize) -> Result<(), TryAcquireError> {
        assert_countable(n);
        let mut count = self.count.lock();
        if count.is_closed() {
            Err(TryAcquireError::Closed)
        } else if count.try_take(n) {
            Ok(())
        } else {
            Err(TryAcquireError::NoPermits)
        }
    }

    pub(super) fn acquire(&self, n: usize) -> Acquire<'_> {
        assert_countable(n);
        Acquire { permits: self, wanted: n, state: AcquireState::START }
    }

    /// Gives `n` permits to the waiting tasks, and adds the rest to the count.
    pub(super) fn release(&self, n: usize) {
        if n > 0 {
            let mut wakers = Wakers::default();
            self.count.lock().release(n, &mut wakers);
            wakers.wake();
        }
    }

    /// Removes up to `n` permits for good. Returns the number removed.
    pub(super) fn forget(&self, n: usize) -> usize {
        self.count.lock().take_up_to(n)
    }

    /// Closes the semaphore, and fails all waiting tasks.
    pub(super) fn close(&self) {
        let mut wakers = Wakers::default();
        self.count.lock().close(&mut wakers);
        wakers.wake();
    }
}

impl fmt::Debug for Permits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permits").field("available", &self.available()).finish()
    }
}

#[track_caller]
pub(super) fn assert_countable(permits: usize) {
    assert!(
        permits <= Permits::MAX,
        "a semaphore may not have more than MAX_PERMITS permits ({})",
        Permits::MAX
    );
}

/// Waits for permits. When dropped early, it leaves the queue and returns the permits it was granted.
pub(super) struct Acquire<'a> {
    permits: &'a Permits,
    wanted: usize,
    state: AcquireState,
}

impl Future for Acquire<'_> {
    type Output = Result<(), AcquireError>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let Acquire { permits, wanted, state } = self.get_mut();
        let mut unused = None;
        let asked = permits.count.lock().poll(state, *wanted, cx.waker(), &mut unused);
        drop(unused);
        match asked {
            Poll::Pending => Poll::Pending,
            Poll::Ready(Err(_)) => Poll::Ready(Err(AcquireError(()))),
            Poll::Ready(Ok(())) => {
                // The budget is checked once the permits are there, so that a task without budget does not lose its
                // place in the queue.
                ready!(coop::poll_proceed(cx)).made_progress();
                *state = AcquireState::DONE;
                Poll::Ready(Ok(()))
            }
        }
    }
}

impl Drop for Acquire<'_> {
    fn drop(&mut self) {
        if self.state.is_free() {
            return;
        }
        let (mut wakers, mut unused) = (Wakers::default(), None);
        let mut count = self.permits.count.lock();
        let given = count.cancel(&mut self.state, self.wanted, &mut unused);
        count.release(given, &mut wakers);
        drop(count);
        drop(unused);
        wakers.wake();
    }
}
