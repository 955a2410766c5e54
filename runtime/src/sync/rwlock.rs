//! `RwLock`: many readers or one writer, across `.await`s.

mod guards;
mod owned;

use std::cell::UnsafeCell;
use std::fmt;
use std::sync::Arc;

use super::guard::{Exclusive, Held, Lock, Shared};
use super::mutex::TryLockError;
use super::permits::Permits;
use crate::runtime::block_on_sync;

pub use guards::{RwLockMappedWriteGuard, RwLockReadGuard, RwLockWriteGuard};
pub use owned::{OwnedRwLockMappedWriteGuard, OwnedRwLockReadGuard, OwnedRwLockWriteGuard};

/// The maximum number of readers of a lock that was not created with a smaller one.
const MAX_READERS: u32 = u32::MAX >> 3;

/// A lock that many tasks can hold for reading, or one for writing. It can be held across an `.await`.
///
/// The lock is fair: a waiting writer is not overtaken by readers that come later. So a task that reads twice at the
/// same time can deadlock, if a writer came in between. There is no poisoning.
///
/// # Examples
///
/// ```
/// use wasio::sync::RwLock;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lock = RwLock::new(1);
/// {
///     let (a, b) = (lock.read().await, lock.read().await);
///     assert_eq!(*a + *b, 2);
/// }
/// *lock.write().await = 5;
/// assert_eq!(*lock.read().await, 5);
/// # }
/// ```
pub struct RwLock<T: ?Sized> {
    max_readers: u32,
    /// A reader holds one permit, a writer all of them.
    permits: Permits,
    value: UnsafeCell<T>,
}

// SAFETY: a `RwLock` owns its `T`.
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Send> Send for RwLock<T> {}
// SAFETY: several threads may read the value at once (`Sync`). They may write it one after the other, which is like
// sending it from one to the next (`Send`).
#[allow(unsafe_code)]
unsafe impl<T: ?Sized + Send + Sync> Sync for RwLock<T> {}

impl<T: ?Sized> Lock for RwLock<T> {
    fn permits(&self) -> &Permits {
        &self.permits
    }
}

impl<T> RwLock<T> {
    /// Creates an unlocked lock.
    #[track_caller]
    pub fn new(value: T) -> Self {
        Self::const_new(value)
    }

    /// Creates a lock with at most `max_readers` concurrent readers.
    ///
    /// # Panics
    ///
    /// Panics with 0 readers, or more than `u32::MAX >> 3`.
    #[track_caller]
    pub fn with_max_readers(value: T, max_readers: u32) -> Self {
        assert_ne!(max_readers, 0, "a RwLock may not be created with 0 readers");
        assert!(
            max_readers <= MAX_READERS,
            "a RwLock may not be created with more than {MAX_READERS} readers"
        );
        Self::const_with_max_readers(value, max_readers)
    }

    /// Like [`new`](Self::new), for statics.
    pub const fn const_new(value: T) -> Self {
        Self::const_with_max_readers(value, MAX_READERS)
    }

    /// Like [`with_max_readers`](Self::with_max_readers), for statics.
    ///
    /// # Panics
    ///
    /// Panics with 0 readers, or more than `u32::MAX >> 3`.
    pub const fn const_with_max_readers(value: T, max_readers: u32) -> Self {
        assert!(max_readers != 0, "a RwLock may not be created with 0 readers");
        assert!(max_readers <= MAX_READERS, "too many readers");
        let permits = Permits::const_new(max_readers as usize);
        RwLock { max_readers, permits, value: UnsafeCell::new(value) }
    }

    /// Unwraps the value.
    pub fn into_inner(self) -> T {
        self.value.into_inner()
    }
}

impl<T: ?Sized> RwLock<T> {
    fn all(&self) -> usize {
        self.max_readers as usize
    }

    async fn acquire(&self, permits: usize) {
        if self.permits.acquire(permits).await.is_err() {
            unreachable!("a rwlock never closes its semaphore");
        }
    }

    fn try_acquire(&self, permits: usize) -> Result<(), TryLockError> {
        self.permits.try_acquire(permits).map_err(|_| TryLockError(()))
    }

