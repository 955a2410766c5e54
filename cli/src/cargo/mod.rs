//! The command `cargo wasio`, without the engine that runs guests.
//!
//! | module | content |
//! |---|---|
//! | `args`, `flags` | the command line: wasio's flags, and cargo's |
//! | `sources` | the drop-ins, carried in this binary and unpacked to the cache |
//! | `toolchain` | the user's cargo, and the private lock that it is told to use |
//! | `config` | the parts of the user's cargo configuration that are set here too |
//! | `clang` | the C compiler for crates that have C code |
//! | `project`, `lock`, `metadata`, `patch` | resolving a project with the drop-ins, and proving that they are used |
//! | `run` | `run`, `build`, `check`, `test` |
//! | `wasm_opt` | `build --wasm-opt` |
//! | `runner`, `engine`, `program`, `exec` | the program that cargo calls to run a guest |
//! | `rustc`, `harness`, `exit_codes` | tests, each in a guest of its own, and exit codes on WASI 0.2 |
//! | `published`, `copies` | `try`: a published crate as a project, and the copy of it for guests |
//! | `new` | a new project |
//! | `doctor` | the problems of a project |

mod args;
mod clang;
mod config;
mod copies;
mod doctor;
mod engine;
mod exec;
mod exit_codes;
mod flags;
mod harness;
mod host_tokio;
mod lock;
mod metadata;
mod new;
mod patch;
mod program;
mod project;
mod published;
mod run;
mod runner;
mod rustc;
mod shell;
mod sources;
mod toolchain;
mod wasm_opt;

use std::ffi::OsString;
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{CommandFactory, FromArgMatches};

use args::{BuildArgs, Cli, Command, OptimizedArgs, WASM_OPT_LEVEL};
use flags::CargoFlags;
use run::Job;
use shell::Shell;
use toolchain::Cargo;
use wasm_opt::WasmOpt;

/// Runs the command line `args` and returns the exit code of the process.
pub(crate) fn main(args: impl Iterator<Item = OsString>) -> ExitCode {
    let args: Vec<OsString> = args.collect();
    if rustc::is_wrapped(&args) {
        return rustc::run(&args).unwrap_or_else(|error| {
            Shell::new(false, None).error(format_args!("{error:#}"));
            ExitCode::FAILURE
        });
    }
    let line = flags::divide(args.into_iter());
    let mut command = Cli::command();
    let parsed = command
        .try_get_matches_from_mut(line.wasio)
        .and_then(|found| Cli::from_arg_matches(&found));
    let cli = parsed.unwrap_or_else(|error| crate::suggest::improve(error, &command).exit());
    let failed = match cli.command {
        // The doctor's exit code 1 means that it found a problem.
        Command::Doctor(_) => ExitCode::from(2),
        _ => ExitCode::from(101),
    };
    start(cli.command, line.program).unwrap_or_else(|error| {
        Shell::new(false, None).error(format_args!("{error:#}"));
        failed
    })
}

fn start(command: Command, program: Vec<OsString>) -> Result<ExitCode> {
    let (verb, build, level) = match command {
        Command::Run(build) => ("run", build, None),
        Command::Build(OptimizedArgs { build, wasm_opt }) => ("build", build, wasm_opt),
        Command::Check(build) => ("check", build, None),
        Command::Test(build) => ("test", build, None),
        Command::Try(args) => return published::start(args, program),
        Command::New(args) => return new::start(&args),
        Command::Doctor(args) => return doctor::start(args),
        Command::Runner(args) => return runner::run(&args.guest),
        Command::WasmOpt { file } => {
            let wasm_opt = WasmOpt::find(WASM_OPT_LEVEL.to_owned())?;
            return wasm_opt.optimize(&file, &Shell::new(true, None)).map(|()| ExitCode::SUCCESS);
        }
    };
    let BuildArgs { guest, cargo } = build;
    let flags = CargoFlags::new(cargo);
    if !program.is_empty() && matches!(verb, "build" | "check") {
        bail!("`cargo wasio {verb}` runs no program: leave out the arguments after `--`");
    }
    let shell = Shell::new(flags.quiet, flags.colour.as_deref());
    let asks_for_messages =
        |flag: &OsString| flag.to_string_lossy().starts_with("--message-format");
    if level.is_some() && flags.all.iter().any(asks_for_messages) {
        bail!("--wasm-opt reads cargo's messages itself: leave out --message-format");
    }
    let wasm_opt = level.map(WasmOpt::find).transpose()?;
    Job { verb, guest, flags, args: program, wasm_opt }.start(Cargo::find()?, shell)
}
