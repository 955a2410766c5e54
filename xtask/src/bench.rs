//! `cargo xtask bench`: wasio beside its peers, in one run, interleaved, medians and ratios.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use xtask::cargo;
use xtask::engine::{Engine, Runner};
use xtask::report::Steps;

mod chart;
mod client;
mod echo;
mod executor;
mod host;
mod imports;
mod machine;
mod programs;
mod row;
mod size;
mod suspend;

use programs::Programs;
use row::Row;

/// Options of the benchmark.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to measure.
    #[arg(value_enum, default_value = "quick")]
    group: Group,
    /// Write the rows as JSON to this file, or without a name to standard output.
    #[arg(long, value_name = "FILE", num_args = 0..=1, default_missing_value = "-")]
    json: Option<PathBuf>,
    /// Measure less of it, for less than a minute, and write no page.
    #[arg(long)]
    quick: bool,
    /// Measure nothing: make the page and its charts again from figures that an earlier run left in docs/bench.
    #[arg(long)]
    page: bool,
}

/// A set of figures.
#[derive(Clone, Copy, ValueEnum)]
enum Group {
    /// Executor, echo and size, each for a few seconds.
    Quick,
    /// Waiting in the guest against waiting outside of it: the same sessions in four ways.
    Suspend,
    /// What an import call, a suspension and a guest's start cost.
    Imports,
}

/// What must hold, with the figure found.
struct Bound {
    what: String,
    holds: bool,
}

impl Args {
    /// Whether standard output is left to the JSON.
    fn quiet(&self) -> bool {
        self.json.as_ref().is_some_and(|file| file.as_os_str() == "-")
    }

    fn finish(&self, steps: &Steps, rows: &[Row], bounds: &[Bound]) -> Result<()> {
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
        Group::Quick => quick(&mut steps, &mut rows, &mut bounds)?,
        Group::Imports => {
            imports::measure(&mut steps, args.quick, &mut rows, &mut bounds)?;
            row::table(&rows).iter().for_each(|line| steps.say(line));
        }
        Group::Suspend if args.page => return suspend::page_again(),
        Group::Suspend => suspend::measure(&mut steps, args.quick, &mut rows, &mut bounds)?,
    }
    args.finish(&steps, &rows, &bounds)
}

fn quick(steps: &mut Steps, rows: &mut Vec<Row>, bounds: &mut Vec<Bound>) -> Result<()> {
    let mut engines = Vec::new();
    steps.run("the toolchain's WASI target", "build", |_| {
        Ok(((), cargo::ensure_targets(&[cargo::WASIP1])?))
    })?;
    for engine in [Engine::Wasio, Engine::Wasmedge] {
        let found = steps.run(&format!("the engine {}", engine.name()), "build", |progress| {
            let runner = Runner::get(engine, progress)?;
            let note = runner.as_ref().map_or("skipped: not found".into(), Runner::version);
            Ok((runner, note))
        })?;
        engines.extend(found);
    }
    let programs = steps.run("build the programs", "build", |progress| {
        Ok((Programs::build(progress)?, String::new()))
    })?;
    executor::measure(steps, &programs, &engines, rows, bounds)?;
    echo::measure(steps, &programs, &engines, rows)?;
    size::measure(&programs, rows, bounds)?;
    steps.say("");
    row::table(rows).iter().for_each(|line| steps.say(line));
    Ok(())
}
