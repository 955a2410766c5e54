//! Predicts whether a read that fills a small buffer has emptied the socket, as with requests and answers of one length.
//!
//! Asking the kernel costs a system call each time. A wrong guess costs one poll: the guest is told that nothing is left
//! (`POLL_EXTENSION.md`), and the kernel is asked when the guest waits for more.

/// After so many small reads in a row that left nothing, the next ones are taken to do so.
const SURE: u8 = 8;

/// So many are, before one is looked at again.
const UNSEEN: u8 = 16;

/// What is known of one socket.
#[derive(Debug, Default)]
pub(super) struct Exact {
    /// Such reads in a row, of which those from `SURE` on were not looked at.
    run: u8,
    /// The guest was told so, and nobody has looked.
    pub(super) promised: bool,
}

impl Exact {
    pub(super) fn is_trusted(&self) -> bool {
        self.run >= SURE
    }

    /// A small buffer was filled. Returns whether to tell the guest that nothing is left.
    pub(super) fn note(&mut self, is_empty: bool) -> bool {
        self.promised = self.is_trusted();
        self.run = match self.run {
            0..SURE if !is_empty => 0,
            run if run + 1 == SURE + UNSEEN => SURE - 1,
            run => run + 1,
        };
        is_empty || self.promised
    }
}
