//! `docs/bench/README.md` and its charts, made from `docs/bench/bench.json`: each group as it was last measured.

mod headline;
mod tables;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xtask::platform::Platform;
use xtask::workspace;

use super::chart::{Chart, Line};
use crate::bench::measure::machine::Machine;
use crate::bench::measure::row::{Bound, Row};

/// One group, measured in one run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Part {
    pub(crate) machine: Machine,
    pub(crate) engines: Vec<String>,
    /// The number of runs, and the length or size of each.
    pub(crate) runs: String,
    pub(crate) skipped: Vec<String>,
    pub(crate) rows: Vec<Row>,
    pub(crate) bounds: Vec<Bound>,
}

type Parts = BTreeMap<String, Part>;

/// The groups in order, with a description of each.
const GROUPS: [(&str, &str, &str); 8] = [
    ("executor", "Tasks, wakes, channels, timers", include_str!("executor.md")),
    ("echo", "A TCP echo server", include_str!("echo.md")),
    ("stream", "One stream", include_str!("stream.md")),
    ("redis", "Redis", include_str!("redis.md")),
    ("http", "HTTP", include_str!("http.md")),
    ("size", "Size of a guest", include_str!("size.md")),
    ("start", "Start of a guest", include_str!("start.md")),
    ("memory", "Memory", include_str!("memory.md")),
];

fn folder() -> Result<PathBuf> {
    let folder = workspace::root().join("docs/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

fn read() -> Result<Parts> {
    let file = folder()?.join("bench.json");
    match std::fs::read_to_string(&file) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("read {}", file.display())),
        Err(_) => Ok(Parts::new()),
    }
}

/// Replaces the recorded figures of a group.
pub(crate) fn add(group: &str, part: Part) -> Result<()> {
    let mut parts = read()?;
    parts.insert(group.to_owned(), part);
    std::fs::write(folder()?.join("bench.json"), serde_json::to_string_pretty(&parts)? + "\n")?;
    write(&parts)
}

/// Rewrites the page and its charts.
pub(crate) fn write_again() -> Result<()> {
    write(&read()?)
}

fn write(parts: &Parts) -> Result<()> {
    let folder = folder()?;
    for (group, part) in parts {
        for (name, chart) in charts(group, &part.rows) {
            chart.draw(&folder.join(name))?;
        }
    }
    std::fs::write(folder.join("README.md"), render(parts))?;
    Ok(())
}

