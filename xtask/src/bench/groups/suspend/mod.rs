//! The same sessions suspended in four ways, inside the guest and outside.
//!
//! The page describes the comparison. The page and its charts are made from figures in `docs/bench/suspend.json`, so
//! that they can be rewritten without measuring.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use xtask::platform::Platform;
use xtask::process::Running;
use xtask::report::Steps;
use xtask::workspace;

use super::imports;
use crate::bench::measure::client::{self, Figures};
use crate::bench::measure::host::Host;
use crate::bench::measure::machine::Machine;
use crate::bench::measure::programs::{Program, Programs};
use crate::bench::measure::row::Bound;
use crate::bench::measure::row::{Row, median};

mod page;

const LIMIT: Duration = Duration::from_secs(30);
/// The maximum for a thread per session. No program would use more.
const MOST_THREADS: usize = 1000;
/// Descriptors that a process has besides those of its sessions, and those of a runtime for each thread.
const OTHER_FILES: usize = 200;
const FILES_OF_A_THREAD: usize = 8;
/// A percentile needs ten answers beyond it.
const ENOUGH: f64 = 10.0;
/// With fewer sessions, the memory of a session is small compared with that of the process.
const ENOUGH_SESSIONS: usize = 1000;
/// The number of sessions for which bounds are set.
const BOUND_AT: usize = 1000;

/// A way of suspending sessions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Tasks,
    Suspended,
    Threads,
    Native,
}

impl Way {
    const ALL: [Way; 4] = [Way::Tasks, Way::Suspended, Way::Threads, Way::Native];

    fn name(self) -> &'static str {
        match self {
            Way::Tasks => "tasks",
            Way::Suspended => "suspended",
            Way::Threads => "threads",
            Way::Native => "native",
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Way::Tasks => "one guest, a task per session",
            Way::Suspended => "a suspended guest per session",
            Way::Threads => "a guest and a thread per session",
            Way::Native => "native tokio, a task per session",
        }
    }

    fn engine_and_runtime(self) -> (&'static str, &'static str) {
        match self {
            Way::Tasks => (Platform::Wasio.bench(), "wasio"),
            Way::Suspended | Way::Threads => (Platform::Wasio.bench(), "bare"),
            Way::Native => (Platform::Native.bench(), "tokio"),
        }
    }
}

/// The scale of a measurement.
struct Scale {
    sessions: &'static [usize],
    runs: usize,
    measure: Duration,
    think: Duration,
}

const FULL: Scale = Scale {
    sessions: &[1, 10, 100, 1000, 10_000],
    runs: 3,
    measure: Duration::from_secs(2),
    think: Duration::from_millis(500),
};
const QUICK: Scale = Scale {
    sessions: &[1, 100, 1000],
    runs: 1,
    measure: Duration::from_millis(500),
    think: Duration::from_millis(200),
};

/// The source of the page.
#[derive(Serialize, Deserialize)]
struct Report {
    machine: Machine,
    runs: usize,
    measured_ms: u64,
    think_ms: u64,
    /// The combinations that do not fit on this machine.
    skipped: Vec<String>,
    rows: Vec<Row>,
}

/// The programs.
struct Guests {
    /// The server that all sessions talk to.
    server: PathBuf,
    /// Sessions as tasks, in a guest and natively.
    tasks: PathBuf,
    native: PathBuf,
    /// A session as a guest in blocking style.
    blocking: PathBuf,
}

impl Guests {
    fn build(progress: &dyn Fn(&str)) -> Result<Guests> {
        let mut programs = Programs::default();
        let mut get = |program| programs.get(program, progress);
        Ok(Guests {
            server: get(Program::native("tokio", "echo").with("net"))?,
            tasks: get(Program::wasip1("wasio", "sessions"))?,
            native: get(Program::native("tokio", "sessions").with("net"))?,
            blocking: get(Program::wasip1("blocking", "blocking"))?,
        })
    }
}

/// One way with one number of sessions, and the results of its runs.
struct Cell {
    way: Way,
    sessions: usize,
    think: Duration,
    runs: Vec<Figures>,
}

