//! Tasks: spawning, joining, aborting, yielding, task-local values.
//!
//! ```
//! # #[wasio::main(flavor = "current_thread")]
//! # async fn main() {
//! let task = wasio::task::spawn(async { "done" });
//! assert_eq!(task.await.unwrap(), "done");
//! # }
//! ```
//!
//! # On WASI
//!
//! All tasks share the guest's one thread, blocking ones too. WASI targets abort on panic, so a panic in a
//! task ends the guest; the place where the task was spawned is printed.

#[cfg(feature = "rt")]
pub use wasio_runtime::task::{
    AbortHandle, Id, JoinError, JoinHandle, JoinSet, LocalEnterGuard, LocalKey, LocalSet, id,
    spawn, spawn_blocking, spawn_local, try_id, yield_now,
};

#[cfg(feature = "rt-multi-thread")]
pub use wasio_runtime::task::block_in_place;

// Where tokio had them first.
#[cfg(feature = "rt")]
#[doc(hidden)]
pub use wasio_runtime::task::coop::{Unconstrained, consume_budget, unconstrained};

/// Cooperative scheduling: how long a task may run before the others have their turn.
///
/// Each poll of a task may do 128 operations on wasio's resources; then they return `Pending`, and the
/// task is polled again after the others.
#[cfg(feature = "rt")]
pub mod coop {
    pub use wasio_runtime::task::coop::{
        Coop, RestoreOnPending, Unconstrained, consume_budget, cooperative, has_budget_remaining,
        poll_proceed, unconstrained,
    };
}

/// The futures of this module.
#[cfg(feature = "rt")]
pub mod futures {
    pub use wasio_runtime::task::TaskLocalFuture;
}
