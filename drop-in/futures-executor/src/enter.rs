//! Marks that an executor runs on this thread.

use std::cell::Cell;
use std::fmt;

thread_local!(static ENTERED: Cell<bool> = const { Cell::new(false) });

/// Marks that an executor runs on this thread, until it is dropped.
pub struct Enter {
    _private: (),
}

/// The error of [`enter`]: an executor runs on this thread already.
pub struct EnterError {
    _private: (),
}

impl fmt::Debug for Enter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Enter").finish()
    }
}

impl fmt::Debug for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("EnterError").field("reason", &self.to_string()).finish()
    }
}

impl fmt::Display for EnterError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an executor already runs on this thread")
    }
}

impl std::error::Error for EnterError {}

/// Marks that an executor runs on this thread, for executors that must not nest.
///
/// # Errors
///
/// Fails if an executor already runs on this thread.
pub fn enter() -> Result<Enter, EnterError> {
    if ENTERED.replace(true) {
        Err(EnterError { _private: () })
    } else {
        Ok(Enter { _private: () })
    }
}

impl Drop for Enter {
    fn drop(&mut self) {
        ENTERED.set(false);
    }
}
