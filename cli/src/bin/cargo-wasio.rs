//! The command `cargo wasio`: any tokio project, built and run as a WASI guest without editing the project.
//!
//! cargo calls this binary as `cargo-wasio wasio SUBCOMMAND …`. Its code is in `src/cargo/`, which needs no WebAssembly
//! engine: guests are run by the binary `wasio` beside this one.

#[path = "../cargo/mod.rs"]
mod cargo;
#[path = "../dirs.rs"]
mod dirs;
#[path = "../suggest.rs"]
mod suggest;
#[allow(unreachable_pub, reason = "xtask's library has the same file")]
#[path = "../targets.rs"]
mod targets;

fn main() -> std::process::ExitCode {
    cargo::main(std::env::args_os())
}
