//! With threads, the runtime's mutex is std's, without poisoning: a holder that panics leaves every field valid.

use std::sync::{PoisonError, TryLockError};

pub(crate) use std::sync::MutexGuard;

#[derive(Default)]
pub(crate) struct Mutex<T: ?Sized>(std::sync::Mutex<T>);

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex(std::sync::Mutex::new(value))
    }

    pub(crate) fn into_inner(self) -> T {
        self.0.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A mutex that is held for a few field accesses, during which no other code is called.
#[cfg_attr(all(test, loom), allow(dead_code))]
pub(crate) struct Leaf<T>(Mutex<T>);

#[cfg_attr(all(test, loom), allow(dead_code))]
impl<T> Leaf<T> {
    pub(crate) const fn new(value: T) -> Leaf<T> {
        Leaf(Mutex::new(value))
    }

    /// # Safety
    ///
    /// Nothing that `f` calls takes this lock.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub(crate) unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.0.lock())
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does a few field accesses with the lock held.
    ///
    /// # Safety
    ///
    /// Nothing that `f` calls takes this lock.
    #[inline(always)]
    #[allow(unsafe_code)]
    pub(crate) unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        f(&mut self.lock())
    }

    /// Returns `None` if the lock is taken.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        match self.0.try_lock() {
            Ok(guard) => Some(guard),
            Err(TryLockError::Poisoned(error)) => Some(error.into_inner()),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}
