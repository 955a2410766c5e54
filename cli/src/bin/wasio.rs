//! The command `wasio`.
fn main() {}
