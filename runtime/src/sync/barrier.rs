//! `Barrier`: holds tasks up until enough of them have arrived.

use std::fmt;

use super::notify::Notify;
use crate::lock::Mutex;
use crate::task::coop::cooperative;

/// A point that tasks pass together: each waits until `n` have arrived.
///
/// It can be used again at once, for the next `n`.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use wasio::sync::Barrier;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let barrier = Arc::new(Barrier::new(2));
/// let other = barrier.clone();
/// let task = wasio::spawn(async move { other.wait().await.is_leader() });
/// let leads = barrier.wait().await.is_leader();
/// assert_ne!(leads, task.await.unwrap());
/// # }
/// ```
pub struct Barrier {
    n: usize,
    state: Mutex<State>,
    released: Notify,
}

struct State {
    arrived: usize,
    /// The number of times that the barrier has opened.
    generation: usize,
}

impl Barrier {
    /// Creates a barrier for `n` tasks. 0 has the meaning of 1: no task waits.
    #[track_caller]
    pub fn new(n: usize) -> Barrier {
        Barrier {
            n: n.max(1),
            state: Mutex::new(State { arrived: 0, generation: 0 }),
            released: Notify::new(),
        }
    }

    /// Waits until `n` tasks have arrived. The last one to arrive is the leader.
    ///
    /// # Cancel safety
    ///
    /// Not cancel safe: a task that has arrived counts, even if it stops waiting.
    pub async fn wait(&self) -> BarrierWaitResult {
        let generation = {
            let mut state = self.state.lock();
            state.arrived += 1;
            if state.arrived == self.n {
                state.arrived = 0;
                state.generation = state.generation.wrapping_add(1);
                drop(state);
                self.released.notify_waiters();
                return BarrierWaitResult(true);
            }
            state.generation
        };
        cooperative(async {
            loop {
                // Created before the check, so that an opening after the check is not missed.
                let released = self.released.notified();
                if self.state.lock().generation != generation {
                    return;
                }
                released.await;
            }
        })
        .await;
        BarrierWaitResult(false)
    }
}

impl fmt::Debug for Barrier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let arrived = self.state.lock().arrived;
        f.debug_struct("Barrier").field("n", &self.n).field("arrived", &arrived).finish()
    }
}

/// The result of [`Barrier::wait`].
#[derive(Debug, Clone)]
pub struct BarrierWaitResult(bool);

impl BarrierWaitResult {
    /// Returns whether this task is the leader of its round: the last one to arrive.
    pub fn is_leader(&self) -> bool {
        self.0
    }
}