fn render(parts: &Parts) -> String {
    let rows = parts.values().flat_map(|part| &part.rows);
    let mut text = include_str!("head.md").replace("HEADLINE\n", &headline::table(rows));
    for (group, title, about) in GROUPS {
        let Some(part) = parts.get(group) else { continue };
        _ = write!(text, "\n## {title}\n\n{about}\n");
        for (name, chart) in charts(group, &part.rows) {
            _ = write!(text, "![{}]({name})\n\n", chart.title);
        }
        text.push_str(&tables::tables(&part.rows));
        text.push_str(&bounds(&part.bounds));
        for what in &part.skipped {
            _ = writeln!(text, "Not measured: {what}.\n");
        }
        text.push_str(&measured_on(group, part));
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

fn measured_on(group: &str, part: &Part) -> String {
    let Machine { date, commit, processor, cores, memory, system, .. } = &part.machine;
    let Machine { rustc, wasmtime, tokio, network, load_before, load_after, .. } = &part.machine;
    let engines: String = part.engines.iter().map(|engine| format!(", {engine}")).collect();
    let runs = &part.runs;
    format!(
        "Measured {date} at commit {commit} with `cargo xtask bench {group}`: {processor}, {cores} processors, \
         {memory}, {system}, {network}; {rustc}, wasmtime {wasmtime}, tokio {tokio}{engines}; {runs}; the machine's load was {load_before} before and {load_after} after.\n"
    )
}

fn bounds(bounds: &[Bound]) -> String {
    let missed: Vec<&Bound> = bounds.iter().filter(|bound| !bound.holds).collect();
    let held = bounds.len() - missed.len();
    let mut text = format!("Of {} bounds {held} hold", bounds.len());
    if missed.is_empty() {
        return text + ".\n\n";
    }
    text.push_str("; missed:\n\n");
    for bound in missed {
        _ = writeln!(text, "- {}", bound.what);
    }
    text + "\n"
}

/// Lines over a number that grows tenfold, a chart for each engine beside native tokio.
fn charts(group: &str, rows: &[Row]) -> Vec<(String, Chart)> {
    let mut charts = Vec::new();
    for platform in Platform::ALL.iter().filter(|one| one.is_guest()) {
        let engine = platform.bench();
        let mut draw = |name: &str, title: &str, (over, x, y), log, of: &dyn Fn(&Row) -> bool| {
            let of = |row: &&Row| (row.engine == engine || row.engine == "native") && of(row);
            let lines = lines(rows.iter().filter(of), over);
            if lines.iter().any(|line| !line.is_reference) {
                let place = platform.title().replace('`', "");
                let (title, x, y) = (format!("{title}, {place}"), String::from(x), y);
                let chart = Chart { title, x, y: String::from(y), log, lines };
                charts.push((format!("{name}-{engine}.svg"), chart));
            }
        };
        match group {
            "echo" => {
                let axes = ("connections", "busy connections", "answers per second");
                let busy = |row: &Row| row.params["idle"] == 0;
                draw("echo-connections", "Echo: busy connections", axes, false, &busy);
                let axes =
                    ("idle", "idle connections (none at the left end)", "answers per second");
                let ten = |row: &Row| row.params["connections"] == 10;
                draw("echo-idle", "Echo: 10 busy connections beside idle ones", axes, false, &ten);
            }
            "executor" => {
                let axes = ("timers", "timers", "ns for each");
                draw("executor-timers", "Timers armed and cancelled", axes, true, &|_| true);
            }
            _ => {}
        }
    }
    charts
}

/// A line for each runtime and engine that has more than one point.
fn lines<'a>(rows: impl Iterator<Item = &'a Row>, over: &str) -> Vec<Line> {
    let mut lines: Vec<Line> = Vec::new();
    for row in rows {
        let Some(x) = row.params[over].as_f64() else { continue };
        let is_reference = row.engine == "native";
        let name =
            if is_reference { format!("native {}", row.runtime) } else { row.runtime.clone() };
        // A logarithmic scale has no zero, so zero is drawn as one.
        let point = (x.max(1.0), row.value);
        match lines.iter_mut().find(|line| line.name == name) {
            Some(line) => line.points.push(point),
            None => lines.push(Line { name, points: vec![point], is_reference }),
        }
    }
    lines.retain(|line| line.points.len() > 1);
    for line in &mut lines {
        line.points.sort_by(|a, b| a.0.total_cmp(&b.0));
    }
    lines.sort_by_key(|line| (!line.is_reference, line.name != "wasio"));
    lines
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    pub(crate) fn row(
        bench: &str,
        engine: &str,
        runtime: &str,
        params: &serde_json::Value,
        value: f64,
    ) -> Row {
        Row {
            wasio_ahead: (runtime != "wasio").then_some(1.25),
            group: bench.into(),
            bench: bench.into(),
            engine: engine.into(),
            runtime: runtime.into(),
            params: params.clone(),
            value,
            unit: "req/s".into(),
            ratio_native: Some(0.5),
            spread: 0.02,
        }
    }

    pub(crate) fn echo(engine: &str, runtime: &str, idle: u64, value: f64) -> Row {
        row("echo", engine, runtime, &json!({ "connections": 10, "idle": idle }), value)
    }

    #[test]
    fn charts_need_two_points() {
        let rows = [echo("wasip2", "wasio", 0, 3.0), echo("wasip2", "wstd", 0, 1.0)];
        assert!(charts("echo", &rows).is_empty());
        let rows = [echo("wasip2", "wasio", 0, 3.0), echo("wasip2", "wasio", 1000, 1.0)];
        let charts = charts("echo", &rows);
        assert_eq!(charts.len(), 1);
        assert_eq!(charts[0].1.lines[0].points, [(1.0, 3.0), (1000.0, 1.0)]);
    }

    #[test]
    fn what_is_missed_is_listed() {
        let bound = |what: &str, holds| Bound { what: what.into(), holds };
        assert_eq!(bounds(&[bound("a", true)]), "Of 1 bounds 1 hold.\n\n");
        let text = bounds(&[bound("a", true), bound("b", false)]);
        assert_eq!(text, "Of 2 bounds 1 hold; missed:\n\n- b\n\n");
    }
}
