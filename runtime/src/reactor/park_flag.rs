//! Whether a thread is about to sleep, for those who would have to wake it.
//!
//! The sleeper raises the flag, looks for work once more, and sleeps if there is none. Whoever makes work
//! takes the flag after that, and wakes the sleeper if it was raised.
//!
//! Every access is a swap, so that they have one order in which each sees what came before the others: the
//! one who makes work either finds the flag raised, or was seen by the look that follows the raising.

use crate::lock::modelled::atomic::{AtomicBool, Ordering};

/// See the module's documentation.
pub(crate) struct ParkFlag(AtomicBool);

impl Default for ParkFlag {
    fn default() -> Self {
        ParkFlag(AtomicBool::new(false))
    }
}

impl ParkFlag {
    /// Says that the thread sleeps unless the look that follows finds work.
    pub(crate) fn raise(&self) {
        self.0.swap(true, Ordering::AcqRel);
    }

    /// Says that the thread is awake.
    pub(crate) fn lower(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }

    /// Returns whether the caller has to wake the thread. Of several callers, one gets true. Call it after adding work.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}
