//! Decides when to attempt reads before the host is polled.
//!
//! An *iteration* is the time from one poll of all sources to the next, as in an event loop. It has several rounds of
//! attempts. No source waits longer than the rounds of one iteration until the host is polled for it.
//!
//! Under load, most connections that were active a moment ago have data again by the time that their tasks have run
//! once. A poll of the host costs a call, and within the call as much per connection as an attempt. So before the host
//! is polled, the tasks that read from these connections are woken to attempt a read: for three rounds, or for up to
//! sixteen within a millisecond, and only while at least a quarter of the attempts find data. If too few attempts of
//! the first round find data, the next iterations make none; their number doubles each time. A program with slow peers
//! pays for one futile round in eight iterations.
//!
//! The answer on a lone connection often arrives sooner than a thread falls asleep and wakes up. Reads on a lone
//! connection are therefore attempted repeatedly for a while, with a poll of all sources now and then: the thread
//! spins. The spin time is learnt from previous waits, as hypervisors do before they halt a processor: see [`Lone`].
//!
//! Each attempt takes the kernel's lock of the socket, and each read sends an acknowledgement. A receiver of bulk data
//! that is faster than its sender would slow the sender down by attempting a read for every piece. After large reads,
//! with no write in between, a lone connection therefore pauses first, so that more data arrives together. The pause
//! grows with each such read, so that the last pause is a fraction of the total time.

/// The minimum number of rounds in an iteration, however long they take, while enough attempts find data.
const MIN_ROUNDS: u32 = 3;

/// More rounds begin until the iteration has lasted this long, in nanoseconds. A source that is not tried waits for the
/// end of the iteration.
const MAX_ITERATION: u64 = 1_000_000;

/// The maximum number of rounds in an iteration, in case the clock stands still.
const MAX_ROUNDS: u32 = 16;

/// The maximum number of iterations without attempts after one whose attempts were futile. One less than a power of
/// two.
const MAX_BACKOFF: u32 = 7;

/// One attempt in this many has to find data.
const HIT_SHARE: usize = 4;

/// Whether an attempt finds data that has arrived since the host was polled. A host of WASI 0.2 on tokio knows only
/// what its driver saw the last time it ran, and an attempt does not run the driver. There the host is polled instead,
/// without blocking.
const ATTEMPTS_SEE_ARRIVALS: bool = crate::sys::HOST.attempts_see_arrivals;

/// What to do before a blocking poll.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Make a round of attempts.
    Try,
    /// Poll all sources, without blocking.
    Poll,
    /// Do nothing and do not block, so that more data arrives together.
    Pause,
    /// Make no attempt: it is time to block.
    Wait,
}

/// The sources that are worth trying, and how well attempts have worked.
#[derive(Default)]
pub(super) struct Speculation {
    /// Keys of the sources that had data in this iteration or the previous one.
    pub(super) recent: Vec<usize>,
    /// Number of rounds in this iteration.
    round: u32,
    /// When the first round of this iteration began.
    began: u64,
    /// Number of attempts in the last round. `found` is the number of those that found data.
    tried: usize,
    found: usize,
    /// Number of coming iterations without attempts.
    skip: u32,
    /// The last value that was assigned to `skip`.
    backoff: u32,
    lone: Lone,
}

impl Speculation {
    /// The only source worth trying, if there is exactly one.
    pub(super) fn lone(&self) -> Option<usize> {
        if let [key] = self.recent[..] { Some(key) } else { None }
    }

