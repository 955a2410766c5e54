//! The command `wasio`.

#[path = "../dirs.rs"]
mod dirs;
#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../run/mod.rs"]
mod run;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Runs WebAssembly programs with sockets, files and a network policy.
#[derive(Debug, Parser)]
#[command(name = "wasio", version, propagate_version = true)]
struct Command {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Run(run::Args),
    Fleet(fleet::Args),
}

fn main() -> ExitCode {
    match Command::parse().action {
        Action::Run(args) => run::run(args),
        Action::Fleet(args) => fleet::run(&args),
    }
}
