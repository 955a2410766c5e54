//! Targets with threads. `one_thread` has items of the same names for targets without threads.
//!
//! - [`DriverLock`]: held by the one thread that drives a runtime, if several block on it.
//! - [`Worker`]: the thread that drives a `multi_thread` runtime, and [`shut_down`], which shuts a runtime down.
//! - [`Blocking`]: the closures of `spawn_blocking`, and [`Pool`], the part of it that a scheduler notifies.
//! - [`ThreadConfig`]: how threads are started. [`OwnerThread`]: the thread on which a local runtime was built.
//! - [`BlockedThread`]: a thread that is blocked on a future.
//! - [`background`]: the runtimes that a blocking thread drives besides its own.
//! - [`are_signals_pending`] and [`publish_signals`]: signals that another thread received.

pub(crate) mod background;
mod core;
mod driver_lock;
pub(crate) mod job;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod park_flag;
mod pool;
mod thread;
mod worker;

pub use std::sync::OnceLock as Once;

pub(crate) use self::core::RuntimeCore;
pub(crate) use crate::sys::{is_pending as are_signals_pending, publish as publish_signals};
pub(crate) use driver_lock::DriverLock;
pub(crate) use pool::{Blocking, Pool};
pub(crate) use thread::{BlockedThread, OwnerThread, ThreadConfig};
pub(crate) use worker::{Worker, shut_down};
