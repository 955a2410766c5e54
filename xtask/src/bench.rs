//! `cargo xtask bench`: wasio beside its peers, in one run, interleaved, medians and ratios.

use anyhow::{Result, bail};
use clap::ValueEnum;
use xtask::cargo;
use xtask::engine::{Engine, Runner};
use xtask::report::Steps;

mod echo;
mod executor;
mod programs;
mod row;
mod size;

use programs::Programs;

/// Options of the benchmark.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// What to measure.
    #[arg(value_enum, default_value = "quick")]
    group: Group,
    /// Print the rows as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// A set of figures.
#[derive(Clone, Copy, ValueEnum)]
enum Group {
    /// Executor, echo and size, each for a few seconds.
    Quick,
}

/// What must hold, with the figure found.
struct Bound {
    what: String,
    holds: bool,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let Group::Quick = args.group;
    let mut steps = Steps::new(args.json);
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

    let mut rows = Vec::new();
    let mut bounds = Vec::new();
    executor::measure(&mut steps, &programs, &engines, &mut rows, &mut bounds)?;
    echo::measure(&mut steps, &programs, &engines, &mut rows)?;
    size::measure(&programs, &mut rows, &mut bounds)?;

    steps.say("");
    row::table(&rows).iter().for_each(|line| steps.say(line));
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    steps.say("");
    for bound in &bounds {
        steps.say(&format!("  {:6} {}", if bound.holds { "holds" } else { "MISSED" }, bound.what));
    }
    let missed = bounds.iter().filter(|bound| !bound.holds).count();
    if missed > 0 {
        bail!("{missed} of {} bounds missed", bounds.len());
    }
    Ok(())
}