    /// Returns what to do now. `bulk_reads` is the number of large reads of the lone source since the last write to it.
    /// `now` is a clock in nanoseconds.
    pub(super) fn next(&mut self, bulk_reads: u8, now: impl Fn() -> u64) -> Next {
        let found = std::mem::take(&mut self.found);
        if self.recent.len() == 1 {
            return self.lone.next(found > 0, bulk_reads, now());
        }
        self.lone.since = None;
        if self.round > 0 {
            if found * HIT_SHARE >= self.tried {
                self.backoff = 0;
            } else {
                if self.round == 1 {
                    self.backoff = (2 * self.backoff + 1) & MAX_BACKOFF;
                    self.skip = self.backoff;
                }
                return Next::Wait;
            }
            if self.round >= MAX_ROUNDS
                || (self.round >= MIN_ROUNDS && now().wrapping_sub(self.began) >= MAX_ITERATION)
            {
                return Next::Wait;
            }
        } else if self.skip > 0 {
            self.skip -= 1;
            return Next::Wait;
        }
        if self.recent.is_empty() {
            return Next::Wait;
        }
        if self.round == 0 {
            self.began = now();
        }
        self.round += 1;
        self.tried = 0;
        Next::Try
    }

    /// Records the number of attempts in this round.
    pub(super) fn tries(&mut self, count: usize) {
        self.tried = count;
    }

    /// Records that an attempt of this round found data.
    pub(super) fn found(&mut self) {
        self.found += 1;
    }

    /// Ends the iteration, because the host was polled. `polled` is true if that poll did not block and reported an
    /// event.
    pub(super) fn end_iteration(&mut self, polled: bool, now: impl Fn() -> u64) {
        self.round = 0;
        if polled {
            self.lone.found_data();
        } else if self.lone.since.is_some() {
            self.lone.waited(now());
        }
    }
}

/// How long reads on a lone connection are attempted before a blocking poll. Times are in nanoseconds.
///
/// After a short wait, the thread spins at the beginning of the next wait, and twice as long at the next but one. After
/// a long wait, it does not spin. So a program that waits for rare events pays nothing, and a program that waits for
/// frequent ones receives them without sleeping, as long as they come within [`MAX`](Lone::MAX).
#[derive(Default)]
struct Lone {
    /// How long to spin in the next wait.
    spin_time: u64,
    /// When the wait began.
    since: Option<u64>,
    /// The number of calls to `next` in this wait.
    calls: u32,
    /// When all sources were last polled.
    last_poll: u64,
    /// Consecutive waits that ended at once, after attempts that had found nothing.
    blind: u32,
}

impl Lone {
    /// The shortest spin time that is not zero. A power of two.
    const MIN: u64 = 8_192;
    /// The longest spin time: `MIN` and the three powers of two that follow it.
    const MAX: u64 = 122_880;
    /// The pause for each large read, up to half of `MAX` in total.
    const PAUSE_PER_READ: u64 = 1_024;
    /// The time between two polls of all sources.
    const POLL_INTERVAL: u64 = 50_000;
    /// The maximum number of pauses and attempts in one wait, in case the clock stands still.
    const MAX_CALLS: u32 = 4_096;
    /// After this many blind waits, attempts are taken to find nothing on this host, whatever has arrived: a host of
    /// WASI 0.2 may run its driver only while the guest waits. Attempts resume after a long wait.
    const MAX_BLIND: u32 = 16;

    fn next(&mut self, found: bool, bulk_reads: u8, now: u64) -> Next {
        if found {
            self.found_data();
        }
        if self.since.is_none() {
            self.calls = 0;
        }
        let waited = now.wrapping_sub(*self.since.get_or_insert(now));
        self.calls += 1;
        let mut spin_time = if self.calls > Lone::MAX_CALLS { 0 } else { self.spin_time };
        if spin_time > 0 && bulk_reads > 0 {
            let pause = (u64::from(bulk_reads) * Lone::PAUSE_PER_READ).min(Lone::MAX / 2);
            if waited < pause {
                return Next::Pause;
            }
            spin_time = spin_time.max(pause + Lone::MIN);
        }
        if waited >= spin_time {
            return Next::Wait;
        }
        if !ATTEMPTS_SEE_ARRIVALS {
            return Next::Poll;
        }
        if now.wrapping_sub(self.last_poll) >= Lone::POLL_INTERVAL {
            self.last_poll = now;
            return Next::Poll;
        }
        Next::Try
    }

    /// Records that data arrived without a wait.
    fn found_data(&mut self) {
        self.since = None;
        self.blind = 0;
    }

