//! Decides which of the armed sources to ask about: the recently active ones first, then all of them.
//!
//! A WASI host's cost of being asked grows with the number of entries, so thousands of idle connections would slow
//! every wait of ten busy ones. The busy ones are at the front of the list (`armed.rs`) and are asked about alone, for
//! a time that depends on the cost of asking about everything ([`PATIENCE`]). Then everything is asked about. The cost
//! of waiting is therefore bounded by a multiple of the cheaper way, whichever that is, and an idle source is noticed
//! at most that much later. The time of several such waits adds up, so everything is asked about in the end, however
//! busy the front is.
//!
//! The cost of asking about everything is measured now and then, with a look that does not wait. It includes what the
//! host pays for being asked about different sets alternately.
//!
//! If the front stays silent, the next waits skip it, more of them each time.
//!
//! Times are the host's, in nanoseconds: the standard library's `Instant` and `Duration` would add two kilobytes to
//! every guest.

use super::armed::Armed;
use crate::sys::now;

/// With no more than this many entries behind the front, everything is asked about at once.
const FEW: usize = 16;

/// How long the front is asked about alone, in multiples of the cost of asking about everything. With 1, ten busy
/// connections beside 1,000 idle ones had 0.83 of what a loop without a runtime reaches on WasmEdge; with 4, all of it.
const PATIENCE: u64 = 2;

/// The number of times that everything is asked about between two measurements.
const MEASURED_FOR: u32 = 64;

/// Asking about one entry costs less than this. If it seems to cost more, the machine stood still meanwhile.
const MOST_PER_ENTRY: u64 = 4_000;

/// The time from one look on behalf of busy tasks to the next, in multiples of the cost of the look. The tasks have 80
/// % of the time. An idle source is noticed that much later.
const BETWEEN_GLANCES: u64 = 4;

/// The maximum number of waits that skip the front. This much can be lost when the front becomes busy again.
const LONGEST_PAUSE: u32 = 7;

/// With less time than this for the front, everything is asked about at once. A host of WASI 0.2 has timers that count
/// milliseconds: a shorter wait takes as long there, and sources behind the front would wait for nothing.
const SHORTEST: u64 = if cfg!(target_env = "p2") { 500_000 } else { 1_000 };

/// Returns the time since `began`. The clock never goes back.
fn since(began: u64) -> u64 {
    now().wrapping_sub(began)
}

/// The host's answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::sys) enum Answer {
    /// There were events, and they were noted.
    Events,
    /// The timeout is over.
    TimedOut,
    /// Neither.
    #[cfg_attr(not(target_env = "p1"), expect(dead_code, reason = "only preview 1 can do so"))]
    Nothing,
}

/// Makes the host call about this many entries, counted from the first, and notes the events.
pub(in crate::sys) type Ask<'a, T> = dyn FnMut(&mut Armed<T>, usize, Option<u64>) -> Answer + 'a;

/// The measured cost of asking, and the choice that follows from it.
#[derive(Default)]
pub(in crate::sys) struct Plan {
    /// The cost of asking about everything.
    cost: u64,
    /// The number of entries when the cost was measured.
    entries: usize,
    /// The number of times that everything is asked about before the cost is measured again.
    valid: u32,
    /// The time spent on the front since everything was asked about.
    spent: u64,
    /// The number of coming waits that skip the front.
    pause: u32,
    /// The length of the last such pause.
    penalty: u32,
    /// No look on behalf of busy tasks before this time.
    next_glance: u64,
}

impl Plan {
    /// Looks without waiting, on behalf of busy tasks. Skipped if the last such look was recent, compared with the time
    /// that it took.
    pub(in crate::sys) fn glance<T>(
        &mut self,
        armed: &mut Armed<T>,
        ask: &mut Ask<'_, T>,
    ) -> Answer {
        let began = now();
        if began < self.next_glance {
            return Answer::TimedOut;
        }
        let answer = self.wait(armed, Some(0), ask);
        let took = since(began).min(MOST_PER_ENTRY * armed.entries().len() as u64);
        self.next_glance = began + (1 + BETWEEN_GLANCES) * took;
        answer
    }

    /// Waits for up to `timeout`.
    pub(in crate::sys) fn wait<T>(
        &mut self,
        armed: &mut Armed<T>,
        timeout: Option<u64>,
        ask: &mut Ask<'_, T>,
    ) -> Answer {
        let all = armed.entries().len();
        let mut rest = timeout;
        if all < 2 * armed.front() + FEW || armed.front() == 1 {
            // The front is most of the list, or only the clock.
        } else if self.pause > 0 {
            self.pause -= 1;
        } else {
            if self.valid == 0 || all > 2 * self.entries || 2 * all < self.entries {
                let began = now();
                let answer = ask(armed, all, Some(0));
                // Doubled for what the host then does to be asked about the front again.
                self.cost = 2 * since(began).min(MOST_PER_ENTRY * all as u64);
                self.entries = all;
                self.valid = MEASURED_FOR;
                self.spent = 0;
                armed.settle();
                if answer == Answer::Events || timeout == Some(0) {
                    return answer;
                }
            }
            let most = (PATIENCE * self.cost).saturating_sub(self.spent);
            if most >= SHORTEST {
                let limit = timeout.map_or(most, |timeout| timeout.min(most));
                let began = now();
                let answer = ask(armed, armed.front(), Some(limit));
                let took = since(began);
                // With a coarse clock, the time on the front must still add up.
                self.spent += took.max(1_000);
                if answer == Answer::Events {
                    self.penalty = 0;
                    return answer;
                }
                if timeout == Some(limit) && answer == Answer::TimedOut {
                    return answer;
                }
                self.penalty = (2 * self.penalty + 1).min(LONGEST_PAUSE);
                self.pause = self.penalty;
                rest = timeout.map(|timeout| timeout.saturating_sub(took));
            }
        }
        self.valid = self.valid.saturating_sub(1);
        self.spent = 0;
        armed.settle();
        ask(armed, all, rest)
    }
}
