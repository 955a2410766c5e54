//! The groups of figures, a file each.

pub(crate) mod echo;
pub(crate) mod executor;
pub(crate) mod http;
pub(crate) mod imports;
pub(crate) mod memory;
pub(crate) mod redis;
pub(crate) mod size;
pub(crate) mod start;
pub(crate) mod stream;
pub(crate) mod suspend;
