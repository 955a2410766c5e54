//! `Semaphore`: a number of permits that tasks acquire and release.

use std::mem;
use std::sync::Arc;

use super::permits::{AcquireError, Permits, TryAcquireError};
use crate::runtime::block_on_sync;

/// A number of permits that limits how many tasks do something at the same time.
///
/// The semaphore is fair: permits are given out in the order of the requests, and a request for many is not overtaken
/// by requests for few.
///
/// # Examples
///
/// ```
/// use wasio::sync::Semaphore;
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let lanes = Semaphore::new(2);
/// let one = lanes.acquire().await.unwrap();
/// let _two = lanes.acquire().await.unwrap();
/// assert!(lanes.try_acquire().is_err());
/// drop(one);
/// assert!(lanes.try_acquire().is_ok());
/// # }
/// ```
#[derive(Debug)]
pub struct Semaphore {
    permits: Permits,
}

/// Permits of a [`Semaphore`], returned when this is dropped.
#[must_use = "dropped at once, the permit is given back at once"]
#[derive(Debug)]
pub struct SemaphorePermit<'a> {
    semaphore: &'a Semaphore,
    permits: usize,
}

/// Permits of a [`Semaphore`] in an [`Arc`], returned when this is dropped.
///
/// # Examples
///
/// ```
/// use std::sync::Arc;
/// use wasio::sync::Semaphore;
///
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let semaphore = Arc::new(Semaphore::new(2));
/// let permit = semaphore.clone().acquire_owned().await.unwrap();
/// let task = wasio::spawn(async move { drop(permit) });
/// task.await?;
/// assert_eq!(semaphore.available_permits(), 2);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[must_use = "dropped at once, the permit is given back at once"]
#[derive(Debug)]
pub struct OwnedSemaphorePermit {
    semaphore: Arc<Semaphore>,
    permits: usize,
}

impl Semaphore {
    /// The most permits a semaphore can have: `usize::MAX >> 3`.
    pub const MAX_PERMITS: usize = Permits::MAX;

    /// Creates a semaphore with this many permits.
    ///
    /// # Panics
    ///
    /// Panics with more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    #[track_caller]
    pub fn new(permits: usize) -> Self {
        Semaphore { permits: Permits::new(permits) }
    }

