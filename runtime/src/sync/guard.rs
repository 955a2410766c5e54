//! The parts of every lock guard: a pointer to the value, and the permits that are returned on drop.
//!
//! The `unsafe` code of the locks is here. A guard holds a pointer instead of a reference, because no reference may
//! exist any more when the permits are returned, and a reference inside a value that is passed to a function counts as
//! used until the function returns.

use std::mem;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use super::permits::Permits;

/// A value whose permits are held: a lock, or its permits alone.
pub(super) trait Lock {
    fn permits(&self) -> &Permits;
}

impl Lock for Permits {
    fn permits(&self) -> &Permits {
        self
    }
}

/// Permits that are returned when this is dropped. `L` is a reference or an `Arc`.
pub(super) struct Held<L: Deref<Target: Lock>> {
    lock: L,
    pub(super) permits: usize,
}

impl<L: Deref<Target: Lock>> Held<L> {
    /// Takes ownership of acquired permits.
    pub(super) fn new(lock: L, permits: usize) -> Self {
        Held { lock, permits }
    }

    pub(super) fn lock(&self) -> &L {
        &self.lock
    }

    /// Returns all but one permit.
    pub(super) fn keep_one(&mut self) {
        let surplus = mem::replace(&mut self.permits, 1) - 1;
        self.lock.permits().release(surplus);
    }
}

impl<'a, T: Lock + ?Sized> Held<&'a T> {
    /// Erases the type of the lock.
    pub(super) fn erase(self) -> Held<&'a Permits> {
        let held = Held { lock: self.lock.permits(), permits: self.permits };
        mem::forget(self);
        held
    }
}

impl<L: Deref<Target: Lock>> Drop for Held<L> {
    fn drop(&mut self) {
        self.lock.permits().release(self.permits);
    }
}

/// A value that may be read while `held` lives.
pub(super) struct Shared<T: ?Sized, H> {
    data: *const T,
    held: H,
}

/// A value that only this guard may access while `held` lives.
pub(super) struct Exclusive<T: ?Sized, H> {
    data: *mut T,
    held: H,
}

// SAFETY: sending a `Shared` sends a `&T`, which requires `T: Sync`, and `H`.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Sync, H: Send> Send for Shared<T, H> {}
// SAFETY: a `&Shared` gives access to `&T`.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Sync, H: Sync> Sync for Shared<T, H> {}
// SAFETY: sending an `Exclusive` sends a `&mut T`, which requires `T: Send`, and `H`.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Send, H: Send> Send for Exclusive<T, H> {}
// SAFETY: a `&Exclusive` gives access to `&T`.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Sync, H: Sync> Sync for Exclusive<T, H> {}

impl<T: ?Sized, H> Shared<T, H> {
    /// # Safety
    ///
    /// While `held` lives, `data` is valid and is not written to.
    #[allow(unsafe_code)]
    pub(super) unsafe fn new(data: *const T, held: H) -> Self {
        Shared { data, held }
    }

    pub(super) fn held(&self) -> &H {
        &self.held
    }

    /// Narrows the guard to a part of the value.
    pub(super) fn map<U: ?Sized>(self, f: impl FnOnce(&T) -> &U) -> Shared<U, H> {
        let data: *const U = f(&self);
        Shared { data, held: self.held }
    }

    /// Like `map`. Returns the guard if there is no such part.
    pub(super) fn try_map<U: ?Sized>(
        self,
        f: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<Shared<U, H>, Self> {
        match f(&self) {
            Some(part) => Ok(Shared { data: part, held: self.held }),
            None => Err(self),
        }
    }
}

impl<T: ?Sized, H> Exclusive<T, H> {
    /// # Safety
    ///
    /// While `held` lives, `data` is valid and is not accessed elsewhere.
    #[allow(unsafe_code)]
    pub(super) unsafe fn new(data: *mut T, held: H) -> Self {
        Exclusive { data, held }
    }

    pub(super) fn held(&self) -> &H {
        &self.held
    }

    /// Narrows the guard to a part of the value.
    pub(super) fn map<U: ?Sized>(mut self, f: impl FnOnce(&mut T) -> &mut U) -> Exclusive<U, H> {
        let data: *mut U = f(&mut self);
        Exclusive { data, held: self.held }
    }