pub(crate) fn measure(
    steps: &mut Steps,
    quick: bool,
    rows: &mut Vec<Row>,
    bounds: &mut Vec<Bound>,
) -> Result<()> {
    let host = steps
        .run("build the host", "build", |progress| Ok((Host::build(progress)?, String::new())))?;
    let programs = steps.run("build the programs", "build", |progress| {
        Ok((Guests::build(progress)?, String::new()))
    })?;
    let scale = if quick { QUICK } else { FULL };
    let (mut cells, skipped) = cells(&scale);
    for what in &skipped {
        steps.say(&format!("  SKIPPED {what}"));
    }
    let machine = Machine::now();
    for run in 0..scale.runs {
        // Interleaved, so that a slow moment of the machine hits all ways.
        for group in cells.chunk_by_mut(|a, b| a.sessions == b.sessions && a.think == b.think) {
            let (sessions, think) = (group[0].sessions, group[0].think.as_millis());
            let step = format!(
                "{sessions} sessions, thinking {think} ms, run {} of {}",
                run + 1,
                scale.runs
            );
            steps.run(&step, "all", |progress| {
                let mut rates = Vec::new();
                for cell in group {
                    progress(cell.way.name());
                    let found = cell.run(&host, &programs, scale.measure)?;
                    rates.push(format!(
                        "{} {:.0}/s",
                        cell.way.name(),
                        found.requests / found.took * 1e9
                    ));
                    cell.runs.push(found);
                }
                Ok(((), rates.join(", ")))
            })?;
        }
    }
    rows.extend(steps.run("imports, suspensions, starts", "wasio", |progress| {
        Ok((imports::run(&host.imports, scale.runs, progress)?, String::new()))
    })?);
    rows.extend(cells.iter().flat_map(|cell| cell.rows(&cells)));
    bounds.extend(bounds_of(rows));
    let report = Report {
        machine: machine.measured("the machine's loopback"),
        runs: scale.runs,
        measured_ms: scale.measure.as_millis() as u64,
        think_ms: scale.think.as_millis() as u64,
        skipped,
        rows: rows.clone(),
    };
    steps.say("");
    page::tables(&report).iter().for_each(|line| steps.say(line));
    if !quick {
        let folder = folder()?;
        let json = serde_json::to_string_pretty(&report)? + "\n";
        std::fs::write(folder.join("suspend.json"), json)?;
        page::write(&report, &folder)?;
        steps.say("\n  docs/bench/suspend.md and its charts are written.");
    }
    Ok(())
}

/// Rewrites the page.
pub(crate) fn page_again() -> Result<()> {
    let folder = folder()?;
    let file = folder.join("suspend.json");
    let text = std::fs::read_to_string(&file).with_context(|| {
        format!("read {}: `cargo xtask bench suspend` makes it", file.display())
    })?;
    page::write(&serde_json::from_str(&text)?, &folder)
}

fn folder() -> Result<PathBuf> {
    let folder = workspace::root().join("docs/bench");
    std::fs::create_dir_all(&folder)?;
    Ok(folder)
}

/// The combinations to measure, and those that do not fit on this machine.
fn cells(scale: &Scale) -> (Vec<Cell>, Vec<String>) {
    let files = client::open_files() as usize;
    let (mut cells, mut skipped) = (Vec::new(), Vec::new());
    for think in [Duration::ZERO, scale.think] {
        for &sessions in scale.sessions {
            for way in Way::ALL {
                if way == Way::Threads && sessions > MOST_THREADS {
                    continue;
                }
                let each = if way == Way::Threads { FILES_OF_A_THREAD } else { 1 };
                let needed = sessions * each + OTHER_FILES;
                if needed > files {
                    let what = format!(
                        "{sessions} sessions, {}: {needed} open files are needed, {files} allowed (ulimit -n)",
                        way.name()
                    );
                    if !skipped.contains(&what) {
                        skipped.push(what);
                    }
                    continue;
                }
                cells.push(Cell { way, sessions, think, runs: Vec::new() });
            }
        }
    }
    (cells, skipped)
}

impl Cell {
    fn run(&self, host: &Host, programs: &Guests, measure: Duration) -> Result<Figures> {
        let address = format!("127.0.0.1:{}", workspace::free_port()?);
        let server = Running::spawn("server", Command::new(&programs.server).arg(&address))?;
        server.line("listening", LIMIT)?;
        let guest = |program: &Path| {
            let mut command = Command::new(&host.sessions);
            command.arg(self.way.name()).arg(program);
            command
        };
        let mut client = match self.way {
            Way::Native => Command::new(&programs.native),
            Way::Tasks => {
                let mut command = Command::new(&host.wasio);
                command.args(["run", "--net", "all", "--"]).arg(&programs.tasks);
                command
            }
            Way::Suspended | Way::Threads => guest(&programs.blocking),
        };
        client.arg(&address).arg(self.sessions.to_string());
        client.args([self.think, measure].map(|time| time.as_millis().to_string()));
        let figures = client::run(self.way.name(), &mut client)?;
        server.stop()?;
        Ok(figures)
    }

