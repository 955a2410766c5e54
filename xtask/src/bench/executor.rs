//! Spawn and join, yield, and two tasks over channels: wasio and tokio in the same engine.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail};
use xtask::engine::Runner;
use xtask::report::Steps;

use super::row::{Row, engine_name, median};
use super::{Bound, Programs};

const RUNS: usize = 5;
const LIMIT: Duration = Duration::from_secs(120);
const FIGURES: [&str; 4] = ["spawn_join", "spawn_join_task", "yield", "mpsc"];
/// Spawn and join must be at least this much faster than tokio in the same engine.
const SPAWN_JOIN_AT_LEAST: f64 = 4.0;

/// One program on one engine.
struct Contender<'a> {
    runner: &'a Runner,
    runtime: &'static str,
    program: std::path::PathBuf,
    runs: BTreeMap<String, Vec<f64>>,
}

pub(super) fn measure(
    steps: &mut Steps,
    programs: &Programs,
    engines: &[Runner],
    rows: &mut Vec<Row>,
    bounds: &mut Vec<Bound>,
) -> Result<()> {
    let native = Runner::native();
    let mut contenders = Vec::new();
    let mut contend = |runner, runtime, program: &Path| -> Result<()> {
        let program = Runner::prepare(runner, program)?;
        contenders.push(Contender { runner, runtime, program, runs: BTreeMap::new() });
        Ok(())
    };
    contend(&native, "tokio", &programs.executor_native)?;
    for engine in engines {
        contend(engine, "wasio", &programs.executor_wasio)?;
        contend(engine, "tokio", &programs.executor_tokio)?;
    }

    steps.run("executor: spawn+join, yield, mpsc", "all", |progress| {
        // Interleaved, so that a slow moment of the machine hits all of them.
        for run in 0..RUNS {
            for contender in &mut contenders {
                progress(&format!("run {} of {RUNS}: {}", run + 1, contender.runtime));
                contender.run()?;
            }
        }
        Ok(((), format!("{RUNS} runs")))
    })?;

    for figure in FIGURES {
        let natively = contenders[0].median(figure)?.0;
        for contender in &contenders {
            let (value, spread) = contender.median(figure)?;
            rows.push(Row {
                group: "executor".to_owned(),
                bench: figure.to_owned(),
                engine: engine_name(contender.runner.engine()).to_owned(),
                runtime: contender.runtime.to_owned(),
                params: serde_json::json!({}),
                value,
                unit: "ns".to_owned(),
                ratio_native: Some(value / natively),
                spread,
            });
        }
        for pair in contenders[1..].chunks_exact(2) {
            let times = pair[1].median(figure)?.0 / pair[0].median(figure)?.0;
            let engine = engine_name(pair[0].runner.engine());
            let what = format!("{figure} on {engine}: {times:.1}x as fast as tokio");
            let needed = if figure == "spawn_join" { SPAWN_JOIN_AT_LEAST } else { 0.0 };
            if needed > 0.0 {
                let what = format!("{what}, at least {needed}x wanted");
                bounds.push(Bound { what, holds: times >= needed });
            } else {
                steps.say(&format!("       {what}"));
            }
        }
    }
    Ok(())
}

impl Contender<'_> {
    fn run(&mut self) -> Result<()> {
        let launch = self.runner.launch(&self.program);
        let done = launch.spawn(self.runtime)?.finish(LIMIT)?.success()?;
        for line in done.stdout.lines() {
            let (figure, value) = line.split_once(' ').context("a line has a name and a value")?;
            self.runs.entry(figure.to_owned()).or_default().push(value.trim().parse()?);
        }
        Ok(())
    }

    fn median(&self, figure: &str) -> Result<(f64, f64)> {
        match self.runs.get(figure) {
            Some(runs) => Ok(median(runs)),
            None => bail!("{} printed no {figure}", self.runtime),
        }
    }
}
