//! `cargo xtask bench`: compares wasio with its peers in one run, in alternation, by medians and ratios.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xtask::platform::Platform;
use xtask::report::Steps;

mod groups;
mod measure;
mod report;

use groups::{echo, executor, http, imports, memory, redis, size, start, stream, suspend};
use measure::machine::Machine;
use measure::results::Results;
use measure::row::{Bound, Row};
use measure::scale::{FULL, QUICK, Scale};
use measure::session::Session;
use report::{page, rules, text};

/// Options of the benchmark.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The group to measure.
    #[arg(value_enum, default_value = "quick")]
    group: Group,
    /// Measure only this engine and native tokio (repeatable). No page is written.
    #[arg(long, value_parser = Platform::bench_parser())]
    engine: Vec<Platform>,
    /// Write the rows as JSON to this file, or to standard output without a name.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Measure for a few minutes at most, and write no page.
    #[arg(long)]
    quick: bool,
    /// Rewrite the page and its charts from the figures recorded in docs/bench, without measuring.
    #[arg(long)]
    page: bool,
}

/// A group of benchmarks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Group {
    /// `executor`, `echo` and `size` with `--quick`.
    Quick,
    /// Everything in docs/bench/README.md: all groups except `suspend` and `imports`.
    All,
    /// Tasks, wakes, channels, timers.
    Executor,
    /// A TCP echo server under load, with and without idle connections.
    Echo,
    /// One gigabyte through one connection.
    Stream,
    /// mini-redis under redis-benchmark, and a client against redis-server.
    Redis,
    /// Servers of hyper and axum under wrk, and hyper's client.
    Http,
    /// The size of stripped guests.
    Size,
    /// The time from a guest's start to its first answer.
    Start,
    /// The memory of an idle connection and of a waiting task.
    Memory,
    /// The same sessions suspended in four ways, inside the guest and outside.
    Suspend,
    /// The cost of an import call, a suspension and a guest's start.
    Imports,
}

impl Args {
    /// Whether standard output is left to the JSON.
    fn quiet(&self) -> bool {
        self.json.as_ref().is_some_and(|file| file.as_os_str() == "-")
    }

    fn finish(&self, steps: &Steps, rows: &[Row], bounds: &[Bound], skipped: usize) -> Result<()> {
        let json = || serde_json::to_string_pretty(rows);
        match &self.json {
            None => {}
            Some(_) if self.quiet() => println!("{}", json()?),
            Some(file) => std::fs::write(file, json()? + "\n")
                .with_context(|| format!("write {}", file.display()))?,
        }
        steps.say("");
        for bound in bounds {
            let word = if bound.holds { "holds" } else { "MISSED" };
            steps.say(&format!("  {word:6} {}", bound.what));
        }
        if skipped > 0 {
            steps.say(&format!("\n  {skipped} SKIPPED: see above"));
        }
        let missed = bounds.iter().filter(|bound| !bound.holds).count();
        if missed > 0 {
            bail!("{missed} of {} bounds missed", bounds.len());
        }
        Ok(())
    }
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::new(args.quiet());
    let (mut rows, mut bounds) = (Vec::new(), Vec::new());
    match args.group {
        Group::Suspend if args.page => return suspend::page_again(),
        _ if args.page => return page::write_again(),
        Group::Imports => {
            imports::measure(&mut steps, args.quick, &mut rows, &mut bounds)?;
            text::table(&rows).iter().for_each(|line| steps.say(line));
        }
        Group::Suspend => suspend::measure(&mut steps, args.quick, &mut rows, &mut bounds)?,
        group => return compare(args, group, &mut steps),
    }
    args.finish(&steps, &rows, &bounds, 0)
}

/// Measures a group. Returns the description of its runs for the page.
type Measure = fn(&mut Session<'_>, &Scale, &mut Results) -> Result<String>;

/// Runs the benchmark.
fn compare(args: &Args, group: Group, steps: &mut Steps) -> Result<()> {
    let groups: &[(Group, &str, Measure)] = &[
        (Group::Executor, "executor", executor::measure),
        (Group::Echo, "echo", echo::measure),
        (Group::Stream, "stream", stream::measure),
        (Group::Redis, "redis", redis::measure),
        (Group::Http, "http", http::measure),
        (Group::Size, "size", size::measure),
        (Group::Start, "start", start::measure),
        (Group::Memory, "memory", memory::measure),
    ];
    let is_wanted = |one: Group| match group {
        Group::All => true,
        Group::Quick => matches!(one, Group::Executor | Group::Echo | Group::Size),
        _ => one == group,
    };
    let scale = if args.quick || group == Group::Quick { QUICK } else { FULL };
    let mut session = Session::new(steps, args.engine.clone())?;
    let (mut rows, mut bounds, mut skipped) = (Vec::new(), Vec::new(), 0);
    for (_, name, measure) in groups.iter().filter(|(one, ..)| is_wanted(*one)) {
        let machine = Machine::now();
        let mut results = Results::default();
        let runs = measure(&mut session, &scale, &mut results)?;
        let part = page::Part {
            machine: machine.measured(&session.network.described),
            engines: session.versions.clone(),
            runs,
            skipped: std::mem::take(&mut session.skipped),
            rows: results.rows(),
            bounds: [std::mem::take(&mut session.bounds), rules::judge(&results)].concat(),
        };
        session.steps.say("");
        text::table(&part.rows).iter().for_each(|line| session.steps.say(line));
        session.steps.say("");
        rows.extend(part.rows.iter().cloned());
        bounds.extend(part.bounds.iter().cloned());
        skipped += part.skipped.len();
        if !scale.quick && args.engine.is_empty() {
            page::add(name, part)?;
            session.steps.say("  docs/bench/README.md has it now.");
        }
    }
    args.finish(steps, &rows, &bounds, skipped)
}
