//! A cell that is written once. With threads it is std's `OnceLock`.
//!
//! SIZE: on one thread it is a cell of our own, which takes a tenth of the code.

pub use crate::sys::Once;
