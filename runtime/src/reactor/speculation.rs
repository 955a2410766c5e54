//! Decides when to attempt reads before the host is asked.
//!
//! Here a *turn* is the period from one question to the host about all sources to the next. It has several
//! rounds of attempts. No source waits longer than the rounds of one turn until the host is asked about it.
//!
//! Under load, most connections that were active a moment ago have data again by the time that their tasks have run
//! once. Asking the host which ones do costs a call, and within the call as much per connection as an attempt. So
//! before the host is asked, the tasks that read from these connections are woken to attempt a read: for three rounds,
//! or for up to sixteen within a millisecond, and only while at least a quarter of the attempts find something. If the
//! first round finds too little, the next turns skip the attempts, twice as many turns as the last time. A program with
//! slow peers pays for one futile round in eight turns.
//!
//! The answer on a lone connection often arrives sooner than a thread falls asleep and wakes up. A lone connection is
//! therefore tried repeatedly for a while, with a look at everything else now and then. The length of that while is
//! learnt from previous waits, as hypervisors do before they halt a processor: see [`Lone`].
//!
//! Each attempt takes the kernel's lock of the socket, and each read sends an acknowledgement. A receiver of bulk data
//! that is faster than its sender would slow the sender down by attempting a read for every piece. After large reads,
//! with no write in between, a lone connection therefore pauses first, so that more data arrives together. The pause
//! grows with each such read, so that the last pause is a fraction of the total time.

/// The minimum number of rounds in a turn, however long they take, while the attempts find enough.
const ROUNDS: u32 = 3;

/// More rounds begin until the turn has lasted this long, in nanoseconds. A source that is not being tried waits for
/// the end of the turn.
const TURN: u64 = 1_000_000;

/// The maximum number of rounds in a turn, in case the clock stands still.
const MOST_ROUNDS: u32 = 16;

/// The maximum number of turns that skip the attempts after a turn whose attempts were futile. One less than a power of
/// two.
const LONGEST_PAUSE: u32 = 7;

/// One attempt in this many has to find something.
const WORTHWHILE: usize = 4;

/// Whether an attempt finds data that has arrived since the host was asked. A host of WASI 0.2 on tokio knows only what
/// its driver saw the last time it ran, and an attempt does not run the driver. There the host is asked instead,
/// without waiting.
const ATTEMPTS_SEE: bool = crate::sys::HOST.attempts_see;

/// What to do before the host is asked to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// Make a round of attempts.
    Try,
    /// Ask the host about everything, without waiting.
    Look,
    /// Do nothing and do not wait, so that more data arrives together.
    Pause,
    /// Make no attempt: it is time to wait.
    Wait,
}

/// The sources that are worth trying, and how well attempts have worked.
#[derive(Default)]
pub(super) struct Speculation {
    /// Keys of the sources that had data in this turn or the one before.
    pub(super) recent: Vec<usize>,
    /// Number of rounds in this turn.
    round: u32,
    /// When the first round of this turn began.
    began: u64,
    /// Number of attempts in the last round. `found` is the number of those that found data.
    tried: usize,
    found: usize,
    /// Number of coming turns that skip the attempts.
    pause: u32,
    /// The length of the last such pause, in turns.
    penalty: u32,
    lone: Lone,
}

impl Speculation {
    /// The only source worth trying, if there is exactly one.
    pub(super) fn lone(&self) -> Option<usize> {
        if let [key] = self.recent[..] { Some(key) } else { None }
    }

