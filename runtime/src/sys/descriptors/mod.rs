//! Lends the descriptors of public types, on targets that have descriptors.

mod file;
mod stdio;
