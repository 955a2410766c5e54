//! `Mutex`: a lock that a task may hold across an `.await`.

mod guards;

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;

use super::guard::{Exclusive, Held, Lock};
use super::permits::Permits;
use crate::runtime::block_on_sync;

pub use guards::{MappedMutexGuard, MutexGuard, OwnedMappedMutexGuard, OwnedMutexGuard};

/// A lock around a value that may be held across an `.await`.
///
/// The mutex is fair: tasks acquire it in the order of their requests. There is no poisoning: after a panic of its
/// holder it is free again. For values that are never locked across an `.await`, [`std::sync::Mutex`] is cheaper.
///
/// # Examples
///
/// ```
/// use wasio::sync::Mutex;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let counter = Mutex::new(0);
/// *counter.lock().await += 1;
/// assert_eq!(counter.into_inner(), 1);
/// # }
/// ```
pub struct Mutex<T: ?Sized> {
    /// One permit: the lock.
    permits: Permits,
    value: UnsafeCell<T>,
}

// SAFETY: a `Mutex` owns its `T`.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Send> Send for Mutex<T> {}
// SAFETY: the value is accessed through a guard only, by one thread at a time, which is like sending it from one to the
// next.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Send> Sync for Mutex<T> {}

impl<T: ?Sized> Lock for Mutex<T> {
    fn permits(&self) -> &Permits {
        &self.permits
    }
}

/// The error of [`Mutex::try_lock`] and its siblings: the lock is held elsewhere.
///
/// Returned by the `try_` methods of [`Mutex`] and [`RwLock`](crate::sync::RwLock).
#[derive(Debug)]
pub struct TryLockError(pub(super) ());

impl fmt::Display for TryLockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("operation would block")
    }
}

impl std::error::Error for TryLockError {}

impl<T> Mutex<T> {
    /// Creates an unlocked mutex.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self::const_new(value)
    }

    /// Like [`new`](Self::new), for statics.
    pub const fn const_new(value: T) -> Self {
        Mutex { permits: Permits::const_new(1), value: UnsafeCell::new(value) }
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> Mutex<T> {
    async fn acquire(&self) {
        if self.permits.acquire(1).await.is_err() {
            unreachable!("a mutex never closes its semaphore");
        }
    }

    fn try_acquire(&self) -> Result<(), TryLockError> {
        self.permits.try_acquire(1).map_err(|_| TryLockError(()))
    }

    /// Creates a guard from the permit that the caller has just acquired.
    #[allow(unsafe_code)]
    fn guard(&self) -> MutexGuard<'_, T> {
        let data = self.value.get();
        // SAFETY: only the holder of the single permit accesses the value. `held` keeps the permit and, by its borrow,
        // the mutex.
        MutexGuard { inner: unsafe { Exclusive::new(data, Held::new(self, 1)) } }
    }

    /// Like [`guard`](Self::guard).
    #[allow(unsafe_code)]
    fn guard_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        let data = self.value.get();
        // SAFETY: as in `guard`. Here the `Arc` keeps the mutex.
        OwnedMutexGuard { inner: unsafe { Exclusive::new(data, Held::new(self, 1)) } }
    }

    /// Acquires the lock, waiting until it is free.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn lock(&self) -> MutexGuard<'_, T> {
        self.acquire().await;
        self.guard()
    }

    /// Acquires the lock, blocking the thread until it is free.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_lock(&self) -> MutexGuard<'_, T> {
        block_on_sync(self.lock())
    }

    /// Like [`blocking_lock`](Self::blocking_lock), but the guard is owned.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        block_on_sync(self.lock_owned())
    }

    /// Like [`lock`](Self::lock), but the guard is owned.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn lock_owned(self: Arc<Self>) -> OwnedMutexGuard<T> {
        self.acquire().await;
        self.guard_owned()
    }

    /// Acquires the lock if it is free now.
    ///
    /// # Errors
    ///
    /// Fails if it is held.
    pub fn try_lock(&self) -> Result<MutexGuard<'_, T>, TryLockError> {
        self.try_acquire()?;
        Ok(self.guard())
    }

    /// Like [`try_lock`](Self::try_lock), but the guard is owned.
    ///
    /// # Errors
    ///
    /// Fails if it is held.
    pub fn try_lock_owned(self: Arc<Self>) -> Result<OwnedMutexGuard<T>, TryLockError> {
        self.try_acquire()?;
        Ok(self.guard_owned())
    }

    /// Returns the value without locking: the exclusive borrow proves that there is no other access.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> From<T> for Mutex<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for Mutex<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for Mutex<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("Mutex");
        match self.try_lock() {
            Ok(value) => d.field("data", &&*value),
            Err(_) => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}
