//! Asynchronous tasks: spawning, joining, aborting, yielding.
//!
//! # On WASI
//!
//! All tasks share the guest's one thread. WASI targets abort on panic, so a panic in a task ends the
//! guest; before it does, the location where the task was spawned is printed after the panic's message.

mod blocking;
mod cell;
pub mod coop;
pub(crate) mod current;
mod error;
mod id;
mod join;
mod join_set;
mod local;
mod outcome;
mod queue;
mod report;
mod scheduler;
mod spawn;
mod state;
mod task_local;
mod unconstrained;
pub(crate) mod waker;
mod yield_now;

#[doc(hidden)]
pub use blocking::block_on_anywhere;
pub use blocking::{block_in_place, spawn_blocking};
pub use coop::{Unconstrained, consume_budget, unconstrained};
pub use error::JoinError;
pub use id::{Id, id, try_id};
pub use join::{AbortHandle, JoinHandle};
pub use join_set::JoinSet;
pub use local::{LocalEnterGuard, LocalSet, spawn_local};
pub use spawn::spawn;
pub use task_local::{AccessError, LocalKey, TaskLocalFuture};
pub use yield_now::yield_now;

pub(crate) use blocking::BlockingFuture;
pub(crate) use cell::{Runnable, Task};
pub(crate) use coop::Budget;
pub(crate) use queue::Queue;
pub(crate) use report::report_panics;
pub(crate) use scheduler::{Scheduler, WakeTarget};