    /// Records that a blocking poll lasted until `now`.
    fn waited(&mut self, now: u64) {
        let Some(since) = self.since.take() else { return };
        let took = now.wrapping_sub(since);
        if took < self.spin_time + Lone::MIN {
            self.blind += 1;
        }
        if took > Lone::MAX {
            self.blind = 0;
        }
        // Doubles the spin time, from `MIN` up to `MAX`.
        let longer = ((2 * self.spin_time) | Lone::MIN) & Lone::MAX;
        self.spin_time = if took > Lone::MAX || self.blind >= Lone::MAX_BLIND { 0 } else { longer };
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn of(recent: usize) -> Speculation {
        Speculation { recent: (0..recent).collect(), ..Speculation::default() }
    }

    /// Returns the number of rounds in an iteration in which each round makes ten attempts and takes `takes`
    /// nanoseconds. If `finds`, every attempt finds data; otherwise none does.
    fn iteration(speculation: &mut Speculation, finds: bool, takes: u64) -> u32 {
        let clock = Cell::new(1_000_000);
        let mut rounds = 0;
        while speculation.next(0, || clock.get()) == Next::Try {
            rounds += 1;
            clock.set(clock.get() + takes);
            speculation.tries(10);
            (0..if finds { 10 } else { 0 }).for_each(|_| speculation.found());
        }
        speculation.end_iteration(false, || clock.get());
        rounds
    }

    #[test]
    fn without_recent_sources_nothing_is_tried() {
        assert_eq!(iteration(&mut Speculation::default(), true, 1000), 0);
    }

    #[test]
    fn rounds_are_bounded_and_so_are_futile_ones() {
        let mut speculation = of(10);
        assert_eq!(iteration(&mut speculation, true, MAX_ITERATION / 5), 5);
        assert_eq!(
            iteration(&mut speculation, true, 10 * MAX_ITERATION),
            MIN_ROUNDS,
            "however long they take"
        );
        assert_eq!(iteration(&mut speculation, true, 0), MAX_ROUNDS, "the clock stands still");
        let futile: u32 = (0..1000).map(|_| iteration(&mut speculation, false, 1000)).sum();
        assert!((120..140).contains(&futile), "{futile} futile rounds in 1000 iterations");
        // Attempts that pay again resume within the longest pause.
        let rounds: u32 =
            (0..=MAX_BACKOFF).map(|_| iteration(&mut speculation, true, MAX_ITERATION)).sum();
        assert!(rounds >= MIN_ROUNDS, "{rounds} rounds");
        assert_eq!(iteration(&mut speculation, true, MAX_ITERATION), MIN_ROUNDS);
    }

    #[test]
    fn a_quarter_of_hits_is_enough() {
        let mut speculation = of(8);
        for found in [1, 2] {
            assert_eq!(speculation.next(0, || 0), Next::Try);
            speculation.tries(8);
            (0..found).for_each(|_| speculation.found());
            assert_eq!(speculation.next(0, || 0) == Next::Try, found == 2);
            speculation.end_iteration(false, || 0);
            speculation.skip = 0;
        }
    }

    /// Waits for a lone connection whose data arrives after `after` nanoseconds; an attempt takes a microsecond.
    /// Returns the number of attempts, the number of polls of all sources, and whether the host blocked.
    fn wait(speculation: &mut Speculation, clock: &Cell<u64>, after: u64) -> (u32, u32, bool) {
        wait_for_more(speculation, clock, after, 0)
    }

    /// Like `wait`, after `bulk_reads` large reads.
    fn wait_for_more(
        speculation: &mut Speculation,
        clock: &Cell<u64>,
        after: u64,
        bulk_reads: u8,
    ) -> (u32, u32, bool) {
        let (mut tries, mut polls) = (0, 0);
        let comes = clock.get() + after;
        loop {
            match speculation.next(bulk_reads, || clock.get()) {
                Next::Pause => clock.set(clock.get() + 100),
                Next::Try => {
                    tries += 1;
                    clock.set(clock.get() + 1000);
                    speculation.tries(1);
                    if clock.get() >= comes {
                        speculation.found();
                        return (tries, polls, false);
                    }
                }
                Next::Poll => polls += 1,
                Next::Wait => {
                    clock.set(clock.get().max(comes));
                    speculation.end_iteration(false, || clock.get());
                    return (tries, polls, true);
                }
            }
        }
    }

    #[test]
    fn a_lone_connection_that_answers_soon_is_tried_until_it_does() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        let waits: Vec<bool> = (0..10).map(|_| wait(&mut speculation, &clock, 30_000).2).collect();
        assert_eq!(waits, [[true; 3].as_slice(), &[false; 7]].concat(), "waits of the host");
        assert_eq!(wait(&mut speculation, &clock, 30_000), (30, 0, false));
    }

