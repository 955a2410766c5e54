//! The command `wasio`.

#[path = "../dirs.rs"]
mod dirs;
#[path = "../fleet/mod.rs"]
mod fleet;
#[path = "../run/mod.rs"]
mod run;
#[path = "../suggest.rs"]
mod suggest;

use std::io::Write as _;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use clap_complete::Shell;

/// Run WebAssembly programs with sockets, files and a network policy
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
    /// Print a script that completes this command's options in a shell
    ///
    /// For bash: `wasio completions bash > ~/.local/share/bash-completion/completions/wasio`
    Completions {
        /// The shell
        shell: Shell,
    },
}

fn main() -> ExitCode {
    let mut command = Command::command();
    let matches = command.try_get_matches_from_mut(std::env::args_os());
    let parsed = matches.and_then(|matches| Command::from_arg_matches(&matches));
    let parsed = parsed.unwrap_or_else(|error| suggest::improve(error, &command).exit());
    match parsed.action {
        Action::Run(args) => run::run(args),
        Action::Fleet(args) => fleet::run(&args),
        Action::Completions { shell } => {
            let mut text = Vec::new();
            clap_complete::generate(shell, &mut command, "wasio", &mut text);
            // A reader that stops reading early is not a failure.
            let _ = std::io::stdout().write_all(&text);
            ExitCode::SUCCESS
        }
    }
}
