//! Items that both WASI targets share.

#[path = "../descriptors.rs"]
mod descriptors;
#[path = "../fd.rs"]
mod fd;
pub mod raw;

/// The maximum number of peers that are gone which one `accept` skips.
pub(super) const MAX_DEAD_PEERS: usize = 32;
