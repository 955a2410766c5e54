//! A cell that is written once: std's `OnceLock` for a program of one thread, in a tenth of its code.
#![allow(unsafe_code)] // It is `Sync`, and nothing is dropped for which another value could come.

use std::cell::UnsafeCell;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// See the module's documentation.
pub(super) struct Once<T>(UnsafeCell<Option<T>>);

// SAFETY: the target has one thread: `wasio-runtime` does not compile for others.
unsafe impl<T: Send> Sync for Once<T> {}
// Nothing is left half done when what initialises it panics.
impl<T> UnwindSafe for Once<T> {}
impl<T> RefUnwindSafe for Once<T> {}

impl<T> Once<T> {
    pub(super) const fn new() -> Once<T> {
        Once(UnsafeCell::new(None))
    }

    pub(super) fn get(&self) -> Option<&T> {
        // SAFETY: who writes has seen that there is no value, so that nobody has a reference to it.
        unsafe { (*self.0.get()).as_ref() }
    }

    /// Writes the value; one that comes second is dropped.
    pub(super) fn set(&self, value: T) {
        if self.get().is_none() {
            // SAFETY: there is no value, so nobody has a reference to it, and nothing to be dropped.
            unsafe { self.0.get().write(Some(value)) };
        }
    }

    /// The value, which `make` makes if there is none. It must not lead here again.
    pub(super) fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if self.get().is_none() {
            let value = make();
            if self.get().is_some() {
                written_twice();
            }
            // SAFETY: as above.
            unsafe { self.0.get().write(Some(value)) };
        }
        // SAFETY: there is a value, and it is never written again.
        unsafe { (*self.0.get()).as_ref().unwrap_unchecked() }
    }
}

#[cold]
#[inline(never)]
fn written_twice() -> ! {
    panic!("a cell was written while its value was made: a bug in wasio")
}

impl<T> Default for Once<T> {
    fn default() -> Once<T> {
        Once::new()
    }
}

impl<T> From<T> for Once<T> {
    fn from(value: T) -> Once<T> {
        Once(UnsafeCell::new(Some(value)))
    }
}
