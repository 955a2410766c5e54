//! The attribute macros of wasio.
