//! On one thread (`build.rs` refuses others), the runtime's mutex is a flag.
//!
//! PERF: std's mutex would read the panic count twice for each lock, in a program that a panic ends.
#![allow(unsafe_code)]

use std::cell::{Cell, UnsafeCell};
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};
use std::panic::{RefUnwindSafe, UnwindSafe};

use super::bug::bug;

#[derive(Default)]
pub(crate) struct Mutex<T: ?Sized> {
    locked: Cell<bool>,
    value: UnsafeCell<T>,
}

// SAFETY: the target has one thread.
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: the target has one thread.
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}
impl<T: ?Sized> UnwindSafe for Mutex<T> {}
impl<T: ?Sized> RefUnwindSafe for Mutex<T> {}

impl<T> Mutex<T> {
    pub(crate) const fn new(value: T) -> Mutex<T> {
        Mutex { locked: Cell::new(false), value: UnsafeCell::new(value) }
    }

    pub(crate) fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    #[inline(always)]
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        if self.locked.replace(true) {
            bug("a lock of the runtime was taken twice");
        }
        MutexGuard { mutex: self, _stays: PhantomData }
    }

    /// Performs a few field accesses with the lock held. The flag is not set, because no other code could see it.
    ///
    /// # Safety
    ///
    /// Nothing that `f` calls takes this lock.
    #[inline(always)]
    pub(crate) unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        if self.locked.get() {
            bug("a lock of the runtime was taken twice");
        }
        // SAFETY: there is no guard, and by the caller's promise none is made until `f` returns.
        f(unsafe { &mut *self.value.get() })
    }

    /// Returns `None` if the lock is taken.
    pub(crate) fn try_lock(&self) -> Option<MutexGuard<'_, T>> {
        (!self.locked.get()).then(|| self.lock())
    }
}

/// A mutex that is held for a few field accesses, during which no other code is called. It needs no flag.
pub(crate) struct Leaf<T>(UnsafeCell<T>);

// SAFETY: the target has one thread.
unsafe impl<T: Send> Send for Leaf<T> {}
// SAFETY: the target has one thread.
unsafe impl<T: Send> Sync for Leaf<T> {}
impl<T> UnwindSafe for Leaf<T> {}
impl<T> RefUnwindSafe for Leaf<T> {}

impl<T> Leaf<T> {
    pub(crate) const fn new(value: T) -> Leaf<T> {
        Leaf(UnsafeCell::new(value))
    }

    /// # Safety
    ///
    /// Nothing that `f` calls takes this lock.
    #[inline(always)]
    pub(crate) unsafe fn with<R>(&self, f: impl FnOnce(&mut T) -> R) -> R {
        // SAFETY: only this function returns a reference, and by the caller's promise it is not called again until `f`
        // returns.
        f(unsafe { &mut *self.0.get() })
    }
}

pub(crate) struct MutexGuard<'a, T: ?Sized> {
    mutex: &'a Mutex<T>,
    _stays: PhantomData<*mut ()>,
}

impl<T: ?Sized> Deref for MutexGuard<'_, T> {
    type Target = T;

    #[inline(always)]
    fn deref(&self) -> &T {
        // SAFETY: the flag is set, so this is the only guard.
        unsafe { &*self.mutex.value.get() }
    }
}

impl<T: ?Sized> DerefMut for MutexGuard<'_, T> {
    #[inline(always)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: the flag is set, so this is the only guard.
        unsafe { &mut *self.mutex.value.get() }
    }
}

impl<T: ?Sized> Drop for MutexGuard<'_, T> {
    #[inline(always)]
    fn drop(&mut self) {
        self.mutex.locked.set(false);
    }
}
