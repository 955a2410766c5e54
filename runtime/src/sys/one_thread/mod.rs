//! What targets with one thread share.

pub(crate) mod bug;
