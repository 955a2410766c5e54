//! pollster 0.4, whose interface is part of version 1: see the drop-in for version 1.

pub use newest::*;
#[cfg(feature = "macro")]
pub use pollster_macro::{main, test};