    #[test]
    fn bulk_data_is_paused_for() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        (0..10).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        // The data is there at once. The pause grows with the number of large reads before it.
        let pause = |speculation: &mut Speculation, bulk_reads| {
            let from = clock.get();
            let (.., waited) = wait_for_more(speculation, &clock, 0, bulk_reads);
            assert!(!waited);
            clock.get() - from
        };
        assert_eq!(pause(&mut speculation, 0), 1000, "one attempt");
        assert!((2_000..=2_200).contains(&pause(&mut speculation, 1)));
        assert!((5_000..=5_200).contains(&pause(&mut speculation, 4)));
        assert!((62_000..=63_000).contains(&pause(&mut speculation, u8::MAX)));
        // A connection whose last answer was late is not paused for.
        wait(&mut speculation, &clock, 10_000_000);
        assert_eq!(wait_for_more(&mut speculation, &clock, 30_000, u8::MAX), (0, 0, true));
    }

    #[test]
    fn a_clock_that_stands_still_ends_every_wait() {
        for bulk_reads in [0, u8::MAX] {
            let mut speculation = of(1);
            for _ in 0..100 {
                let mut asked = 0;
                while speculation.next(bulk_reads, || 0) != Next::Wait {
                    asked += 1;
                }
                assert!(asked <= Lone::MAX_CALLS, "asked {asked} times");
                speculation.end_iteration(false, || 0);
            }
        }
    }

    #[test]
    fn a_connection_that_answers_late_is_not_tried() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        (0..10).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        // One long wait resets what was learnt, and costs no more than that.
        let (tries, ..) = wait(&mut speculation, &clock, 10_000_000);
        assert!((30..=100).contains(&tries), "{tries} attempts");
        for _ in 0..100 {
            assert_eq!(wait(&mut speculation, &clock, 200_000), (0, 0, true));
        }
    }

    #[test]
    fn attempts_that_never_see_anything_end() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        for _ in 0..100 {
            while speculation.next(0, || clock.get()) != Next::Wait {
                clock.set(clock.get() + 1000);
                speculation.tries(1);
            }
            // The data was there all the time.
            clock.set(clock.get() + 1000);
            speculation.end_iteration(false, || clock.get());
        }
        assert_eq!(wait(&mut speculation, &clock, 30_000), (0, 0, true));
    }

    #[test]
    fn attempts_resume_after_a_long_wait() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        speculation.lone.blind = Lone::MAX_BLIND;
        assert!((0..10).all(|_| wait(&mut speculation, &clock, 30_000).2), "it has given up");
        wait(&mut speculation, &clock, 10_000_000);
        (0..3).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        assert!(!wait(&mut speculation, &clock, 30_000).2, "the host waits");
    }

    #[test]
    fn other_sources_are_polled_meanwhile() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        (0..10).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        let from = clock.get();
        let polls: u32 = (0..100).map(|_| wait(&mut speculation, &clock, 30_000).1).sum();
        let most = (clock.get() - from) / Lone::POLL_INTERVAL;
        assert!((most / 2..=most).contains(&polls.into()), "{polls} polls, {most} at most");
    }
}
