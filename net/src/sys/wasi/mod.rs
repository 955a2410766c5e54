//! What both targets of WASI have.

#[path = "../descriptors.rs"]
mod descriptors;
#[path = "../fd.rs"]
mod fd;
pub mod raw;

/// How many peers that are gone one `accept` skips.
pub(super) const DEAD_PEERS: usize = 32;