    /// Creates a guard from the permit that the caller has just acquired.
    #[allow(unsafe_code)]
    fn read_guard(&self) -> RwLockReadGuard<'_, T> {
        let data = self.value.get();
        // SAFETY: a writer holds all permits, so there is none while this guard holds one. `held` keeps the permit and,
        // by its borrow, the lock.
        RwLockReadGuard { inner: unsafe { Shared::new(data, Held::new(&self.permits, 1)) } }
    }

    /// Like [`read_guard`](Self::read_guard).
    #[allow(unsafe_code)]
    fn read_guard_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        let data = self.value.get();
        // SAFETY: as in `read_guard`. Here the `Arc` keeps the lock.
        OwnedRwLockReadGuard { inner: unsafe { Shared::new(data, Held::new(self, 1)) } }
    }

    /// Creates a guard from all permits, which the caller has just acquired.
    #[allow(unsafe_code)]
    fn write_guard(&self) -> RwLockWriteGuard<'_, T> {
        let data = self.value.get();
        // SAFETY: every reader and writer holds at least one permit. This guard has all of them, so no other code
        // accesses the value. `held` keeps them and, by its borrow, the lock.
        RwLockWriteGuard { inner: unsafe { Exclusive::new(data, Held::new(self, self.all())) } }
    }

    /// Like [`write_guard`](Self::write_guard).
    #[allow(unsafe_code)]
    fn write_guard_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        let (data, all) = (self.value.get(), self.all());
        // SAFETY: as in `write_guard`. Here the `Arc` keeps the lock.
        OwnedRwLockWriteGuard { inner: unsafe { Exclusive::new(data, Held::new(self, all)) } }
    }

    /// Acquires the lock for reading, waiting until that is possible.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn read(&self) -> RwLockReadGuard<'_, T> {
        self.acquire(1).await;
        self.read_guard()
    }

    /// Acquires the lock for reading, blocking the thread until that is possible.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_read(&self) -> RwLockReadGuard<'_, T> {
        block_on_sync(self.read())
    }

    /// Like [`read`](Self::read), but the guard is owned.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn read_owned(self: Arc<Self>) -> OwnedRwLockReadGuard<T> {
        self.acquire(1).await;
        self.read_guard_owned()
    }

    /// Acquires the lock for reading if that is possible now.
    ///
    /// # Errors
    ///
    /// Fails if the lock is held or waited for by a writer, or by as many readers as it lets in.
    pub fn try_read(&self) -> Result<RwLockReadGuard<'_, T>, TryLockError> {
        self.try_acquire(1)?;
        Ok(self.read_guard())
    }

    /// Like [`try_read`](Self::try_read), but the guard is owned.
    ///
    /// # Errors
    ///
    /// Fails if the lock is held or waited for by a writer, or by as many readers as it lets in.
    pub fn try_read_owned(self: Arc<Self>) -> Result<OwnedRwLockReadGuard<T>, TryLockError> {
        self.try_acquire(1)?;
        Ok(self.read_guard_owned())
    }

    /// Acquires the lock for writing, waiting until that is possible.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn write(&self) -> RwLockWriteGuard<'_, T> {
        self.acquire(self.all()).await;
        self.write_guard()
    }

    /// Acquires the lock for writing, blocking the thread until that is possible.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_write(&self) -> RwLockWriteGuard<'_, T> {
        block_on_sync(self.write())
    }

    /// Like [`write`](Self::write), but the guard is owned.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn write_owned(self: Arc<Self>) -> OwnedRwLockWriteGuard<T> {
        self.acquire(self.all()).await;
        self.write_guard_owned()
    }

    /// Acquires the lock for writing if that is possible now.
    ///
    /// # Errors
    ///
    /// Fails if the lock is held.
    pub fn try_write(&self) -> Result<RwLockWriteGuard<'_, T>, TryLockError> {
        self.try_acquire(self.all())?;
        Ok(self.write_guard())
    }

    /// Like [`try_write`](Self::try_write), but the guard is owned.
    ///
    /// # Errors
    ///
    /// Fails if the lock is held.
    pub fn try_write_owned(self: Arc<Self>) -> Result<OwnedRwLockWriteGuard<T>, TryLockError> {
        self.try_acquire(self.all())?;
        Ok(self.write_guard_owned())
    }

    /// Returns the value without locking: the exclusive borrow proves that there is no other access.
    pub fn get_mut(&mut self) -> &mut T {
        self.value.get_mut()
    }
}

impl<T> From<T> for RwLock<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Default> Default for RwLock<T> {
    fn default() -> Self {
        Self::new(T::default())
    }
}

impl<T: ?Sized + fmt::Debug> fmt::Debug for RwLock<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut d = f.debug_struct("RwLock");
        match self.try_read() {
            Ok(value) => d.field("data", &&*value),
            Err(_) => d.field("data", &format_args!("<locked>")),
        };
        d.finish()
    }
}
