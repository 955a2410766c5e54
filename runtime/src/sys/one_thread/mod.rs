//! Targets with one thread. It runs tasks and blocking closures, one after the other. `threads` describes the items.

pub(crate) mod background;
mod blocking;
pub(crate) mod bug;
mod core;
pub(crate) mod job;
pub(crate) mod lock;
pub(crate) mod memory;
mod once;
mod thread;

pub use once::Once;

pub(crate) use self::core::RuntimeCore;
pub(crate) use blocking::{Blocking, Pool};
pub(crate) use thread::{BlockedThread, DriverLock, OwnerThread, ThreadConfig, Worker, shut_down};

/// No other thread receives signals.
pub(crate) fn are_signals_pending() -> bool {
    false
}

/// No other thread receives signals.
pub(crate) fn publish_signals() {}
