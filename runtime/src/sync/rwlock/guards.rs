//! The guards of a `RwLock` that borrow it.

use std::marker::PhantomData;

use super::RwLock;
use crate::sync::guard::{Exclusive, HeldRef, Shared, guard_traits};
use crate::sync::permits::Permits;

/// Reads the value of a [`RwLock`], or a part of it, until it is dropped.
#[must_use = "dropped at once, it unlocks at once"]
pub struct RwLockReadGuard<'a, T: ?Sized> {
    pub(super) inner: Shared<T, HeldRef<'a, Permits>>,
}

/// Reads and writes the value of a [`RwLock`] until it is dropped.
#[must_use = "dropped at once, it unlocks at once"]
pub struct RwLockWriteGuard<'a, T: ?Sized> {
    pub(super) inner: Exclusive<T, HeldRef<'a, RwLock<T>>>,
}

/// Reads and writes a part of the value of a [`RwLock`] until it is dropped.
#[must_use = "dropped at once, it unlocks at once"]
pub struct RwLockMappedWriteGuard<'a, T: ?Sized> {
    inner: Exclusive<T, HeldRef<'a, Permits>>,
    /// `Send` only if the lock is also `Sync`, as with tokio.
    _lock: PhantomData<&'a RwLock<T>>,
}

guard_traits!(RwLockReadGuard<'a, | T>);
guard_traits!(mut RwLockWriteGuard<'a, | T>);
guard_traits!(mut RwLockMappedWriteGuard<'a, | T>);

impl<'a, T: ?Sized> RwLockReadGuard<'a, T> {
    /// Narrows the guard to a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        RwLockReadGuard { inner: this.inner.map(f) }
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(RwLockReadGuard { inner }),
            Err(inner) => Err(RwLockReadGuard { inner }),
        }
    }
}

impl<'a, T: ?Sized> RwLockWriteGuard<'a, T> {
    /// Narrows the guard to a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard::new(this.inner.map(f).erase())
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard::new(inner.erase())),
            Err(inner) => Err(RwLockWriteGuard { inner }),
        }
    }

    /// Converts the guard into one that can give access to a part of the value.
    pub fn into_mapped(this: Self) -> RwLockMappedWriteGuard<'a, T> {
        RwLockMappedWriteGuard::new(this.inner.erase())
    }

    /// Downgrades to reading without releasing the lock: the value cannot change before the new guard is dropped.
    pub fn downgrade(self) -> RwLockReadGuard<'a, T> {
        let inner = self.inner.into_shared().erase();
        RwLockReadGuard { inner: inner.keep_one() }
    }

    /// Like [`downgrade`](Self::downgrade), narrowing the guard to a part of the value.
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> RwLockReadGuard<'a, U>
    where
        F: FnOnce(&T) -> &U,
    {
        let inner = this.inner.into_shared().map(f).erase();
        RwLockReadGuard { inner: inner.keep_one() }
    }

    /// Like [`downgrade_map`](Self::downgrade_map), if there is such a part.
    ///
    /// # Errors
    ///
    /// Returns the guard, still for writing, if `f` returns `None`.
    pub fn try_downgrade_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockReadGuard<'a, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.inner.try_map_shared(f) {
            Ok(inner) => Ok(RwLockReadGuard { inner: inner.erase().keep_one() }),
            Err(inner) => Err(RwLockWriteGuard { inner }),
        }
    }
}

impl<'a, T: ?Sized> RwLockMappedWriteGuard<'a, T> {
    fn new(inner: Exclusive<T, HeldRef<'a, Permits>>) -> Self {
        RwLockMappedWriteGuard { inner, _lock: PhantomData }
    }

    /// Narrows the guard further.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> RwLockMappedWriteGuard<'a, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        RwLockMappedWriteGuard::new(this.inner.map(f))
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(this: Self, f: F) -> Result<RwLockMappedWriteGuard<'a, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(RwLockMappedWriteGuard::new(inner)),
            Err(inner) => Err(RwLockMappedWriteGuard::new(inner)),
        }
    }
}
