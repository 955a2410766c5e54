//! When to try reads that the host has not been asked about.
//!
//! Under load most connections that were active a moment ago have data again by the time that their tasks have run
//! once. Asking the host which of them do costs a call, and in the call as much per connection as trying. So before
//! the host is asked, the tasks that read from those connections are woken to try, for at most three rounds,
//! and only while a quarter of the attempts or more find something. When the first round of a turn finds too
//! little, the next turns go without, twice as many as the last time: a program whose peers take their time pays
//! for one futile round in eight turns.
//!
//! The answer on a lone connection is often there before this thread has gone to sleep and has been woken again, which
//! takes longer than a dozen attempts. So a lone one has more rounds, [`LONE`].
//!
//! A turn ends when the host is asked, about everything; nobody waits longer than its rounds for that.

/// How long a turn is.
struct Limits {
    rounds: u32,
    /// Futile rounds, one after the other.
    futile: u32,
    /// Turns without an attempt after one in which all were futile, at most.
    pause: u32,
}

const MANY: Limits = Limits { rounds: 3, futile: 1, pause: 7 };

/// With one connection that was active a moment ago. One that echoes had 1.6 times as many answers a second with this as
/// with [`MANY`] on `wasio-host`, 1.5 times on WasmEdge, for less processor time each.
const LONE: Limits = Limits { rounds: 64, futile: 16, pause: 31 };

/// One in so many attempts has to find something.
const WORTHWHILE: usize = 4;

/// Which sources are worth trying, and whether trying is.
#[derive(Default)]
pub(super) struct Speculation {
    /// Keys of sources that had something since the host was asked before last.
    pub(super) recent: Vec<usize>,
    /// Of this turn.
    round: u32,
    /// Of the last round.
    tried: usize,
    found: usize,
    /// Futile rounds up to now, one after the other.
    futile: u32,
    /// Turns to go without an attempt.
    pause: u32,
    /// How long the last pause was.
    penalty: u32,
}

impl Speculation {
    /// Whether to have a round, rather than to ask the host.
    pub(super) fn begin_round(&mut self) -> bool {
        if self.round > 0 {
            let limits = if self.tried == 1 { &LONE } else { &MANY };
            if self.found * WORTHWHILE >= self.tried {
                self.penalty = 0;
                self.futile = 0;
            } else {
                self.futile += 1;
            }
            if self.futile >= limits.futile {
                if self.futile == self.round {
                    self.penalty = (2 * self.penalty + 1).min(limits.pause);
                    self.pause = self.penalty;
                }
                return false;
            }
            if self.round >= limits.rounds {
                return false;
            }
        } else if self.pause > 0 {
            self.pause -= 1;
            return false;
        }
        self.round += 1;
        self.tried = 0;
        self.found = 0;
        !self.recent.is_empty()
    }

    /// So many attempts are made in this round.
    pub(super) fn tries(&mut self, count: usize) {
        self.tried = count;
    }

    /// One of them found something.
    pub(super) fn found(&mut self) {
        self.found += 1;
    }

    /// The host was asked.
    pub(super) fn end_turn(&mut self) {
        self.round = 0;
        self.futile = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rounds of a turn in which each of ten attempts finds something or none does.
    fn turn(speculation: &mut Speculation, finds: bool) -> u32 {
        let mut rounds = 0;
        while speculation.begin_round() {
            rounds += 1;
            speculation.tries(10);
            (0..if finds { 10 } else { 0 }).for_each(|_| speculation.found());
        }
        speculation.end_turn();
        rounds
    }

    #[test]
    fn nothing_recent_is_nothing_to_try() {
        assert_eq!(turn(&mut Speculation::default(), true), 0);
    }

    #[test]
    fn rounds_are_bounded_and_so_are_futile_ones() {
        let mut speculation = Speculation { recent: vec![1], ..Speculation::default() };
        assert_eq!(turn(&mut speculation, true), MANY.rounds);
        let futile: u32 = (0..1000).map(|_| turn(&mut speculation, false)).sum();
        assert!((120..140).contains(&futile), "{futile} futile rounds in 1000 turns");
        // What pays again is taken up again, within the longest pause.
        let rounds: u32 = (0..=MANY.pause).map(|_| turn(&mut speculation, true)).sum();
        assert!(rounds >= MANY.rounds, "{rounds} rounds");
        assert_eq!(turn(&mut speculation, true), MANY.rounds);
    }

    #[test]
    fn a_lone_one_is_tried_again_and_again() {
        let mut speculation = Speculation { recent: vec![1], ..Speculation::default() };
        let mut attempts = |finds_after: u32| {
            let mut attempts = 0;
            while speculation.begin_round() {
                speculation.tries(1);
                attempts += 1;
                if attempts > finds_after {
                    speculation.found();
                }
            }
            speculation.end_turn();
            attempts
        };
        assert_eq!(attempts(12), LONE.rounds);
        let futile: u32 = (0..3200).map(|_| attempts(u32::MAX)).sum();
        assert!((1600..1700).contains(&futile), "{futile} futile attempts in 3200 turns");
        // What pays again is taken up again.
        let found: u32 = (0..=LONE.pause).map(|_| attempts(0)).sum();
        assert!(found >= LONE.rounds, "{found} attempts");
    }

    #[test]
    fn a_quarter_is_enough() {
        let mut speculation = Speculation { recent: vec![1], ..Speculation::default() };
        for found in [1, 2] {
            assert!(speculation.begin_round());
            speculation.tries(8);
            (0..found).for_each(|_| speculation.found());
            assert_eq!(speculation.begin_round(), found == 2);
            speculation.end_turn();
            speculation.pause = 0;
        }
    }
}
