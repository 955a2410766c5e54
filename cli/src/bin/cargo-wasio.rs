//! The command `cargo-wasio`.
fn main() {}
