//! hostname 0.3, which has the interface of 0.4: see the drop-in for that one.

pub use newest::*;