    /// Like [`new`](Self::new), for statics.
    ///
    /// # Panics
    ///
    /// Panics with more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub const fn const_new(permits: usize) -> Self {
        Semaphore { permits: Permits::const_new(permits) }
    }

    /// Returns the number of available permits.
    pub fn available_permits(&self) -> usize {
        self.permits.available()
    }

    /// Adds `n` new permits.
    ///
    /// # Panics
    ///
    /// Panics if there would be more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    pub fn add_permits(&self, n: usize) {
        self.permits.release(n);
    }

    /// Removes up to `n` available permits for good, and returns how many it removed.
    pub fn forget_permits(&self, n: usize) -> usize {
        self.permits.forget(n)
    }

    /// Acquires a permit, waiting until one is available.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.permits.acquire(1).await?;
        Ok(SemaphorePermit { semaphore: self, permits: 1 })
    }

    /// Acquires `n` permits, waiting until they are available.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Panics
    ///
    /// Panics if `n` is more than [`MAX_PERMITS`](Self::MAX_PERMITS).
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future returns the permits that it was granted, and loses its place in the queue.
    pub async fn acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        self.permits.acquire(n as usize).await?;
        Ok(SemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// Acquires a permit if one is available now.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed or has no permit left.
    pub fn try_acquire(&self) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.try_acquire_many(1)
    }

    /// Acquires `n` permits if they are available now.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed or has too few permits left.
    pub fn try_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, TryAcquireError> {
        self.permits.try_acquire(n as usize)?;
        Ok(SemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// Acquires a permit, blocking the thread until one is available.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_acquire(&self) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on_sync(self.acquire())
    }

    /// Acquires `n` permits, blocking the thread until they are available.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_acquire_many(&self, n: u32) -> Result<SemaphorePermit<'_>, AcquireError> {
        block_on_sync(self.acquire_many(n))
    }

    /// Like [`acquire`](Self::acquire), but the permit is owned.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future only loses its place in the queue.
    pub async fn acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.permits.acquire(1).await?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: 1 })
    }

    /// Like [`acquire_many`](Self::acquire_many), but the permits are owned.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Cancel safety
    ///
    /// When dropped, the future returns the permits that it was granted, and loses its place in the queue.
    pub async fn acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        self.permits.acquire(n as usize).await?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// Like [`try_acquire`](Self::try_acquire), but the permit is owned.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed or has no permit left.
    pub fn try_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.try_acquire_many_owned(1)
    }

    /// Like [`try_acquire_many`](Self::try_acquire_many), but the permits are owned.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is closed or has too few permits left.
    pub fn try_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, TryAcquireError> {
        self.permits.try_acquire(n as usize)?;
        Ok(OwnedSemaphorePermit { semaphore: self, permits: n as usize })
    }

    /// Like [`blocking_acquire`](Self::blocking_acquire), but the permit is owned.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_acquire_owned(self: Arc<Self>) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on_sync(self.acquire_owned())
    }

    /// Like [`blocking_acquire_many`](Self::blocking_acquire_many), but the permits are owned.
    ///
    /// # Errors
    ///
    /// Fails if the semaphore is or gets closed.
    ///
    /// # Panics
    ///
    /// Panics in asynchronous code.
    #[track_caller]
    pub fn blocking_acquire_many_owned(
        self: Arc<Self>,
        n: u32,
    ) -> Result<OwnedSemaphorePermit, AcquireError> {
        block_on_sync(self.acquire_many_owned(n))
    }

    /// Closes the semaphore. No permits are given out any more, and all waiting tasks get an error.
    ///
    /// Permits that are held stay valid.
    pub fn close(&self) {
        self.permits.close();
    }

    /// Returns whether [`close`](Self::close) was called.
    pub fn is_closed(&self) -> bool {
        self.permits.is_closed()
    }
}

/// The methods of both kinds of permit, which differ only in how they reach the semaphore.
macro_rules! permit_methods {
    ($semaphore:ty, $same:expr) => {
        /// Removes the permits from the semaphore for good.
        pub fn forget(mut self) {
            self.permits = 0;
        }

        /// Adds the permits of `other` to this one.
        ///
        /// # Panics
        ///
        /// Panics if they belong to different semaphores.
        #[track_caller]
        pub fn merge(&mut self, mut other: Self) {
            assert!(
                $same(&self.semaphore, &other.semaphore),
                "merging permits from different semaphore instances"
            );
            let sum = self.permits.checked_add(other.permits);
            self.permits = sum.expect("number of permits overflowed");
            other.permits = 0;
        }

        /// Splits off `n` permits. Returns `None` if there are fewer.
        pub fn split(&mut self, n: usize) -> Option<Self> {
            self.permits = self.permits.checked_sub(n)?;
            Some(Self { semaphore: self.semaphore.clone(), permits: n })
        }

        /// Returns the semaphore whose permits these are.
        pub fn semaphore(&self) -> &$semaphore {
            &self.semaphore
        }

        /// Returns how many permits this holds.
        pub fn num_permits(&self) -> usize {
            self.permits
        }
    };
}

impl<'a> SemaphorePermit<'a> {
    permit_methods!(Semaphore, |a: &&'a Semaphore, b: &&'a Semaphore| std::ptr::eq(*a, *b));
}

impl OwnedSemaphorePermit {
    permit_methods!(Arc<Semaphore>, Arc::ptr_eq);
}

impl Drop for SemaphorePermit<'_> {
    fn drop(&mut self) {
        self.semaphore.add_permits(mem::take(&mut self.permits));
    }
}

impl Drop for OwnedSemaphorePermit {
    fn drop(&mut self) {
        self.semaphore.add_permits(mem::take(&mut self.permits));
    }
}
