//! Items that both WASI targets share: the list of armed sources, and the choice of those to poll first.

pub(in crate::sys) mod armed;
pub(in crate::sys) mod front;
pub(crate) mod signal;
pub(crate) mod stdin;
