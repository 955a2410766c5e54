//! Under construction.
mod interest;
mod ready;

pub use interest::Interest;
pub use ready::Ready;
