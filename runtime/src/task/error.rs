//! The reasons why a task has no result.

use std::any::Any;
use std::fmt;
use std::io;

use super::Id;
use crate::lock::Mutex;

/// A task did not complete: it panicked or was aborted.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let task = wasio::spawn(std::future::pending::<()>());
/// task.abort();
/// let error = task.await.unwrap_err();
/// assert!(error.is_cancelled() && !error.is_panic());
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
// Boxed: every result of a task has room for one.
pub struct JoinError(Box<Inner>);

struct Inner {
    id: Id,
    repr: Repr,
}

enum Repr {
    Cancelled,
    // The payload is `Send` but not `Sync`; the lock makes the error `Sync`.
    Panic(Mutex<Panic>),
}

/// The payload of a task's panic.
#[cfg(panic = "unwind")]
pub(super) type Panic = Box<dyn Any + Send + 'static>;

/// Uninhabited, because a panic ends the program.
// SIZE: a guest has no code for it.
#[cfg(not(panic = "unwind"))]
pub(super) type Panic = std::convert::Infallible;

#[cfg(panic = "unwind")]
fn payload(panic: Mutex<Panic>) -> Box<dyn Any + Send + 'static> {
    panic.into_inner()
}

#[cfg(not(panic = "unwind"))]
#[allow(unreachable_code, reason = "there is none")]
fn payload(panic: Mutex<Panic>) -> Box<dyn Any + Send + 'static> {
    match panic.into_inner() {}
}

/// Returns the text of a panic.
#[cfg(panic = "unwind")]
fn text(panic: &Panic) -> Option<String> {
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&'static str>().map(|s| (*s).to_owned()))
}

#[cfg(not(panic = "unwind"))]
fn text(panic: &Panic) -> Option<String> {
    match *panic {}
}

impl JoinError {
    #[cold]
    pub(crate) fn cancelled(id: Id) -> JoinError {
        JoinError(Box::new(Inner { id, repr: Repr::Cancelled }))
    }

    pub(crate) fn panicked(id: Id, payload: Panic) -> JoinError {
        JoinError(Box::new(Inner { id, repr: Repr::Panic(Mutex::new(payload)) }))
    }

    /// Returns whether the task was aborted, or dropped with its runtime.
    pub fn is_cancelled(&self) -> bool {
        matches!(self.0.repr, Repr::Cancelled)
    }

    /// Returns whether the task panicked.
    ///
    /// # On WASI
    ///
    /// Always false: a panic ends the guest, because WASI targets are built with `panic = "abort"`.
    pub fn is_panic(&self) -> bool {
        matches!(self.0.repr, Repr::Panic(_))
    }

    /// Returns the payload of the task's panic, for `std::panic::resume_unwind`.
    ///
    /// # Panics
    ///
    /// Panics if the task did not panic.
    #[track_caller]
    pub fn into_panic(self) -> Box<dyn Any + Send + 'static> {
        self.try_into_panic().expect("`JoinError` reason is not a panic.")
    }

    /// Returns the payload of the task's panic.
    ///
    /// # Errors
    ///
    /// Returns the error if the task was cancelled.
    pub fn try_into_panic(self) -> Result<Box<dyn Any + Send + 'static>, JoinError> {
        match self.0.repr {
            Repr::Panic(panic) => Ok(payload(panic)),
            Repr::Cancelled => Err(self),
        }
    }

    /// Returns the id of the task.
    pub fn id(&self) -> Id {
        self.0.id
    }

    fn message(&self) -> Option<String> {
        match &self.0.repr {
            Repr::Cancelled => None,
            Repr::Panic(panic) => text(&panic.lock()),
        }
    }
}

impl fmt::Display for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_cancelled(), self.message()) {
            (true, _) => write!(f, "task {} was cancelled", self.0.id),
            (false, Some(message)) => {
                write!(f, "task {} panicked with message {message:?}", self.0.id)
            }
            (false, None) => write!(f, "task {} panicked", self.0.id),
        }
    }
}

impl fmt::Debug for JoinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_cancelled(), self.message()) {
            (true, _) => write!(f, "JoinError::Cancelled({:?})", self.0.id),
            (false, Some(message)) => {
                write!(f, "JoinError::Panic({:?}, {message:?}, ...)", self.0.id)
            }
            (false, None) => write!(f, "JoinError::Panic({:?}, ...)", self.0.id),
        }
    }
}

impl std::error::Error for JoinError {}

impl From<JoinError> for io::Error {
    fn from(error: JoinError) -> io::Error {
        io::Error::other(if error.is_cancelled() { "task was cancelled" } else { "task panicked" })
    }
}
