//! `wasio fleet`: many copies of a guest at a time, with a live view and a summary.
//!
//! Every copy gets the same grants and its own number. All copies are futures on one runtime, and the thread is free
//! for others whenever a copy waits.

mod output;
mod process;
mod summary;
mod tally;
mod view;

use std::num::NonZeroU32;
use std::pin::pin;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::task::JoinSet;
use wasio_host::{Engine, Program, Stats};

use crate::run::guest::{GuestArgs, Setup};
use crate::run::notes::{self, NOTES};
use crate::run::{USAGE, interrupted, say_of};
use output::{Errors, Lines, STDOUT, Tail};
use summary::{Summary, printable_json};
use tally::{Tally, Watched};
use view::View;

/// The variable with a guest's number, from 0.
const INDEX: &str = "WASIO_FLEET_INDEX";
/// The variable with the number of guests.
const COUNT: &str = "WASIO_FLEET_COUNT";
/// The number of guests that fit into the addresses and mappings that Linux gives a process.
const AT_ONCE: u32 = 10_000;
/// The exit code if a guest failed.
const FAILED: u8 = 1;
/// The interval between redraws of the view.
const FRAME: Duration = Duration::from_millis(100);

/// Run many copies of a guest on one thread
///
/// Each copy gets what `wasio run` would give it, an empty standard input, and its number, counted from 0, in the
/// variable WASIO_FLEET_INDEX. WASIO_FLEET_COUNT holds the number of copies. Output of the copies is dropped unless
/// --output is given.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "wasio fleet [OPTIONS] FILE [--] [ARGS]...",
    after_help = "\
Exit status:
  0    every guest exited with 0
  1    at least one guest did not
  2    the usage is wrong, or FILE cannot be run
  130  interrupted (Ctrl-C); guests that were still running were ended
  143  terminated (SIGTERM), in the same way"
)]
pub(crate) struct Args {
    /// The number of copies
    #[arg(long, short = 'n', value_name = "N", default_value = "100")]
    count: NonZeroU32,

    /// The number of copies that run at a time [default: all, at most 10000]
    #[arg(long, short = 'c', value_name = "K")]
    concurrency: Option<NonZeroU32>,

    /// The number of threads
    #[arg(long, value_name = "T", default_value = "1")]
    threads: NonZeroU32,

    /// Print the guests' output, each line with its guest's number in front and control characters escaped
    #[arg(long, conflicts_with = "json")]
    output: bool,

    /// Print only the summary, as JSON on standard output
    #[arg(long)]
    json: bool,

    #[command(flatten)]
    guest: GuestArgs,
}

/// The state shared by all copies.
struct Fleet {
    program: Program,
    setup: Setup,
    count: u32,
    output: bool,
    tally: Tally,
}

/// Runs the fleet and exits the process with its exit code.
pub(crate) fn run(args: &Args) -> ExitCode {
    let code = match prepare(args) {
        Ok((fleet, runtime)) => {
            let code = runtime.block_on(sail(args, &fleet));
            runtime.shutdown_background();
            code
        }
        Err(error) => {
            say_of(args.guest.file(), &error);
            USAGE
        }
    };
    NOTES.settle();
    // Threads may be blocked in a name lookup. They are not awaited.
    std::process::exit(code.into())
}

fn concurrency(args: &Args) -> u32 {
    args.concurrency.map_or(AT_ONCE, NonZeroU32::get).min(args.count.get())
}

fn prepare(args: &Args) -> anyhow::Result<(Arc<Fleet>, tokio::runtime::Runtime)> {
    process::raise_open_files();
    let fleet = Fleet {
        program: args.guest.program(Engine::builder().pool(concurrency(args)))?,
        setup: args.guest.setup()?,
        count: args.count.get(),
        output: args.output,
        tally: Tally::default(),
    };
    let runtime = match args.threads.get() as usize {
        1 => tokio::runtime::Builder::new_current_thread().enable_all().build()?,
        threads => tokio::runtime::Builder::new_multi_thread()
            .worker_threads(threads)
            .enable_all()
            .build()?,
    };
    Ok((Arc::new(fleet), runtime))
}

/// Runs all copies. Returns the exit code.
async fn sail(args: &Args, fleet: &Arc<Fleet>) -> u8 {
    let begun = Instant::now();
    let mut view = View::new(fleet.count, args.output, args.json);
    let mut frame = tokio::time::interval(FRAME);
    let mut end = pin!(interrupted());
    let mut guests = JoinSet::new();
    let mut next = 0;
    let stopped = loop {
        while next < fleet.count && guests.len() < concurrency(args) as usize {
            guests.spawn(one(fleet.clone(), next));
            next += 1;
        }
        tokio::select! {
            biased;
            code = &mut end => break Some(code),
            _ = frame.tick() => view.show(&fleet.tally),
            ended = guests.join_next() => match ended {
                None => break None,
                Some(Err(crash)) if crash.is_panic() => std::panic::resume_unwind(crash.into_panic()),
                Some(_) => {}
            },
        }
    };
    guests.shutdown().await;
    let wall = begun.elapsed();
    view.finish();
    let summary = Summary::new(&fleet.tally, fleet.count, wall, stopped.is_some());
    // Guests wait for the reader of their output until they exit. Their remaining output does too, unless the fleet is
    // stopped.
    let stopped = match summary.failed() || stopped.is_some() {
        true => {
            STDOUT.settle();
            stopped
        }
        false => tokio::select! {
            _ = tokio::task::spawn_blocking(|| STDOUT.finish()) => None,
            code = &mut end => Some(code),
        },
    };
    fleet.setup.refusals.sum_up(summary.ends.totals.unreported_refusals);
    if args.json {
        println!("{}", printable_json(&summary.json()));
    } else {
        notes::write(summary.text());
    }
    match stopped {
        Some(code) => code,
        None if summary.succeeded() => 0,
        None => FAILED,
    }
}

/// Runs one copy, from its start to its end.
async fn one(fleet: Arc<Fleet>, index: u32) {
    let (stats, tail) = (Stats::new(), Tail::default());
    let mut guest = fleet
        .setup
        .guest(&fleet.program)
        .env(INDEX, index.to_string())
        .env(COUNT, fleet.count.to_string())
        .stats(&stats);
    if fleet.output {
        guest = guest.stdout_to(Lines::stdout(index));
    }
    let lines = fleet.output.then(|| Lines::stderr(index));
    guest = guest.stderr_to(Errors { tail: tail.clone(), lines });
    let life = fleet.tally.started();
    let outcome = match guest.build() {
        Ok(guest) => Watched::new(Box::pin(guest.run()), &fleet.tally).await,
        Err(error) => Err(error),
    };
    fleet.tally.ended(index, outcome, &stats.snapshot(), &tail.text());
    drop(life);
}
