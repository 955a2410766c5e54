//! A cell that is written once: std's `OnceLock` for a program of one thread, in a tenth of its code.
#![allow(unsafe_code)] // It is `Sync`.

use std::cell::OnceCell;
use std::ops::Deref;
use std::panic::{RefUnwindSafe, UnwindSafe};

/// See the module's documentation.
pub(super) struct Once<T>(OnceCell<T>);

// SAFETY: the target has one thread: `wasio-runtime` does not compile for others.
unsafe impl<T: Send> Sync for Once<T> {}
// Nothing is left half done when what initialises it panics.
impl<T> UnwindSafe for Once<T> {}
impl<T> RefUnwindSafe for Once<T> {}

impl<T> Once<T> {
    pub(super) const fn new() -> Once<T> {
        Once(OnceCell::new())
    }
}

impl<T> Default for Once<T> {
    fn default() -> Once<T> {
        Once::new()
    }
}

impl<T> From<T> for Once<T> {
    fn from(value: T) -> Once<T> {
        Once(OnceCell::from(value))
    }
}

impl<T> Deref for Once<T> {
    type Target = OnceCell<T>;

    fn deref(&self) -> &OnceCell<T> {
        &self.0
    }
}
