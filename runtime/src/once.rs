//! A cell that is written once. With threads it is std's `OnceLock`, on one thread a smaller one.

pub use crate::sys::Once;
