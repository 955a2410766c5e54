//! hostname 0.3, whose interface is that of 0.4: see the drop-in for 0.4.

pub use newest::*;
