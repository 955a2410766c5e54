//! A flag that is raised while a thread is about to sleep, so that wakers know whether to wake it.
//!
//! The sleeping thread raises the flag, looks for work once more, and sleeps if there is none. A waker adds work, then
//! takes the flag, and wakes the thread if the flag was raised.
//!
//! Every access is a swap, so all accesses have one order in which each sees everything before it. Either the waker
//! finds the flag raised, or the thread's second look finds the work.

use crate::lock::modelled::atomic::{AtomicBool, Ordering};

/// See the module's documentation.
pub(crate) struct ParkFlag(AtomicBool);

impl Default for ParkFlag {
    fn default() -> Self {
        ParkFlag(AtomicBool::new(false))
    }
}

impl ParkFlag {
    /// Raises the flag: the thread sleeps unless the look that follows finds work.
    pub(crate) fn raise(&self) {
        self.0.swap(true, Ordering::AcqRel);
    }

    /// Lowers the flag: the thread is awake.
    pub(crate) fn lower(&self) {
        self.0.swap(false, Ordering::AcqRel);
    }

    /// Returns whether the caller has to wake the thread. Of several callers, one gets true. Call it after adding work.
    #[inline]
    pub(crate) fn take(&self) -> bool {
        self.0.swap(false, Ordering::AcqRel)
    }
}