    /// Like `map`. Returns the guard if there is no such part.
    pub(super) fn try_map<U: ?Sized>(
        mut self,
        f: impl FnOnce(&mut T) -> Option<&mut U>,
    ) -> Result<Exclusive<U, H>, Self> {
        match f(&mut self) {
            Some(part) => {
                let data: *mut U = part;
                Ok(Exclusive { data, held: self.held })
            }
            None => Err(self),
        }
    }

    /// Like `try_map`, for reading only.
    pub(super) fn try_map_shared<U: ?Sized>(
        self,
        f: impl FnOnce(&T) -> Option<&U>,
    ) -> Result<Shared<U, H>, Self> {
        match f(&self) {
            Some(part) => Ok(Shared { data: part, held: self.held }),
            None => Err(self),
        }
    }

    /// Gives up write access.
    pub(super) fn into_shared(self) -> Shared<T, H> {
        Shared { data: self.data, held: self.held }
    }
}

impl<'a, T: ?Sized, L: Lock + ?Sized> Shared<T, Held<&'a L>> {
    /// Erases the type of the lock.
    pub(super) fn erase(self) -> Shared<T, Held<&'a Permits>> {
        Shared { data: self.data, held: self.held.erase() }
    }
}

impl<'a, T: ?Sized, L: Lock + ?Sized> Exclusive<T, Held<&'a L>> {
    /// Erases the type of the lock.
    pub(super) fn erase(self) -> Exclusive<T, Held<&'a Permits>> {
        Exclusive { data: self.data, held: self.held.erase() }
    }
}

impl<T: ?Sized, L: Deref<Target: Lock>> Shared<T, Held<L>> {
    /// Completes a downgrade: lets other readers in.
    pub(super) fn keep_one(mut self) -> Self {
        self.held.keep_one();
        self
    }
}

impl<T: ?Sized, H> Deref for Shared<T, H> {
    type Target = T;

    #[allow(unsafe_code)]
    fn deref(&self) -> &T {
        // SAFETY: `held` lives, so by the contract of `new` the value is valid and not written to.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized, H> Deref for Exclusive<T, H> {
    type Target = T;

    #[allow(unsafe_code)]
    fn deref(&self) -> &T {
        // SAFETY: `held` lives, so by the contract of `new` only `self` accesses the value, and `self` is borrowed
        // shared.
        unsafe { &*self.data }
    }
}

impl<T: ?Sized, H> DerefMut for Exclusive<T, H> {
    #[allow(unsafe_code)]
    fn deref_mut(&mut self) -> &mut T {
        // SAFETY: as in `deref`, and `self` is borrowed exclusively.
        unsafe { &mut *self.data }
    }
}

/// The guard of a lock that is borrowed, and of one that is shared by `Arc`.
pub(super) type HeldRef<'a, L> = Held<&'a L>;
pub(super) type HeldArc<L> = Held<Arc<L>>;

/// The traits that all guards have. `mut` adds `DerefMut`.
macro_rules! guard_traits {
    (mut $guard:ident<$($lt:lifetime,)? $($other:ident,)? | $t:ident>) => {
        guard_traits!($guard<$($lt,)? $($other,)? | $t>);

        impl<$($lt,)? $($other: ?Sized,)? $t: ?Sized> std::ops::DerefMut
            for $guard<$($lt,)? $($other,)? $t>
        {
            fn deref_mut(&mut self) -> &mut $t {
                &mut self.inner
            }
        }
    };
    ($guard:ident<$($lt:lifetime,)? $($other:ident,)? | $t:ident>) => {
        impl<$($lt,)? $($other: ?Sized,)? $t: ?Sized> std::ops::Deref
            for $guard<$($lt,)? $($other,)? $t>
        {
            type Target = $t;

            fn deref(&self) -> &$t {
                &self.inner
            }
        }

        impl<$($lt,)? $($other: ?Sized,)? $t: ?Sized + std::fmt::Debug> std::fmt::Debug
            for $guard<$($lt,)? $($other,)? $t>
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Debug::fmt(&**self, f)
            }
        }

        impl<$($lt,)? $($other: ?Sized,)? $t: ?Sized + std::fmt::Display> std::fmt::Display
            for $guard<$($lt,)? $($other,)? $t>
        {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                std::fmt::Display::fmt(&**self, f)
            }
        }
    };
}
pub(super) use guard_traits;
