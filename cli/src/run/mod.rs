//! `wasio run`: one guest in this process, with this process's streams.

mod args;
mod report;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use wasio_host::{Engine, Error, Guest, Policy, Program, RuleError, Stats};

use args::Grant;

pub(crate) use args::Args;

/// The command line or the file is wrong; nothing has run.
const USAGE: u8 = 2;
/// As `timeout(1)` has it.
const TIMED_OUT: u8 = 124;
/// 128 and the number of the signal, as shells have it.
const ABORTED: u8 = 134;
#[cfg(unix)]
const TERMINATED: u8 = 143;
const INTERRUPTED: u8 = 130;

/// Runs the guest and leaves the process with its exit code.
pub(crate) fn run(args: Args) -> ExitCode {
    let code = match prepare(&args) {
        Ok(prepared) => prepared.finish(&args),
        Err(error) => {
            say(format_args!("{}: {error:#}", args.file().display()));
            USAGE.into()
        }
    };
    // Threads may sit in a read of stdin or a name lookup: not waited for.
    let _ = std::io::stdout().flush();
    std::process::exit(code)
}

/// Writes to stderr, which may be closed.
fn say(message: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "wasio: {message}");
}

struct Prepared {
    guest: Guest,
    stats: Stats,
    runtime: tokio::runtime::Runtime,
}

fn prepare(args: &Args) -> anyhow::Result<Prepared> {
    let engine = Engine::builder();
    let engine = if args.no_cache { engine.no_cache() } else { engine };
    let program = Program::from_file(&engine.build()?, args.file())?;
    let stats = Stats::new();

    let name = args.file().file_name().unwrap_or(args.file().as_os_str());
    let mut guest = Guest::builder(&program)
        .inherit_stdio()
        .stats(&stats)
        .arg(name.to_string_lossy())
        .args(args.guest_args())
        .network(Arc::new(policy(args)))
        .on_denied(|denied| say(format_args!("{denied}")));
    for variable in &args.env {
        let (name, value) = match variable.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (variable.as_str(), std::env::var(variable).ok()),
        };
        if let Some(value) = value {
            guest = guest.env(name, value);
        }
    }
    for dir in args.dir.iter().filter(|dir| !dir.is_empty()) {
        let (host, inside) = dir.split_once("::").unwrap_or((dir, dir));
        guest = guest.dir(Path::new(host), inside);
    }
    if let Some(limit) = args.timeout {
        guest = guest.timeout(limit.into());
    }
    if let Some(size) = args.max_memory {
        let bytes = usize::try_from(size.as_u64()).context("--max-memory is too large")?;
        guest = guest.max_memory(bytes);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guest = {
        let _context = runtime.enter();
        guest.build()?
    };
    Ok(Prepared { guest, stats, runtime })
}

fn policy(args: &Args) -> Policy {
    args.net.iter().filter_map(|grant| grant.0.clone()).collect()
}

impl Prepared {
    fn finish(self, args: &Args) -> i32 {
        let Prepared { guest, stats, runtime } = self;
        let code = runtime.block_on(async {
            // A task of its own, so that nothing but its own events wakes it.
            let guest = tokio::spawn(guest.run());
            tokio::select! {
                outcome = guest => match outcome {
                    Ok(outcome) => code(outcome),
                    Err(crash) => std::panic::resume_unwind(crash.into_panic()),
                },
                code = interrupted() => code.into(),
                never = report::live(args, &stats) => match never {},
            }
        });
        report::at_end(args, &stats);
        runtime.shutdown_background();
        code
    }
}

fn code(outcome: Result<wasio_host::Exit, Error>) -> i32 {
    let error = match outcome {
        Ok(exit) => return exit.code(),
        Err(error) => error,
    };
    say(format_args!("{error}"));
    match error {
        Error::Trap(_) => ABORTED.into(),
        Error::TimedOut(_) => TIMED_OUT.into(),
        _ => USAGE.into(),
    }
}

/// Waits for a request to end. Dropping the guest's future then stops it,
/// whatever it is doing.
async fn interrupted() -> u8 {
    #[cfg(unix)]
    if let Ok(mut terminate) =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
    {
        return tokio::select! {
            _ = tokio::signal::ctrl_c() => INTERRUPTED,
            _ = terminate.recv() => TERMINATED,
        };
    }
    match tokio::signal::ctrl_c().await {
        Ok(()) => INTERRUPTED,
        Err(_) => std::future::pending().await,
    }
}

/// Parses one value of `--net`. An empty one, as of an empty variable, is none.
fn rule(text: &str) -> Result<Grant, RuleError> {
    if text.trim().is_empty() {
        return Ok(Grant(None));
    }
    text.parse().map(|rule| Grant(Some(rule)))
}
