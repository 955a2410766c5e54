//! What targets with one thread share.

pub(crate) mod bug;
mod core;
pub(crate) mod job;
pub(crate) mod lock;
pub(crate) mod memory;
mod once;

pub use once::Once;

pub(crate) use self::core::RuntimeCore;
