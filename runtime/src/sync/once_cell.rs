//! `OnceCell`: a value that the first task to need it computes asynchronously.

use std::fmt;
use std::future::Future;

use super::guard::Held;
use super::once::{Once, once_traits};
use super::permits::{Permits, TryAcquireError};

/// A value that is computed once, by the first task that needs it, while other tasks wait for it.
///
/// # Examples
///
/// ```
/// use wasio::sync::OnceCell;
///
/// static CONFIG: OnceCell<String> = OnceCell::const_new();
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let config = CONFIG.get_or_init(|| async { "from afar".to_string() }).await;
/// assert_eq!(config, "from afar");
/// # }
/// ```
pub struct OnceCell<T> {
    value: Once<T>,
    /// One permit: the right to set the value. Closed once the value is set.
    permits: Permits,
}

once_traits!(OnceCell);

impl<T> OnceCell<T> {
    /// Creates an empty cell.
    pub fn new() -> Self {
        Self::const_new()
    }

    /// Like [`new`](Self::new), for statics.
    pub const fn const_new() -> Self {
        OnceCell { value: Once::empty(), permits: Permits::const_new(1) }
    }

    /// Creates a cell that holds `value`, or is empty.
    pub fn new_with(value: Option<T>) -> Self {
        match value {
            Some(value) => Self::const_new_with(value),
            None => Self::const_new(),
        }
    }

    /// Creates a cell that holds `value`, for statics.
    pub const fn const_new_with(value: T) -> Self {
        OnceCell { value: Once::Given(value), permits: Permits::const_new_closed() }
    }

    /// Returns whether there is a value.
    pub fn initialized(&self) -> bool {
        self.get().is_some()
    }

    /// Returns the value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Returns the value for modification, if there is one.
    pub fn get_mut(&mut self) -> Option<&mut T> {
        self.value.get_mut()
    }

    /// Sets the value.
    ///
    /// # Errors
    ///
    /// Fails if there is a value already, or one is being computed. The error contains `value`.
    pub fn set(&self, value: T) -> Result<(), SetError<T>> {
        match self.permits.try_acquire(1) {
            Ok(()) => {
                self.fill(value, Held::new(&self.permits, 1));
                Ok(())
            }
            Err(TryAcquireError::NoPermits) => Err(SetError::InitializingError(value)),
            Err(TryAcquireError::Closed) => Err(SetError::AlreadyInitializedError(value)),
        }
    }

    /// Sets the value. `permit` is the right to do so.
    fn fill(&self, value: T, permit: Held<&Permits>) -> &T {
        let set = self.value.set(value);
        debug_assert!(set.is_ok(), "only the holder of the permit sets the value");
        // Closed before the permit is returned, so that no task acquires it.
        self.permits.close();
        drop(permit);
        self.expect()
    }

    fn expect(&self) -> &T {
        self.get().expect("the semaphore is closed after the value was set")
    }

    /// Returns the value; if there is none yet, computes it with `f`, or waits for the task that does.
    ///
    /// # Cancel safety
    ///
    /// When the future is dropped while it computes, its `f` is dropped too, and the next waiting task computes the
    /// value with its own.
    pub async fn get_or_init<F, Fut>(&self, f: F) -> &T
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = T>,
    {
        if let Some(value) = self.get() {
            return value;
        }
        match self.permits.acquire(1).await {
            Ok(()) => {
                let permit = Held::new(&self.permits, 1);
                let value = f().await;
                self.fill(value, permit)
            }
            Err(_closed) => self.expect(),
        }
    }

    /// Like [`get_or_init`](Self::get_or_init), with an `f` that can fail.
    ///
    /// # Errors
    ///
    /// The error of `f`. The cell stays empty, and the next waiting task tries with its own.
    ///
    /// # Cancel safety
    ///
    /// The same as for `get_or_init`.
    pub async fn get_or_try_init<E, F, Fut>(&self, f: F) -> Result<&T, E>
    where
        F: FnOnce() -> Fut,
        Fut: Future<Output = Result<T, E>>,
    {
        if let Some(value) = self.get() {
            return Ok(value);
        }
        match self.permits.acquire(1).await {
            Ok(()) => {
                let permit = Held::new(&self.permits, 1);
                let value = f().await?;
                Ok(self.fill(value, permit))
            }
            Err(_closed) => Ok(self.expect()),
        }
    }

    /// Takes the value out of the cell.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Takes the value and leaves the cell empty.
    pub fn take(&mut self) -> Option<T> {
        std::mem::take(self).into_inner()
    }
}

/// Why [`OnceCell::set`] failed. The error contains the value.
#[derive(Debug, PartialEq, Eq)]
pub enum SetError<T> {
    /// There is a value already.
    AlreadyInitializedError(T),
    /// A task is computing the value.
    InitializingError(T),
}

impl<T> SetError<T> {
    /// Returns whether there was a value already.
    pub fn is_already_init_err(&self) -> bool {
        matches!(self, SetError::AlreadyInitializedError(_))
    }

    /// Returns whether a task was computing the value.
    pub fn is_initializing_err(&self) -> bool {
        matches!(self, SetError::InitializingError(_))
    }
}

impl<T> fmt::Display for SetError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            SetError::AlreadyInitializedError(_) => "AlreadyInitializedError",
            SetError::InitializingError(_) => "InitializingError",
        })
    }
}

impl<T: fmt::Debug> std::error::Error for SetError<T> {}
