//! Predicts whether a read that fills a small buffer has drained the socket, as with requests and answers of one
//! length.
//!
//! PERF: asking the kernel costs a system call each time. A wrong prediction costs one poll: the guest is told that
//! nothing is left (`POLL_EXTENSION.md`), and the kernel is asked when the guest waits for more.

/// After this many small reads in a row that drained the socket, the next ones are predicted to drain it.
const CONFIDENT: u8 = 8;

/// The number of predictions before the kernel is asked again.
const UNCHECKED: u8 = 16;

/// The reads of one socket.
#[derive(Debug, Default)]
pub(super) struct DrainPredictor {
    /// The number of small reads in a row that drained the socket. Those from `CONFIDENT` on were not checked.
    run: u8,
    /// Whether the guest was told, by a prediction, that nothing is left.
    pub(super) is_prediction: bool,
}

impl DrainPredictor {
    pub(super) fn is_confident(&self) -> bool {
        self.run >= CONFIDENT
    }

    /// Records that a small buffer was filled. Returns whether to tell the guest that nothing is left.
    pub(super) fn record(&mut self, is_empty: bool) -> bool {
        self.is_prediction = self.is_confident();
        self.run = match self.run {
            0..CONFIDENT if !is_empty => 0,
            run if run + 1 == CONFIDENT + UNCHECKED => CONFIDENT - 1,
            run => run + 1,
        };
        is_empty || self.is_prediction
    }
}
