//! What targets with threads share.

pub(crate) mod park_flag;
