//! Decides which of the armed sources to poll: the recently active ones first, then all of them.
//!
//! The cost of a poll grows with the number of entries, so thousands of idle connections would slow every wait of ten
//! busy ones. The busy ones are at the front of the list (`armed.rs`). The front is polled alone, for a time that
//! depends on the cost of a complete poll ([`FRONT_FACTOR`]). A complete poll follows. The cost of waiting is therefore
//! bounded by a multiple of the cheaper of the two, and an event of an idle source is reported at most that much later.
//! The time of several such waits adds up, so a complete poll takes place in the end, however busy the front is.
//!
//! The cost of a complete poll is measured now and then, by one that does not block. It includes the cost to the host
//! of alternating between the two sets.
//!
//! If the front has no events, the next waits skip it, more of them each time.
//!
//! SIZE: times are the host's, in nanoseconds. The standard library's `Instant` and `Duration` would add two kilobytes
//! to every guest.

use super::armed::Armed;
use crate::sys::now;

/// With no more than this many entries behind the front, every poll is complete.
const MIN_BEHIND_FRONT: usize = 16;

/// How long the front is polled alone, in multiples of the cost of a complete poll. With 1, ten busy
/// connections beside 1,000 idle ones had 0.83 of what a loop without a runtime reaches on WasmEdge; with 4, all of it.
const FRONT_FACTOR: u64 = 2;

/// The number of complete polls between two measurements.
const MEASURE_EVERY: u32 = 64;

/// An entry costs less than this. If it seems to cost more, the machine stood still meanwhile.
const MAX_COST_PER_ENTRY: u64 = 4_000;

/// The time between two polls while tasks are ready, in multiples of the cost of the poll: tasks have 80 % of the time.
/// An event of an idle source is reported that much later.
const THROTTLE_FACTOR: u64 = 4;

/// The maximum number of waits that skip the front. This much can be lost when the front becomes busy again.
const MAX_BACKOFF: u32 = 7;

/// With less time than this for the front, the poll is complete. A host of WASI 0.2 has timers that count
/// milliseconds: a shorter wait takes as long there, and sources behind the front would wait for nothing.
const MIN_FRONT_TIME: u64 = if cfg!(target_env = "p2") { 500_000 } else { 1_000 };

/// Returns the time since `began`. The clock never goes back.
fn since(began: u64) -> u64 {
    now().wrapping_sub(began)
}

/// The result of a poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sys) enum Polled {
    /// There were events, and they were recorded.
    Events,
    /// The timeout is over.
    TimedOut,
    /// Neither.
    #[cfg_attr(not(target_env = "p1"), expect(dead_code, reason = "only preview 1 can do so"))]
    Nothing,
}

/// Polls the host for this many entries, counted from the first, and records the events.
pub(in crate::sys) type PollFn<'a, T> = dyn FnMut(&mut Armed<T>, usize, Option<u64>) -> Polled + 'a;

/// The measured cost of a poll, and the choice that follows from it.
#[derive(Default)]
pub(in crate::sys) struct Plan {
    /// The cost of a complete poll.
    cost: u64,
    /// The number of entries when the cost was measured.
    entries: usize,
    /// The number of complete polls before the cost is measured again.
    valid: u32,
    /// The time spent on the front since the last complete poll.
    spent: u64,
    /// The number of coming waits that skip the front.
    skip: u32,
    /// The last value that was assigned to `skip`.
    backoff: u32,
    /// No poll while tasks are ready before this time.
    next_throttled: u64,
}

impl Plan {
    /// Polls without blocking, while tasks are ready. Does nothing if the last such poll was recent, compared with the
    /// time that it took.
    pub(in crate::sys) fn poll_throttled<T>(
        &mut self,
        armed: &mut Armed<T>,
        poll: &mut PollFn<'_, T>,
    ) -> Polled {
        let began = now();
        if began < self.next_throttled {
            return Polled::TimedOut;
        }
        let answer = self.wait(armed, Some(0), poll);
        let took = since(began).min(MAX_COST_PER_ENTRY * armed.entries().len() as u64);
        self.next_throttled = began + (1 + THROTTLE_FACTOR) * took;
        answer
    }

    /// Waits for up to `timeout`.
    pub(in crate::sys) fn wait<T>(
        &mut self,
        armed: &mut Armed<T>,
        timeout: Option<u64>,
        poll: &mut PollFn<'_, T>,
    ) -> Polled {
        let all = armed.entries().len();
        let mut rest = timeout;
        if all < 2 * armed.front() + MIN_BEHIND_FRONT || armed.front() == 1 {
            // The front is most of the list, or only the clock.
        } else if self.skip > 0 {
            self.skip -= 1;
        } else {
            if self.valid == 0 || all > 2 * self.entries || 2 * all < self.entries {
                let began = now();
                let answer = poll(armed, all, Some(0));
                // Doubled for the cost to the host of polling the front again.
                self.cost = 2 * since(began).min(MAX_COST_PER_ENTRY * all as u64);
                self.entries = all;
                self.valid = MEASURE_EVERY;
                self.spent = 0;
                armed.age_front();
                if answer == Polled::Events || timeout == Some(0) {
                    return answer;
                }
            }
            let most = (FRONT_FACTOR * self.cost).saturating_sub(self.spent);
            if most >= MIN_FRONT_TIME {
                let limit = timeout.map_or(most, |timeout| timeout.min(most));
                let began = now();
                let answer = poll(armed, armed.front(), Some(limit));
                let took = since(began);
                // With a coarse clock, the time on the front must still add up.
                self.spent += took.max(1_000);
                if answer == Polled::Events {
                    self.backoff = 0;
                    return answer;
                }
                if timeout == Some(limit) && answer == Polled::TimedOut {
                    return answer;
                }
                self.backoff = (2 * self.backoff + 1).min(MAX_BACKOFF);
                self.skip = self.backoff;
                rest = timeout.map(|timeout| timeout.saturating_sub(took));
            }
        }
        self.valid = self.valid.saturating_sub(1);
        self.spent = 0;
        armed.age_front();
        poll(armed, all, rest)
    }
}
