//! The items that the macros' expansions refer to. Private to them: they may change in any version.

use std::cell::Cell;
use std::sync::atomic::{AtomicU32, Ordering};

pub use std::cell::RefCell;
pub use std::future::{Future, IntoFuture, poll_fn};
pub use std::option::Option;
pub use std::pin::Pin;
pub use std::result::Result;
pub use std::task::{Context, Poll, ready};

pub use wasio_macros::select_branches;

pub use super::join::{Biased, Rotating, poll_all, try_poll_all};
pub use super::maybe_done::maybe_done;

use crate::task::coop;

/// Pending, with the task woken, if the task's budget is spent.
///
/// Then all branches that know the budget would yield, and one that does not must not win every time.
#[inline]
pub fn poll_budget_available(cx: &mut Context<'_>) -> Poll<()> {
    if coop::has_budget_remaining() {
        Poll::Ready(())
    } else {
        cx.waker().wake_by_ref();
        Poll::Pending
    }
}

/// A pseudo-random number below `n`: where a `select!` begins.
///
/// A xorshift per thread. It is for fairness only, so it is seeded with a constant: what a guest does is
/// the same in every run, and costs no host call.
#[inline]
pub fn thread_rng_n(n: u32) -> u32 {
    thread_local! {
        static STATE: Cell<u32> = const { Cell::new(0) };
    }
    static THREADS: AtomicU32 = AtomicU32::new(0);

    STATE.with(|state| {
        let mut x = state.get();
        if x == 0 {
            // The seed is odd and so not zero, and xorshift never turns it into zero.
            x = THREADS.fetch_add(1, Ordering::Relaxed).wrapping_mul(2).wrapping_add(0x9E37_79B9);
        }
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        state.set(x);
        ((u64::from(x) * u64::from(n)) >> 32) as u32
    })
}

/// Stands for a branch that the macros know to be unreachable.
#[cold]
pub fn unreachable_branch() -> ! {
    unreachable!("a branch that does not exist was chosen: this is a bug in select!")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn random_numbers_are_below_n_and_all_come_up() {
        let mut seen = [0; 5];
        for _ in 0..1000 {
            seen[thread_rng_n(5) as usize] += 1;
        }
        assert!(seen.iter().all(|&n| n > 100), "{seen:?}");
        assert_eq!(thread_rng_n(1), 0);
    }

    #[test]
    fn threads_get_sequences_of_their_own() {
        let sequence = || (0..20).map(|_| thread_rng_n(1000)).collect::<Vec<_>>();
        let there = std::thread::spawn(sequence).join().unwrap();
        assert_ne!(sequence(), there);
    }
}
