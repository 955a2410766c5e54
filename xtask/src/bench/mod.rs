//! `cargo xtask bench`: wasio beside its peers, in one run, interleaved, medians and ratios.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xtask::engine::Engine;
use xtask::report::Steps;

mod chart;
mod client;
mod echo;
mod executor;
mod field;
mod host;
mod http;
mod imports;
mod machine;
mod measured;
mod memory;
mod network;
mod page;
mod programs;
mod redis;
mod row;
mod rules;
mod size;
mod standing;
mod start;
mod stream;
mod suspend;
mod tools;
mod turns;

use field::Field;
use machine::Machine;
use measured::Measured;
use row::Row;
use turns::turns;

/// Options of the benchmark.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// The group to measure.
    #[arg(value_enum, default_value = "quick")]
    group: Group,
    /// Measure only this engine and native tokio (repeatable). No page is written.
    #[arg(long, value_enum)]
    engine: Vec<On>,
    /// Write the rows as JSON to this file, or to standard output without a name.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Measure less, for a few minutes at most, and write no page.
    #[arg(long)]
    quick: bool,
    /// Measure nothing, and write the page and its charts again from the figures recorded in docs/bench.
    #[arg(long)]
    page: bool,
}

/// A set of figures.
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
    /// Waiting inside the guest and outside of it: the same sessions in four ways.
    Suspend,
    /// The cost of an import call, a suspension and a guest's start.
    Imports,
}

/// Where programs run, under the names that the rows have.
#[derive(Debug, Clone, Copy, ValueEnum)]
enum On {
    /// Guests of preview 1 under `wasio run`.
    WasioHost,
    /// Guests of preview 1 on WasmEdge, compiled ahead of time.
    WasmedgeAot,
    /// Guests of WASI 0.2 under `wasio run`.
    Wasip2,
    /// No engine.
    Native,
}

impl From<On> for Engine {
    fn from(on: On) -> Engine {
        match on {
            On::WasioHost => Engine::Wasio,
            On::WasmedgeAot => Engine::Wasmedge,
            On::Wasip2 => Engine::Wasip2,
            On::Native => Engine::Native,
        }
    }
}

/// How much is measured.
struct Scale {
    quick: bool,
    runs: usize,
    /// Of one figure of one run.
    milliseconds: u64,
}

impl Scale {
    /// How many turns each has whose server stands ready, and of how many milliseconds.
    fn short_turns(&self) -> (usize, u64) {
        let shorter = if self.quick { 1 } else { 6 };
        (self.runs * shorter as usize, self.milliseconds / shorter)
    }

    /// The same for the page.
    fn short_turns_described(&self) -> String {
        let (runs, milliseconds) = self.short_turns();
        format!("{runs} runs, {milliseconds} ms each")
    }
}

const FULL: Scale = Scale { quick: false, runs: 5, milliseconds: 1500 };
const QUICK: Scale = Scale { quick: true, runs: 3, milliseconds: 200 };

/// What must hold, with the figure found.
#[derive(Debug, Clone, serde::Serialize, serde::Deserialize)]
struct Bound {
    what: String,
    holds: bool,
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
            row::table(&rows).iter().for_each(|line| steps.say(line));
        }
        Group::Suspend => suspend::measure(&mut steps, args.quick, &mut rows, &mut bounds)?,
        group => return compare(args, group, &mut steps),
    }
    args.finish(&steps, &rows, &bounds, 0)
}

/// Measures, and says how often, for the page.
type Measure = fn(&mut Field<'_>, &Scale, &mut Measured) -> Result<String>;

/// wasio beside its peers.
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
    let engines = args.engine.iter().map(|&on| on.into()).collect();
    let mut field = Field::new(steps, engines)?;
    let (mut rows, mut bounds, mut skipped) = (Vec::new(), Vec::new(), 0);
    for (_, name, measure) in groups.iter().filter(|(one, ..)| is_wanted(*one)) {
        let machine = Machine::now();
        let mut measured = Measured::default();
        let runs = measure(&mut field, &scale, &mut measured)?;
        let part = page::Part {
            machine: machine.measured(&field.network.described),
            engines: field.versions.clone(),
            runs,
            skipped: std::mem::take(&mut field.skipped),
            rows: measured.rows(),
            bounds: [std::mem::take(&mut field.bounds), rules::judge(&measured)].concat(),
        };
        field.steps.say("");
        row::table(&part.rows).iter().for_each(|line| field.steps.say(line));
        field.steps.say("");
        rows.extend(part.rows.iter().cloned());
        bounds.extend(part.bounds.iter().cloned());
        skipped += part.skipped.len();
        if !scale.quick && args.engine.is_empty() {
            page::add(name, part)?;
            field.steps.say("  docs/bench/README.md has it now.");
        }
    }
    args.finish(steps, &rows, &bounds, skipped)
}
