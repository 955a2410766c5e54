//! A cell that is written once: with threads std's `OnceLock`, on one thread a smaller one.

pub use crate::sys::Once;
