//! Out-of-band data, which only Linux reports.

use crate::io::{Interest, Ready};

impl Interest {
    /// Out-of-band data.
    pub const PRIORITY: Interest = Interest::URGENT;

    /// Returns whether out-of-band data is included.
    pub const fn is_priority(self) -> bool {
        self.is_urgent()
    }
}

impl Ready {
    /// Out-of-band data is there.
    pub const PRIORITY: Ready = Ready::URGENT;

    /// Returns whether out-of-band data is available.
    pub fn is_priority(self) -> bool {
        !(self & Ready::PRIORITY).is_empty()
    }
}
