//! pollster 0.4, whose interface version 1 has, too: see the drop-in for that one.

pub use newest::*;
#[cfg(feature = "macro")]
pub use pollster_macro::{main, test};
