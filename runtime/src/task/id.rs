//! Task identity.

use std::fmt;
use std::num::NonZeroU64;
use std::sync::atomic::{AtomicU64, Ordering};

use super::current;

/// Identifies a task among all tasks of the program. IDs are never reused.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let task = wasio::spawn(async { wasio::task::id() });
/// let id = task.id();
/// assert_eq!(task.await.unwrap(), id);
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(NonZeroU64);

impl Id {
    pub(crate) fn next() -> Id {
        // The counter takes centuries to overflow, so guests have no message for it.
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let id = NEXT.fetch_add(1, Ordering::Relaxed);
        Id(NonZeroU64::new(id).unwrap_or(NonZeroU64::MAX))
    }
}

impl Id {
    pub(super) fn number(self) -> u64 {
        self.0.get()
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Returns the ID of the running task.
///
/// # Panics
///
/// Panics outside of a task, `block_on` included: use [`try_id`] there.
#[track_caller]
pub fn id() -> Id {
    try_id().expect("Can't get a task id when not inside a task")
}

/// Returns the ID of the running task, or `None` outside a task.
pub fn try_id() -> Option<Id> {
    current::running().map(|r| r.id)
}
