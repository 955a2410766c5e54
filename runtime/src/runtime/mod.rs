//! The runtime: what drives tasks, timers and I/O.
//!
//! # On WASI
//!
//! There is one thread: tasks run inside `block_on`, between its polls of its future. The tasks of a `multi_thread`
//! runtime run inside every `block_on`, of any runtime, as natively they run on threads of their own.
//!
//! Natively `multi_thread` has one worker thread, whatever number is requested, so that tasks make progress without a
//! `block_on`.

mod builder;
mod drive;
mod handle;
mod local_runtime;
mod metrics;
pub(crate) mod root;
#[expect(clippy::module_inception)]
mod runtime;
mod shared;
pub(crate) mod step;

pub use builder::Builder;
pub use handle::{EnterGuard, Handle, Id, RuntimeFlavor, TryCurrentError};
pub use local_runtime::{LocalOptions, LocalRuntime};
pub use metrics::RuntimeMetrics;
pub use runtime::{Runtime, is_rt_shutdown_err, worker_index};

pub(crate) use drive::block_on_sync;
pub(crate) use shared::Shared;
