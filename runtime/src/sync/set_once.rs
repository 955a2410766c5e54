//! `SetOnce`: a value that is set once, and that tasks can wait for.

use std::fmt;

use super::notify::Notify;
use super::once::{Once, once_traits};

/// A value that is set once. Tasks can wait for it.
///
/// # Examples
///
/// ```
/// use wasio::sync::SetOnce;
///
/// static ADDRESS: SetOnce<u16> = SetOnce::const_new();
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let waits = wasio::spawn(ADDRESS.wait());
/// ADDRESS.set(8080).unwrap();
/// assert_eq!(waits.await.unwrap(), &8080);
/// # }
/// ```
pub struct SetOnce<T> {
    value: Once<T>,
    set: Notify,
}

once_traits!(SetOnce);

impl<T> SetOnce<T> {
    /// Creates an empty cell.
    pub fn new() -> Self {
        Self::const_new()
    }

    /// Like [`new`](Self::new), for statics.
    pub const fn const_new() -> Self {
        SetOnce { value: Once::empty(), set: Notify::const_new() }
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
        SetOnce { value: Once::Given(value), set: Notify::const_new() }
    }

    /// Returns whether there is a value.
    pub fn initialized(&self) -> bool {
        self.get().is_some()
    }

    /// Returns the value, if there is one.
    pub fn get(&self) -> Option<&T> {
        self.value.get()
    }

    /// Sets the value and wakes all tasks that wait for it.
    ///
    /// # Errors
    ///
    /// Fails if there is a value already. The error contains `value`.
    pub fn set(&self, value: T) -> Result<(), SetOnceError<T>> {
        self.value.set(value).map_err(SetOnceError)?;
        self.set.notify_waiters();
        Ok(())
    }

    /// Takes the value out of the cell.
    pub fn into_inner(self) -> Option<T> {
        self.value.into_inner()
    }

    /// Waits until there is a value.
    ///
    /// # Cancel safety
    ///
    /// Nothing is lost when the future is dropped.
    pub async fn wait(&self) -> &T {
        loop {
            // Created before the check, so that a value set after the check is not missed.
            let set = self.set.notified();
            if let Some(value) = self.get() {
                return value;
            }
            set.await;
        }
    }
}

/// The error of [`SetOnce::set`]: there already was a value. It contains the new one.
#[derive(Debug, PartialEq, Eq)]
pub struct SetOnceError<T>(pub T);

impl<T> fmt::Display for SetOnceError<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SetOnceError")
    }
}

impl<T: fmt::Debug> std::error::Error for SetOnceError<T> {}
