//! The cost of an import call, a suspension, a guest's start and a suspended guest, with bounds.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::process::Running;
use xtask::report::Steps;

use crate::bench::measure::host::Host;
use crate::bench::measure::row::Bound;
use crate::bench::measure::row::{Row, median};

const RUNS: usize = 5;
const LIMIT: Duration = Duration::from_secs(120);
/// The page of its own memory that each suspended guest has touched.
const TOUCHED: f64 = 4096.0;

/// Name, unit, the unit's size in what the program prints, and the bound in that unit.
const FIGURES: [(&str, &str, f64, Option<f64>); 6] = [
    ("plain_import", "ns", 1.0, None),
    ("ready_async_import", "ns", 1.0, Some(60.0)),
    ("suspension", "ns", 1.0, Some(1000.0)),
    ("start_and_end", "us", 1e3, Some(100.0)),
    ("start_among_many", "us", 1e3, Some(100.0)),
    ("suspended_memory", "KiB", 1024.0, Some(64.0)),
];

pub(crate) fn measure(
    steps: &mut Steps,
    quick: bool,
    rows: &mut Vec<Row>,
    bounds: &mut Vec<Bound>,
) -> Result<()> {
    let host = steps
        .run("build the host", "build", |progress| Ok((Host::build(progress)?, String::new())))?;
    let runs = if quick { 2 } else { RUNS };
    rows.extend(steps.run("imports, suspensions, starts", "wasio", |progress| {
        Ok((run(&host.imports, runs, progress)?, format!("{runs} runs")))
    })?);
    for (row, (name, unit, _, bound)) in rows.iter().zip(FIGURES) {
        if let Some(bound) = bound {
            let what = format!("{name}: {:.1} {unit}, at most {bound} wanted", row.value);
            bounds.push(Bound { what, holds: row.value <= bound });
        }
    }
    Ok(())
}

/// The figures' rows, in their order.
pub(crate) fn run(program: &Path, runs: usize, progress: &dyn Fn(&str)) -> Result<Vec<Row>> {
    let mut found: BTreeMap<String, Vec<f64>> = BTreeMap::new();
    for run in 0..runs {
        progress(&format!("run {} of {runs}", run + 1));
        let done =
            Running::spawn("imports", &mut Command::new(program))?.finish(LIMIT)?.success()?;
        for line in done.stdout.lines() {
            let (name, value) = line.split_once(' ').context("a line has a name and a value")?;
            found.entry(name.to_owned()).or_default().push(value.parse()?);
        }
    }
    let row = |(name, unit, size, _): (&str, &str, f64, Option<f64>)| {
        let runs = found.get(name).with_context(|| format!("the program printed no {name}"))?;
        let (mut value, spread) = median(runs);
        if name == "suspended_memory" {
            value -= TOUCHED;
        }
        Ok(Row {
            group: "imports".to_owned(),
            bench: name.to_owned(),
            engine: "wasio-host".to_owned(),
            runtime: "bare".to_owned(),
            params: serde_json::json!({}),
            value: value / size,
            unit: unit.to_owned(),
            ratio_native: None,
            spread,
            wasio_ahead: None,
        })
    };
    FIGURES.into_iter().map(row).collect()
}
