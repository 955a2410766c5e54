//! What targets with threads share.

mod core;
pub(crate) mod job;
pub(crate) mod lock;
pub(crate) mod memory;
pub(crate) mod park_flag;
pub(crate) mod stdin;
pub use std::sync::OnceLock as Once;

pub(crate) use self::core::RuntimeCore;
