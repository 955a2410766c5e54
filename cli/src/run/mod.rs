//! `wasio run`: one guest in this process, with this process's streams.

mod args;
pub(crate) mod guest;
mod invoke;
pub(crate) mod notes;
mod report;
mod signals;
mod trap;
mod variable;
pub(crate) mod writer;

use std::io::Write as _;
use std::path::Path;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context as _;
use wasio_host::{Engine, Error, Guest, Printable, Stats};

use notes::{Refusals, say};
use report::StatsFile;
use signals::told_or_interrupted;

pub(crate) use args::Args;
pub(crate) use signals::interrupted;

/// The exit code if the command line or the file is wrong. Nothing has run.
pub(crate) const USAGE: u8 = 2;
/// The exit code of a guest that timed out, the same as `timeout(1)`'s.
const TIMED_OUT: u8 = 124;
/// The exit code of an aborted guest: 128 plus the number of the signal, as in shells.
const ABORTED: u8 = 134;
const TERMINATED: u8 = 143;
const INTERRUPTED: u8 = 130;

/// Runs the guest and exits the process with its exit code.
pub(crate) fn run(args: Args) -> ExitCode {
    let code = match prepare(&args) {
        Ok(prepared) => prepared.finish(&args),
        Err(error) => {
            say_of(args.guest.file(), &error);
            USAGE.into()
        }
    };
    notes::NOTES.settle();
    // Threads may be blocked in a read of stdin or a name lookup. They are not awaited.
    let _ = std::io::stdout().flush();
    std::process::exit(code)
}

/// Reports why a file is not run. Nothing is said twice, because an error may already name the file or its cause.
pub(crate) fn say_of(file: &Path, error: &anyhow::Error) {
    let mut text = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !text.contains(&cause) {
            text = format!("{text}: {cause}");
        }
    }
    match error.downcast_ref() {
        Some(Error::Open { path, .. }) if path == file => say(format_args!("{text}")),
        _ => say(format_args!("{}: {text}", Printable::new(&file.to_string_lossy()).at_most(1024))),
    }
}

struct Prepared {
    guest: Guest,
    stats: Stats,
    refusals: Arc<Refusals>,
    stats_file: Option<StatsFile>,
    runtime: tokio::runtime::Runtime,
}

fn prepare(args: &Args) -> anyhow::Result<Prepared> {
    let program = args.guest.program(Engine::builder())?;
    let stats = Stats::new();
    let setup = args.guest.setup()?;
    // Opened before the guest can change the folder.
    let stats_file = args.stats_file.as_ref();
    let stats_file = stats_file.map(|path| StatsFile::open(path, &setup.granted())).transpose()?;
    let mut guest = setup.guest(&program).inherit_stdio().stats(&stats);
    for address in &args.listen {
        let listener = std::net::TcpListener::bind(address)
            .with_context(|| format!("cannot listen on {address}"))?;
        guest = guest.listener(listener);
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let guest = {
        let _context = runtime.enter();
        guest.build()?
    };
    Ok(Prepared { guest, stats, refusals: setup.refusals, stats_file, runtime })
}

impl Prepared {
    fn finish(self, args: &Args) -> i32 {
        let Prepared { guest, stats, refusals, stats_file, runtime } = self;
        let signals = guest.signals();
        let code = runtime.block_on(async {
            // The guest runs in a task of its own, so that only its own events wake it.
            let invoked = args.invoke.clone().map(|name| (name, args.guest.text_args()));
            let guest = tokio::spawn(async move {
                match invoked {
                    None => Ok(guest.run().await?),
                    Some((name, args)) => invoke::invoke(guest, &name, &args).await,
                }
            });
            tokio::select! {
                outcome = guest => match outcome {
                    Ok(outcome) => code(outcome),
                    Err(crash) => std::panic::resume_unwind(crash.into_panic()),
                },
                code = told_or_interrupted(&signals) => code.into(),
                never = report::live(args, &stats, stats_file.as_ref()) => match never {},
            }
        });
        refusals.sum_up(stats.snapshot().unreported_refusals);
        report::at_end(args, &stats, stats_file.as_ref());
        runtime.shutdown_background();
        code
    }
}

fn code(outcome: anyhow::Result<wasio_host::Exit>) -> i32 {
    let error = match outcome {
        Ok(exit) => return exit.code(),
        Err(error) => error,
    };
    if let Some(Error::Trap(trap)) = error.downcast_ref() {
        let full = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value == "full");
        say(format_args!("{}", trap::describe(trap, full)));
        return ABORTED.into();
    }
    say(format_args!("{error:#}"));
    match error.downcast_ref() {
        Some(Error::TimedOut(_)) => TIMED_OUT.into(),
        _ => USAGE.into(),
    }
}
