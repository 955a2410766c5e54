//! Decides when to attempt reads before the host is asked.
//!
//! Under load, most connections that were active a moment ago have data again by the time that their tasks have run once.
//! Asking the host which ones do costs a call, and within the call as much per connection as an attempt. So before the
//! host is asked, the tasks that read from these connections are woken to attempt a read: for three rounds, or for up to
//! sixteen within a millisecond, and only while at least a quarter of the attempts find something. If the first round
//! finds too little, the next turns skip the attempts, twice as many turns as the last time. A program with slow peers
//! pays for one futile round in eight turns.
//!
//! The answer on a lone connection often comes sooner than a thread falls asleep and wakes up. A lone connection is
//! therefore tried repeatedly for a while, with a look at everything else now and then. How long is learnt from previous
//! waits, as hypervisors do before they halt a processor: see [`Lone`].
//!
//! Each attempt takes the kernel's lock of the socket, and each read sends an acknowledgement. A receiver of bulk data
//! that is faster than its sender would slow the sender down by looking for every piece. After large reads, with no write
//! in between, a lone connection therefore pauses first, so that more data arrives together. The pause grows with each
//! such read, so that the last pause is a fraction of the total time.
//!
//! A turn ends when the host is asked about everything. No source waits longer than the rounds of one turn for that.

/// Rounds of a turn, however long they take.
const ROUNDS: u32 = 3;

/// More rounds are begun for so long, in nanoseconds: whoever is not among the tried waits for the end of the turn.
const TURN: u64 = 1_000_000;

/// Rounds of a turn at most, should the clock stand still.
const MOST_ROUNDS: u32 = 16;

/// Turns without an attempt after one in which all were futile, at most: one less than a power of two.
const LONGEST_PAUSE: u32 = 7;

/// One in so many attempts has to find something.
const WORTHWHILE: usize = 4;

/// Whether an attempt finds what has come since the host was asked. A host of WASI 0.2 on tokio knows no more than its
/// driver did the last time it ran, which is not for an attempt: there the host is asked instead, without waiting.
const ATTEMPTS_SEE: bool = crate::sys::HOST.attempts_see;

/// What to do before the host is asked to wait.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Next {
    /// A round of attempts.
    Try,
    /// Ask the host about everything, without waiting.
    Look,
    /// Nothing yet, without waiting: more is to come together.
    Pause,
    /// Nothing: it is time to wait.
    Wait,
}

/// Which sources are worth trying, and whether trying is.
#[derive(Default)]
pub(super) struct Speculation {
    /// Keys of sources that had something since the host was asked before last.
    pub(super) recent: Vec<usize>,
    /// Of this turn.
    round: u32,
    /// When its first round began.
    began: u64,
    /// Of the last round.
    tried: usize,
    found: usize,
    /// Turns to go without an attempt.
    pause: u32,
    /// How long the last pause was.
    penalty: u32,
    lone: Lone,
}

impl Speculation {
    /// The only source worth trying.
    pub(super) fn lone(&self) -> Option<usize> {
        if let [key] = self.recent[..] { Some(key) } else { None }
    }

    /// What to do now. `streamed`: how many reads of the lone source brought much since it was written to. `now` is a
    /// clock, in nanoseconds.
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

    /// So many attempts are made in this round.
    pub(super) fn tries(&mut self, count: usize) {
        self.tried = count;
    }

    /// One of them found something.
    pub(super) fn found(&mut self) {
        self.found += 1;
    }

    /// The host was asked; `looked` says that it did not wait, and found something in a look in between.
    pub(super) fn end_turn(&mut self, looked: bool, now: impl Fn() -> u64) {
        self.round = 0;
        if looked {
            self.lone.seen();
        } else if self.lone.since.is_some() {
            self.lone.waited(now());
        }
    }
}

/// For how long a lone connection is tried before the host is asked to wait. Times in nanoseconds.
///
/// A wait that was over soon makes the next one begin with attempts, and the next with twice as many; one that took
/// long makes it begin with none. So who waits for seldom events pays nothing, and who waits for frequent ones has them
/// without sleeping, as long as they come within [`MOST`](Lone::MOST).
#[derive(Default)]
struct Lone {
    /// So long.
    patience: u64,
    /// When the wait began.
    since: Option<u64>,
    /// How often it was asked in this wait what to do.
    asked: u32,
    /// When everything was looked at last.
    looked: u64,
    /// Waits in a row that the host ended at once, after attempts that had found nothing.
    blind: u32,
}

impl Lone {
    /// A power of two.
    const LEAST: u64 = 8_192;
    /// `LEAST` and the three powers of two that follow it.
    const MOST: u64 = 122_880;
    /// For each read that brought much, up to half of `MOST`.
    const MORE: u64 = 1_024;
    /// Between two looks at everything.
    const BETWEEN: u64 = 50_000;
    /// Pauses and attempts of one wait at most, should the clock stand still.
    const MOST_ASKED: u32 = 4_096;
    /// After so many of them attempts find nothing on this host, whatever there is: one of WASI 0.2 may let its driver run
    /// only when the guest waits. It is tried again after a long wait.
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

    /// There was something without a wait.
    fn seen(&mut self) {
        self.since = None;
        self.blind = 0;
    }

    /// The host has waited until now.
    fn waited(&mut self, now: u64) {
        let Some(since) = self.since.take() else { return };
        let took = now.wrapping_sub(since);
        if took < self.patience + Lone::LEAST {
            self.blind += 1;
        }
        if took > Lone::MOST {
            self.blind = 0;
        }
        // Twice as long, or `LEAST`, up to `MOST`.
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

    /// The rounds of a turn in which each of ten attempts finds something or none does, if a round takes so long.
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
        // What pays again is taken up again, within the longest pause.
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

    /// What happened in a wait for a lone connection whose data comes after `after` nanoseconds, if an attempt takes a
    /// microsecond: attempts, looks at everything, and whether it was the host that waited.
    fn wait(speculation: &mut Speculation, clock: &Cell<u64>, after: u64) -> (u32, u32, bool) {
        wait_for_more(speculation, clock, after, 0)
    }

    /// The same after so many reads of much.
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
        // It is there at once. How long it is left alone grows with what came before.
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
        // Who answered late is not waited for so.
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
        // What was learnt is lost at the first long wait, and costs no more than that.
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
            // It was there all the time.
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