    fn median(&self, of: impl Fn(&Figures) -> f64) -> (f64, f64) {
        median(&self.runs.iter().map(of).collect::<Vec<_>>())
    }

    /// The median of the runs' ratios. The figures of one run were measured right after each other.
    fn ratio(&self, to: &Cell, of: &dyn Fn(&Figures) -> f64) -> f64 {
        let ratios: Vec<f64> =
            self.runs.iter().zip(&to.runs).map(|(own, other)| of(own) / of(other)).collect();
        median(&ratios).0
    }

    fn rows(&self, all: &[Cell]) -> Vec<Row> {
        let n = self.sessions as f64;
        let like = |way: Way, sessions: usize| {
            all.iter().find(|c| c.way == way && c.sessions == sessions && c.think == self.think)
        };
        let native = like(Way::Native, self.sessions);
        let requests = self.median(|f| f.requests).0;
        let mut rows = Vec::new();
        let mut row = |bench: &str, unit: &str, of: &dyn Fn(&Figures) -> f64| {
            let (value, spread) = self.median(of);
            let (engine, runtime) = self.way.engine_and_runtime();
            rows.push(Row {
                group: "suspend".to_owned(),
                bench: bench.to_owned(),
                engine: engine.to_owned(),
                runtime: runtime.to_owned(),
                params: serde_json::json!({
                    "way": self.way.name(),
                    "sessions": self.sessions,
                    "think_ms": self.think.as_millis() as u64,
                }),
                value,
                unit: unit.to_owned(),
                ratio_native: native.map(|native| self.ratio(native, of)),
                spread,
                wasio_ahead: None,
            });
        };
        row("requests", "req/s", &|f| f.requests / f.took * 1e9);
        row("cpu_per_request", "us", &|f| f.cpu / f.requests / 1e3);
        row("latency_p50", "us", &|f| f.half / 1e3);
        if requests * 0.01 >= ENOUGH {
            row("latency_p99", "us", &|f| f.p99 / 1e3);
        }
        if requests * 0.001 >= ENOUGH {
            row("latency_p999", "us", &|f| f.p999 / 1e3);
        }
        row("setup_per_session", "us", &|f| f.setup / n / 1e3);
        row("resident", "MiB", &|f| f.resident / 1048576.0);
        // The cost of one more session.
        if let Some(one) = like(self.way, 1).filter(|_| self.sessions >= ENOUGH_SESSIONS) {
            let (one, _) = one.median(|f| f.resident);
            let (many, spread) = self.median(|f| f.resident);
            if let Some(mut last) = rows.last().cloned() {
                last.bench = "memory_per_session".to_owned();
                last.unit = "KiB".to_owned();
                (last.value, last.spread) = ((many - one) / (n - 1.0) / 1024.0, spread);
                last.ratio_native = native.zip(like(Way::Native, 1)).map(|(many, one)| {
                    let natively = many.median(|f| f.resident).0 - one.median(|f| f.resident).0;
                    last.value / (natively / (n - 1.0) / 1024.0)
                });
                rows.push(last);
            }
        }
        rows
    }
}

/// The row of a way.
fn find<'a>(
    rows: &'a [Row],
    bench: &str,
    way: Way,
    sessions: usize,
    think: u64,
) -> Option<&'a Row> {
    rows.iter().find(|row| {
        row.bench == bench
            && row.params["way"] == way.name()
            && row.params["sessions"] == sessions
            && row.params["think_ms"] == think
    })
}

/// Tasks in a guest against native tasks, both working all the time.
fn bounds_of(rows: &[Row]) -> Vec<Bound> {
    let ratio = |bench| find(rows, bench, Way::Tasks, BOUND_AT, 0)?.ratio_native;
    let mut bounds = Vec::new();
    if let Some(ratio) = ratio("requests") {
        let what = format!(
            "{BOUND_AT} tasks in a guest: {ratio:.2}x native requests/s, at least 0.8 wanted"
        );
        bounds.push(Bound { what, holds: ratio >= 0.8 });
    }
    if let Some(ratio) = ratio("cpu_per_request") {
        let what = format!(
            "{BOUND_AT} tasks in a guest: {ratio:.2}x native time per request, at most 1.5 wanted"
        );
        bounds.push(Bound { what, holds: ratio <= 1.5 });
    }
    bounds
}
