//! The guards of a `RwLock` that own a share of it.

use std::marker::PhantomData;
use std::sync::Arc;

use super::RwLock;
use crate::sync::guard::{Exclusive, HeldArc, Shared, guard_traits};

/// Like [`RwLockReadGuard`](super::RwLockReadGuard), but it owns a share of the lock instead of borrowing it.
pub struct OwnedRwLockReadGuard<T: ?Sized, U: ?Sized = T> {
    pub(super) inner: Shared<U, HeldArc<RwLock<T>>>,
}

/// Like [`RwLockWriteGuard`](super::RwLockWriteGuard), but it owns a share of the lock instead of borrowing it.
pub struct OwnedRwLockWriteGuard<T: ?Sized> {
    pub(super) inner: Exclusive<T, HeldArc<RwLock<T>>>,
}

/// Like [`RwLockMappedWriteGuard`](super::RwLockMappedWriteGuard), but it owns a share of the lock instead of
/// borrowing it.
pub struct OwnedRwLockMappedWriteGuard<T: ?Sized, U: ?Sized = T> {
    inner: Exclusive<U, HeldArc<RwLock<T>>>,
    /// `Send` only if the part is also `Sync`, as with tokio.
    _part: PhantomData<Arc<U>>,
}

guard_traits!(OwnedRwLockReadGuard<T, | U>);
guard_traits!(mut OwnedRwLockWriteGuard< | T>);
guard_traits!(mut OwnedRwLockMappedWriteGuard<T, | U>);

impl<T: ?Sized, U: ?Sized> OwnedRwLockReadGuard<T, U> {
    /// Narrows the guard to a part of the value.
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, V>
    where
        F: FnOnce(&U) -> &V,
    {
        OwnedRwLockReadGuard { inner: this.inner.map(f) }
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<F, V: ?Sized>(this: Self, f: F) -> Result<OwnedRwLockReadGuard<T, V>, Self>
    where
        F: FnOnce(&U) -> Option<&V>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(OwnedRwLockReadGuard { inner }),
            Err(inner) => Err(OwnedRwLockReadGuard { inner }),
        }
    }

    /// Returns the lock that is held.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.inner.held().lock()
    }
}

impl<T: ?Sized> OwnedRwLockWriteGuard<T> {
    /// Narrows the guard to a part of the value.
    pub fn map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, U>
    where
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedRwLockMappedWriteGuard { inner: this.inner.map(f), _part: PhantomData }
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, U>, Self>
    where
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard { inner, _part: PhantomData }),
            Err(inner) => Err(OwnedRwLockWriteGuard { inner }),
        }
    }

    /// Converts the guard into one that can give access to a part of the value.
    pub fn into_mapped(this: Self) -> OwnedRwLockMappedWriteGuard<T> {
        OwnedRwLockMappedWriteGuard { inner: this.inner, _part: PhantomData }
    }

    /// Downgrades to reading without releasing the lock: the value cannot change before the new guard is dropped.
    pub fn downgrade(self) -> OwnedRwLockReadGuard<T> {
        OwnedRwLockReadGuard { inner: self.inner.into_shared().keep_one() }
    }

    /// Like [`downgrade`](Self::downgrade), narrowing the guard to a part of the value.
    pub fn downgrade_map<F, U: ?Sized>(this: Self, f: F) -> OwnedRwLockReadGuard<T, U>
    where
        F: FnOnce(&T) -> &U,
    {
        OwnedRwLockReadGuard { inner: this.inner.into_shared().map(f).keep_one() }
    }

    /// Like [`downgrade_map`](Self::downgrade_map), if there is such a part.
    ///
    /// # Errors
    ///
    /// Returns the guard, still for writing, if `f` returns `None`.
    pub fn try_downgrade_map<F, U: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockReadGuard<T, U>, Self>
    where
        F: FnOnce(&T) -> Option<&U>,
    {
        match this.inner.try_map_shared(f) {
            Ok(inner) => Ok(OwnedRwLockReadGuard { inner: inner.keep_one() }),
            Err(inner) => Err(OwnedRwLockWriteGuard { inner }),
        }
    }

    /// Returns the lock that is held.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.inner.held().lock()
    }
}

impl<T: ?Sized, U: ?Sized> OwnedRwLockMappedWriteGuard<T, U> {
    /// Narrows the guard further.
    pub fn map<F, V: ?Sized>(this: Self, f: F) -> OwnedRwLockMappedWriteGuard<T, V>
    where
        F: FnOnce(&mut U) -> &mut V,
    {
        OwnedRwLockMappedWriteGuard { inner: this.inner.map(f), _part: PhantomData }
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<F, V: ?Sized>(
        this: Self,
        f: F,
    ) -> Result<OwnedRwLockMappedWriteGuard<T, V>, Self>
    where
        F: FnOnce(&mut U) -> Option<&mut V>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(OwnedRwLockMappedWriteGuard { inner, _part: PhantomData }),
            Err(inner) => Err(OwnedRwLockMappedWriteGuard { inner, _part: PhantomData }),
        }
    }

    /// Returns the lock that is held.
    pub fn rwlock(this: &Self) -> &Arc<RwLock<T>> {
        this.inner.held().lock()
    }
}
