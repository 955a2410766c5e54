//! The four guards of a mutex: borrowed or owned, of the value or of a part of it.

use std::marker::PhantomData;
use std::sync::Arc;

use super::Mutex;
use crate::sync::guard::{Exclusive, HeldArc, HeldRef, guard_traits};
use crate::sync::permits::Permits;

/// A held lock of a [`Mutex`]. It gives access to the value, and unlocks when it is dropped.
#[must_use = "dropped at once, it unlocks at once"]
pub struct MutexGuard<'a, T: ?Sized> {
    pub(super) inner: Exclusive<T, HeldRef<'a, Mutex<T>>>,
}

/// Like [`MutexGuard`], but it owns a share of the mutex instead of borrowing it.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use wasio::sync::Mutex;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let mutex = Arc::new(Mutex::new(0));
/// let mut guard = mutex.clone().lock_owned().await;
/// wasio::spawn(async move { *guard += 1 }).await?;
/// assert_eq!(*mutex.lock().await, 1);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub struct OwnedMutexGuard<T: ?Sized> {
    pub(super) inner: Exclusive<T, HeldArc<Mutex<T>>>,
}

/// A held lock of a [`Mutex`] that gives access to a part of the value.
#[must_use = "dropped at once, it unlocks at once"]
pub struct MappedMutexGuard<'a, T: ?Sized> {
    inner: Exclusive<T, HeldRef<'a, Permits>>,
}

/// Like [`MappedMutexGuard`], but it owns a share of the mutex instead of borrowing it.
#[must_use = "dropped at once, it unlocks at once"]
pub struct OwnedMappedMutexGuard<T: ?Sized, U: ?Sized = T> {
    inner: Exclusive<U, HeldArc<Mutex<T>>>,
    /// `Sync` only if the whole value is, as with tokio.
    _whole: PhantomData<Box<T>>,
}

guard_traits!(mut MutexGuard<'a, | T>);
guard_traits!(mut OwnedMutexGuard< | T>);
guard_traits!(mut MappedMutexGuard<'a, | T>);
guard_traits!(mut OwnedMappedMutexGuard<T, | U>);

impl<'a, T: ?Sized> MutexGuard<'a, T> {
    /// Narrows the guard to a part of the value.
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard { inner: this.inner.map(f).erase() }
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(MappedMutexGuard { inner: inner.erase() }),
            Err(inner) => Err(MutexGuard { inner }),
        }
    }

    /// Returns the mutex that is locked.
    pub fn mutex(this: &Self) -> &'a Mutex<T> {
        this.inner.held().lock()
    }
}

impl<T: ?Sized> OwnedMutexGuard<T> {
    /// Narrows the guard to a part of the value.
    pub fn map<U, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        OwnedMappedMutexGuard { inner: this.inner.map(f), _whole: PhantomData }
    }

    /// Narrows the guard to a part of the value, if there is one.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { inner, _whole: PhantomData }),
            Err(inner) => Err(OwnedMutexGuard { inner }),
        }
    }

    /// Returns the mutex that is locked.
    pub fn mutex(this: &Self) -> &Arc<Mutex<T>> {
        this.inner.held().lock()
    }
}

impl<'a, T: ?Sized> MappedMutexGuard<'a, T> {
    /// Narrows the guard further.
    pub fn map<U, F>(this: Self, f: F) -> MappedMutexGuard<'a, U>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> &mut U,
    {
        MappedMutexGuard { inner: this.inner.map(f) }
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<U, F>(this: Self, f: F) -> Result<MappedMutexGuard<'a, U>, Self>
    where
        U: ?Sized,
        F: FnOnce(&mut T) -> Option<&mut U>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(MappedMutexGuard { inner }),
            Err(inner) => Err(MappedMutexGuard { inner }),
        }
    }
}

impl<T: ?Sized, U: ?Sized> OwnedMappedMutexGuard<T, U> {
    /// Narrows the guard further.
    pub fn map<S, F>(this: Self, f: F) -> OwnedMappedMutexGuard<T, S>
    where
        S: ?Sized,
        F: FnOnce(&mut U) -> &mut S,
    {
        OwnedMappedMutexGuard { inner: this.inner.map(f), _whole: PhantomData }
    }

    /// Narrows the guard further, if there is such a part.
    ///
    /// # Errors
    ///
    /// Returns the guard if `f` returns `None`.
    pub fn try_map<S, F>(this: Self, f: F) -> Result<OwnedMappedMutexGuard<T, S>, Self>
    where
        S: ?Sized,
        F: FnOnce(&mut U) -> Option<&mut S>,
    {
        match this.inner.try_map(f) {
            Ok(inner) => Ok(OwnedMappedMutexGuard { inner, _whole: PhantomData }),
            Err(inner) => Err(OwnedMappedMutexGuard { inner, _whole: PhantomData }),
        }
    }
}