    /// Returns what to do now. `streamed` is the number of large reads of the lone source since the last write to it.
    /// `now` is a clock in nanoseconds.
    pub(super) fn next(&mut self, streamed: u8, now: impl Fn() -> u64) -> Next {
        let found = std::mem::take(&mut self.found);
        if self.recent.len() == 1 {
            return self.lone.next(found > 0, streamed, now());
        }
        self.lone.since = None;
        if self.round > 0 {
            if found * WORTHWHILE >= self.tried {
                self.penalty = 0;
            } else {
                if self.round == 1 {
                    self.penalty = (2 * self.penalty + 1) & LONGEST_PAUSE;
                    self.pause = self.penalty;
                }
                return Next::Wait;
            }
            if self.round >= MOST_ROUNDS
                || (self.round >= ROUNDS && now().wrapping_sub(self.began) >= TURN)
            {
                return Next::Wait;
            }
        } else if self.pause > 0 {
            self.pause -= 1;
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

    /// Ends the turn, because the host was asked. `looked` is true if the host was asked without waiting and reported
    /// an event.
    pub(super) fn end_turn(&mut self, looked: bool, now: impl Fn() -> u64) {
        self.round = 0;
        if looked {
            self.lone.seen();
        } else if self.lone.since.is_some() {
            self.lone.waited(now());
        }
    }
}

/// How long a lone connection is tried before the host is asked to wait. Times are in nanoseconds.
///
/// After a short wait, the next wait begins with attempts, and the one after it with twice as many. After a long wait,
/// the next begins with none. So a program that waits for rare events pays nothing, and a program that waits for
/// frequent ones receives them without sleeping, as long as they come within [`MOST`](Lone::MOST).
#[derive(Default)]
struct Lone {
    /// How long to try in the next wait.
    patience: u64,
    /// When the wait began.
    since: Option<u64>,
    /// The number of calls to `next` in this wait.
    asked: u32,
    /// When the host was last asked about everything.
    looked: u64,
    /// Consecutive waits that the host ended at once, after attempts that had found nothing.
    blind: u32,
}

impl Lone {
    /// The shortest patience that is not zero. A power of two.
    const LEAST: u64 = 8_192;
    /// The longest patience: `LEAST` and the three powers of two that follow it.
    const MOST: u64 = 122_880;
    /// The pause for each large read, up to half of `MOST` in total.
    const MORE: u64 = 1_024;
    /// The time between two looks at everything.
    const BETWEEN: u64 = 50_000;
    /// The maximum number of pauses and attempts in one wait, in case the clock stands still.
    const MOST_ASKED: u32 = 4_096;
    /// After this many blind waits, attempts are taken to find nothing on this host, whatever has arrived: a host of
    /// WASI 0.2 may run its driver only while the guest waits. Attempts resume after a long wait.
    const BLIND: u32 = 16;

    fn next(&mut self, found: bool, streamed: u8, now: u64) -> Next {
        if found {
            self.seen();
        }
        if self.since.is_none() {
            self.asked = 0;
        }
        let waited = now.wrapping_sub(*self.since.get_or_insert(now));
        self.asked += 1;
        let mut patience = if self.asked > Lone::MOST_ASKED { 0 } else { self.patience };
        if patience > 0 && streamed > 0 {
            let pause = (u64::from(streamed) * Lone::MORE).min(Lone::MOST / 2);
            if waited < pause {
                return Next::Pause;
            }
            patience = patience.max(pause + Lone::LEAST);
        }
        if waited >= patience {
            return Next::Wait;
        }
        if !ATTEMPTS_SEE {
            return Next::Look;
        }
        if now.wrapping_sub(self.looked) >= Lone::BETWEEN {
            self.looked = now;
            return Next::Look;
        }
        Next::Try
    }

    /// Records that data arrived without a wait.
    fn seen(&mut self) {
        self.since = None;
        self.blind = 0;
    }

    /// Records that the host has waited until `now`.
    fn waited(&mut self, now: u64) {
        let Some(since) = self.since.take() else { return };
        let took = now.wrapping_sub(since);
        if took < self.patience + Lone::LEAST {
            self.blind += 1;
        }
        if took > Lone::MOST {
            self.blind = 0;
        }
        // Doubles the patience, from `LEAST` up to `MOST`.
        let longer = ((2 * self.patience) | Lone::LEAST) & Lone::MOST;
        self.patience = if took > Lone::MOST || self.blind >= Lone::BLIND { 0 } else { longer };
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    fn of(recent: usize) -> Speculation {
        Speculation { recent: (0..recent).collect(), ..Speculation::default() }
    }

    /// Returns the number of rounds in a turn in which each round makes ten attempts and takes `takes` nanoseconds. If
    /// `finds`, every attempt finds data; otherwise none does.
    fn turn(speculation: &mut Speculation, finds: bool, takes: u64) -> u32 {
        let clock = Cell::new(1_000_000);
        let mut rounds = 0;
        while speculation.next(0, || clock.get()) == Next::Try {
            rounds += 1;
            clock.set(clock.get() + takes);
            speculation.tries(10);
            (0..if finds { 10 } else { 0 }).for_each(|_| speculation.found());
        }
        speculation.end_turn(false, || clock.get());
        rounds
    }

    #[test]
    fn nothing_recent_is_nothing_to_try() {
        assert_eq!(turn(&mut Speculation::default(), true, 1000), 0);
    }

    #[test]
    fn rounds_are_bounded_and_so_are_futile_ones() {
        let mut speculation = of(10);
        assert_eq!(turn(&mut speculation, true, TURN / 5), 5);
        assert_eq!(turn(&mut speculation, true, 10 * TURN), ROUNDS, "however long they take");
        assert_eq!(turn(&mut speculation, true, 0), MOST_ROUNDS, "the clock stands still");
        let futile: u32 = (0..1000).map(|_| turn(&mut speculation, false, 1000)).sum();
        assert!((120..140).contains(&futile), "{futile} futile rounds in 1000 turns");
        // Attempts that pay again resume within the longest pause.
        let rounds: u32 = (0..=LONGEST_PAUSE).map(|_| turn(&mut speculation, true, TURN)).sum();
        assert!(rounds >= ROUNDS, "{rounds} rounds");
        assert_eq!(turn(&mut speculation, true, TURN), ROUNDS);
    }

    #[test]
    fn a_quarter_is_enough() {
        let mut speculation = of(8);
        for found in [1, 2] {
            assert_eq!(speculation.next(0, || 0), Next::Try);
            speculation.tries(8);
            (0..found).for_each(|_| speculation.found());
            assert_eq!(speculation.next(0, || 0) == Next::Try, found == 2);
            speculation.end_turn(false, || 0);
            speculation.pause = 0;
        }
    }

    /// Waits for a lone connection whose data arrives after `after` nanoseconds; an attempt takes a microsecond.
    /// Returns the number of attempts, the number of looks at everything, and whether the host waited.
    fn wait(speculation: &mut Speculation, clock: &Cell<u64>, after: u64) -> (u32, u32, bool) {
        wait_for_more(speculation, clock, after, 0)
    }

    /// Like `wait`, after `streamed` large reads.
    fn wait_for_more(
        speculation: &mut Speculation,
        clock: &Cell<u64>,
        after: u64,
        streamed: u8,
    ) -> (u32, u32, bool) {
        let (mut tries, mut looks) = (0, 0);
        let comes = clock.get() + after;
        loop {
            match speculation.next(streamed, || clock.get()) {
                Next::Pause => clock.set(clock.get() + 100),
                Next::Try => {
                    tries += 1;
                    clock.set(clock.get() + 1000);
                    speculation.tries(1);
                    if clock.get() >= comes {
                        speculation.found();
                        return (tries, looks, false);
                    }
                }
                Next::Look => looks += 1,
                Next::Wait => {
                    clock.set(clock.get().max(comes));
                    speculation.end_turn(false, || clock.get());
                    return (tries, looks, true);
                }
            }
        }
    }

    #[test]
    fn a_lone_one_that_answers_soon_is_tried_until_it_does() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        let waits: Vec<bool> = (0..10).map(|_| wait(&mut speculation, &clock, 30_000).2).collect();
        assert_eq!(waits, [[true; 3].as_slice(), &[false; 7]].concat(), "waits of the host");
        assert_eq!(wait(&mut speculation, &clock, 30_000), (30, 0, false));
    }

    #[test]
    fn in_bulk_more_comes_together() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        (0..10).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        // The data is there at once. The pause grows with the number of large reads before it.
        let pause = |speculation: &mut Speculation, streamed| {
            let from = clock.get();
            let (.., waited) = wait_for_more(speculation, &clock, 0, streamed);
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
        for streamed in [0, u8::MAX] {
            let mut speculation = of(1);
            for _ in 0..100 {
                let mut asked = 0;
                while speculation.next(streamed, || 0) != Next::Wait {
                    asked += 1;
                }
                assert!(asked <= Lone::MOST_ASKED, "asked {asked} times");
                speculation.end_turn(false, || 0);
            }
        }
    }

    #[test]
    fn who_answers_late_is_not_tried() {
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
            speculation.end_turn(false, || clock.get());
        }
        assert_eq!(wait(&mut speculation, &clock, 30_000), (0, 0, true));
    }

    #[test]
    fn they_are_taken_up_again_after_a_long_wait() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        speculation.lone.blind = Lone::BLIND;
        assert!((0..10).all(|_| wait(&mut speculation, &clock, 30_000).2), "it has given up");
        wait(&mut speculation, &clock, 10_000_000);
        (0..3).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        assert!(!wait(&mut speculation, &clock, 30_000).2, "the host waits");
    }

    #[test]
    fn the_others_are_looked_at_meanwhile() {
        let (mut speculation, clock) = (of(1), Cell::new(1_000_000));
        (0..10).for_each(|_| _ = wait(&mut speculation, &clock, 30_000));
        let from = clock.get();
        let looks: u32 = (0..100).map(|_| wait(&mut speculation, &clock, 30_000).1).sum();
        let most = (clock.get() - from) / Lone::BETWEEN;
        assert!((most / 2..=most).contains(&looks.into()), "{looks} looks, {most} at most");
    }
}
