//! When to try reads that the host has not been asked about.
//!
//! Under load most connections that were active a moment ago have data again by the time that their tasks have run
//! once. Asking the host which of them do costs a call, and in the call as much per connection as trying. So before
//! the host is asked, the tasks that read from those connections are woken to try, for at most [`ROUNDS`] rounds,
//! and only while a quarter of the attempts or more find something. When the first round of a turn finds too
//! little, the next turns go without, twice as many as the last time: a program whose peers take their time pays
//! for one futile round in [`LONGEST_PAUSE`] turns.
//!
//! A turn ends when the host is asked, about everything; nobody waits longer than [`ROUNDS`] rounds for that.

/// Rounds in a turn.
const ROUNDS: u32 = 3;

/// One in so many attempts has to find something.
const WORTHWHILE: usize = 4;

/// Turns without an attempt, at most.
const LONGEST_PAUSE: u32 = 7;

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
    /// Turns to go without an attempt.
    pause: u32,
    /// How long the last pause was.
    penalty: u32,
}

impl Speculation {
    /// Whether to have a round, rather than to ask the host.
    pub(super) fn begin_round(&mut self) -> bool {
        if self.round > 0 {
            let worthwhile = self.found * WORTHWHILE >= self.tried;
            if worthwhile {
                self.penalty = 0;
            } else if self.round == 1 {
                self.penalty = (2 * self.penalty + 1).min(LONGEST_PAUSE);
                self.pause = self.penalty;
            }
            if !worthwhile || self.round == ROUNDS {
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
        assert_eq!(turn(&mut speculation, true), ROUNDS);
        let futile: u32 = (0..1000).map(|_| turn(&mut speculation, false)).sum();
        assert!((120..140).contains(&futile), "{futile} futile rounds in 1000 turns");
        // What pays again is taken up again, within the longest pause.
        let rounds: u32 = (0..=LONGEST_PAUSE).map(|_| turn(&mut speculation, true)).sum();
        assert!(rounds >= ROUNDS, "{rounds} rounds");
        assert_eq!(turn(&mut speculation, true), ROUNDS);
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
