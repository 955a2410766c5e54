//! Tells wakers whether a thread is about to sleep, so that they know whether to wake it.
//!
//! The sleeper raises the flag, looks for work once more, and sleeps if there is none. A waker adds work, then takes the
//! flag, and wakes the sleeper if the flag was raised.
//!
//! Every access is a swap, so that all accesses have one order in which each sees what came before the others: either the
//! waker finds the flag raised, or the sleeper's second look finds the work.

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
