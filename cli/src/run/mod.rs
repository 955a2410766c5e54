//! `wasio run`: one guest in this process, with this process's streams.

mod args;
pub(crate) mod guest;
mod report;

use std::io::Write as _;
use std::process::ExitCode;

use wasio_host::{Engine, Error, Guest, Stats};

pub(crate) use args::Args;

/// The command line or the file is wrong; nothing has run.
pub(crate) const USAGE: u8 = 2;
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
            say(format_args!("{}: {error:#}", args.guest.file().display()));
            USAGE.into()
        }
    };
    // Threads may sit in a read of stdin or a name lookup: not waited for.
    let _ = std::io::stdout().flush();
    std::process::exit(code)
}

/// Writes to stderr, which may be closed.
pub(crate) fn say(message: std::fmt::Arguments<'_>) {
    let _ = writeln!(std::io::stderr(), "wasio: {message}");
}

struct Prepared {
    guest: Guest,
    stats: Stats,
    runtime: tokio::runtime::Runtime,
}

fn prepare(args: &Args) -> anyhow::Result<Prepared> {
    let program = args.guest.program(Engine::builder())?;
    let stats = Stats::new();
    let guest = args.guest.setup()?.guest(&program).inherit_stdio().stats(&stats);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guest = {
        let _context = runtime.enter();
        guest.build()?
    };
    Ok(Prepared { guest, stats, runtime })
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
pub(crate) async fn interrupted() -> u8 {
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
