//! A cell that is written once, for one thread.
//!
//! SIZE: it takes a tenth of the code of std's cell, and has fewer methods.
#![allow(unsafe_code)]

use std::cell::UnsafeCell;
use std::fmt;
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::bug::bug;

/// A cell that is written once.
pub struct Once<T>(UnsafeCell<Option<T>>);

// SAFETY: the target has one thread.
unsafe impl<T: Send + Sync> Sync for Once<T> {}
// A panic during initialisation leaves the cell empty.
impl<T: UnwindSafe> UnwindSafe for Once<T> {}
impl<T: UnwindSafe + RefUnwindSafe> RefUnwindSafe for Once<T> {}

impl<T> Once<T> {
    /// Returns a cell without a value.
    pub const fn new() -> Once<T> {
        Once(UnsafeCell::new(None))
    }

    /// Returns the value, if there is one.
    pub fn get(&self) -> Option<&T> {
        // SAFETY: the value is written only while there is none, when no reference to it can exist.
        unsafe { (*self.0.get()).as_ref() }
    }

    /// Returns the value, if there is one, and consumes the cell.
    pub fn into_inner(self) -> Option<T> {
        self.0.into_inner()
    }

    /// Sets the value. If there already is one, drops the new value.
    pub fn set(&self, value: T) {
        if self.get().is_none() {
            // SAFETY: there is no value, so there is no reference to it and nothing to drop.
            unsafe { self.0.get().write(Some(value)) };
        }
    }

    /// Returns the value, which `make` creates if there is none. `make` must not call this on the same cell.
    pub fn get_or_init(&self, make: impl FnOnce() -> T) -> &T {
        if self.get().is_none() {
            let value = make();
            if self.get().is_some() {
                bug("a cell was written while its value was made");
            }
            // SAFETY: as above.
            unsafe { self.0.get().write(Some(value)) };
        }
        // SAFETY: there is a value, and it is never written again.
        unsafe { (*self.0.get()).as_ref().unwrap_unchecked() }
    }
}

impl<T: fmt::Debug> fmt::Debug for Once<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Once").field(&self.get()).finish()
    }
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
