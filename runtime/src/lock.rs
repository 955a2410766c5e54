//! The mutex of this crate's own state. It is held for a few field accesses, never across user code.
//!
//! `sys` defines it. The code that `models.rs` models takes the mutex and its atomics from `modelled`, which has loom's
//! for models.

#[cfg_attr(all(test, loom), allow(unused_imports))]
pub(crate) use crate::sys::lock::{Leaf, Mutex, MutexGuard};

/// The mutex and the atomics of the modelled code.
#[cfg(not(all(test, loom)))]
pub(crate) mod modelled {
    pub(crate) use super::{Leaf, Mutex};
    pub(crate) use std::sync::atomic;
    pub(crate) use std::thread::yield_now;
}

/// The same types from loom.
#[cfg(all(test, loom))]
pub(crate) mod modelled {
    use loom::sync::MutexGuard;
    pub(crate) use loom::sync::atomic;
    pub(crate) use loom::thread::yield_now;

    #[derive(Default)]
    pub(crate) struct Mutex<T: ?Sized>(loom::sync::Mutex<T>);

    impl<T> Mutex<T> {
        pub(crate) fn new(value: T) -> Mutex<T> {
            Mutex(loom::sync::Mutex::new(value))
        }
    }

    impl<T: ?Sized> Mutex<T> {
        pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
            self.0.lock().expect("no model panics with a lock")
        }
    }

    pub(crate) struct Leaf<T>(Mutex<T>);

    impl<T> Leaf<T> {
        pub(crate) fn new(value: T) -> Leaf<T> {
            Leaf(Mutex::new(value))
        }

        /// # Safety
        ///
        /// Nothing that `f` calls takes this lock.
        #[allow(unsafe_code)]
        pub(crate) unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
            f(&mut self.0.lock())
        }
    }
}

impl<T: ?Sized> std::fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Mutex { .. }")
    }
}
