//! A count of permits and the queue of waiters for them. It has no lock of its own.
//!
//! Waiters are served in order. A waiter that needs several permits keeps those that become free while it is at the
//! front, so that small requests do not starve a large one. Hence the invariant: while any waiter is queued, no permit
//! is available.

use std::task::{Poll, Waker};

use super::waiters::{Key, Waiters, Wakers};
use crate::task::waker;

pub(super) struct Count {
    /// The available permits, with the bit `CLOSED` set once no more permits are given out.
    permits: usize,
    /// Each waiter's data is the number of permits that it still lacks.
    waiters: Waiters<usize>,
}

/// Set when the count is closed. It is the top bit, so that one comparison tells whether the count is open and has
/// permits.
const CLOSED: usize = !(usize::MAX >> 1);

/// The error of a closed count: no more permits are given out.
pub(super) struct Closed;

/// The progress of a future that acquires permits: one of the constants, or the number of its key while it waits. A
/// single number, because it is part of many futures.
#[derive(PartialEq, Eq)]
pub(super) struct AcquireState(u32);

impl AcquireState {
    pub(super) const START: AcquireState = AcquireState(Key::NUMBERS);
    /// The waiter was granted all its permits, and has not taken them yet.
    const GRANTED: AcquireState = AcquireState(Key::NUMBERS + 1);
    /// The future no longer owns permits: other code accounts for them.
    pub(super) const DONE: AcquireState = AcquireState(Key::NUMBERS + 2);

    /// Returns whether nothing has to be undone when the future is dropped.
    #[inline]
    pub(super) fn is_free(&self) -> bool {
        matches!(*self, AcquireState::START | AcquireState::DONE)
    }
}

impl Count {
    /// The maximum number of permits.
    pub(super) const MAX: usize = usize::MAX >> 3;

    pub(super) const fn new(permits: usize) -> Self {
        Count { permits, waiters: Waiters::new() }
    }

    pub(super) const fn new_closed() -> Self {
        Count { permits: CLOSED, waiters: Waiters::new() }
    }

    pub(super) fn available(&self) -> usize {
        self.permits & !CLOSED
    }

    pub(super) fn is_closed(&self) -> bool {
        self.permits & CLOSED != 0
    }

    /// Returns whether a permit is available and the count is not closed.
    #[inline]
    pub(super) fn has_some(&self) -> bool {
        (1..CLOSED).contains(&self.permits)
    }

    /// Takes `n` permits if they are available. A closed count may be asked, too: see `is_closed`.
    pub(super) fn try_take(&mut self, n: usize) -> bool {
        let enough = self.available() >= n;
        if enough {
            self.permits -= n;
        }
        enough
    }

    /// Takes up to `n` permits. Returns the number taken.
    pub(super) fn take_up_to(&mut self, n: usize) -> usize {
        let taken = n.min(self.available());
        self.permits -= taken;
        taken
    }

    /// Requests `wanted` permits, or continues to wait for them.
    ///
    /// Puts a waker that is no longer needed into `unused`, to be dropped outside the lock.
    pub(super) fn poll(
        &mut self,
        state: &mut AcquireState,
        wanted: usize,
        waker: &Waker,
        unused: &mut Option<Waker>,
    ) -> Poll<Result<(), Closed>> {
        if self.is_closed() {
            return Poll::Ready(Err(Closed));
        }
        match *state {
            AcquireState::START => {
                if !self.try_take(wanted) {
                    let lacking = wanted - self.take_up_to(wanted);
                    let key = self.waiters.push(Some(waker::clone(waker)), lacking);
                    *state = AcquireState(key.into_number());
                    return Poll::Pending;
                }
            }
            AcquireState::GRANTED => {}
            AcquireState::DONE => panic!("polled after completion"),
            AcquireState(number) => {
                let key = Key::from_number(number);
                if self.waiters.is_queued(&key) {
                    *unused = self.waiters.set_waker(&key, waker);
                    return Poll::Pending;
                }
                *unused = self.waiters.remove(key).1;
            }
        }
        *state = AcquireState::GRANTED;
        Poll::Ready(Ok(()))
    }

    /// Stops waiting. Returns the number of granted permits that have to be released.
    pub(super) fn cancel(
        &mut self,
        state: &mut AcquireState,
        wanted: usize,
        unused: &mut Option<Waker>,
    ) -> usize {
        match std::mem::replace(state, AcquireState::DONE) {
            AcquireState::START | AcquireState::DONE => 0,
            AcquireState::GRANTED => wanted,
            AcquireState(number) => {
                let (lacking, waker) = self.waiters.remove(Key::from_number(number));
                *unused = waker;
                wanted - lacking
            }
        }
    }

    /// Gives `n` permits to the waiting tasks, and adds the rest to the count.
    ///
    /// # Panics
    ///
    /// Panics if there would be more than [`MAX`](Self::MAX).
    pub(super) fn release(&mut self, mut n: usize, wakers: &mut Wakers) {
        while n > 0 {
            let Some(lacking) = self.waiters.front() else { break };
            let given = n.min(*lacking);
            *lacking -= given;
            n -= given;
            if *lacking == 0 {
                wakers.push(self.waiters.pop_front(0).flatten());
            }
        }
        if n == 0 {
            return;
        }
        assert!(n <= Self::MAX, "cannot add more than MAX_PERMITS permits ({})", Self::MAX);
        let sum = self.available() + n;
        assert!(
            sum <= Self::MAX,
            "number of added permits ({n}) would overflow MAX_PERMITS ({})",
            Self::MAX
        );
        self.permits += n;
    }

    /// Takes back `n` permits if no task waits for them. Returns whether it did.
    pub(super) fn put_back(&mut self, n: usize) -> bool {
        let is_unclaimed = self.waiters.is_empty();
        if is_unclaimed {
            self.permits += n;
        }
        is_unclaimed
    }

    /// Closes the count, and fails all waiting tasks.
    pub(super) fn close(&mut self, wakers: &mut Wakers) {
        self.permits |= CLOSED;
        while let Some(&mut lacking) = self.waiters.front() {
            wakers.push(self.waiters.pop_front(lacking).flatten());
        }
    }
}
