//! The cost of tasks, wakes, channels and timers, in nanoseconds. There are no sockets, so more runtimes can take part.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::platform::Platform::{self, Native, Wasio, Wasip2, Wasmedge};
use xtask::workspace;

use crate::bench::measure::programs::Program;
use crate::bench::measure::results::Results;
use crate::bench::measure::rounds::interleave;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::session::{Entry, Session};

const GROUP: &str = "executor";
const LIMIT: Duration = Duration::from_secs(300);
/// A figure has shorter runs than in other groups by `PART`, and more of them by `OFTENER`: with five runs of a quarter
/// of a second, a ratio was known to 2 %.
const PART: u64 = 18;
const OFTENER: usize = 3;

/// The alignment of allocations in bytes, and the number of offsets to try. The offset of two allocations changes a
/// figure by some percent, and is the same in every run of a program with the same environment.
const ALIGNED: usize = 16;
const PADDINGS: usize = 64;

/// The contenders, on each engine.
fn entries() -> Vec<Entry> {
    let mut entries = vec![Entry::new(Native, "tokio", Program::native("tokio", "executor"))];
    let guest = |platform: Platform, folder| match platform {
        Wasip2 => Program::wasip2(folder, "executor"),
        _ => Program::wasip1(folder, "executor"),
    };
    for platform in [Wasio, Wasmedge, Wasip2] {
        for runtime in ["wasio", "tokio", "smol", "bare"] {
            entries.push(Entry::new(platform, runtime, guest(platform, runtime)));
        }
        if platform == Wasmedge {
            entries.push(Entry::new(platform, "tokio_wasi", guest(platform, "tokio-wasi")));
        }
    }
    entries
}

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    let mut candidates = session.enter(GROUP, &entries())?;
    let milliseconds = (scale.milliseconds / PART).to_string();
    let runs = if scale.quick { scale.runs } else { scale.runs * OFTENER };
    let step = "executor: tasks, wakes, channels, timers";
    let mut run = 0;
    interleave(session, GROUP, step, runs, &mut candidates, results, |who, results| {
        let program = Copied::new(&who.program)?;
        run += 1;
        // Shifts the program's allocations in each run.
        let padding = "x".repeat(ALIGNED * (run % PADDINGS));
        let mut launch = who.runner.launch(&program.0).arg(&milliseconds).env("PAD", &padding);
        if let Wasio | Wasip2 = who.entry.platform {
            launch = launch.option("--no-cache");
        }
        let done = launch.spawn(who.entry.runtime)?.finish(LIMIT)?.success()?;
        for line in done.stdout.lines() {
            let (bench, params, value) = parse(line).context("a line has a name and a value")?;
            results.add(GROUP, bench, &params, "ns", who, value);
        }
        Ok(())
    })?;
    Ok(format!("{runs} runs, {milliseconds} ms each"))
}

/// A copy of a program, for one run. A file stays in the same pages of memory as long as the system caches it, and
/// their place matters: a channel's round trip took 56 ns instead of 35 in all runs of one half hour, with the same
/// code at the same addresses.
struct Copied(PathBuf);

impl Copied {
    fn new(program: &Path) -> Result<Copied> {
        let name = program.file_name().context("a program has a name")?;
        let copied = Copied(workspace::scratch("once")?.join(name));
        std::fs::copy(program, &copied.0).with_context(|| format!("copy {}", program.display()))?;
        Ok(copied)
    }
}

impl Drop for Copied {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A line `NAME VALUE`, or `timers/NUMBER VALUE`.
fn parse(line: &str) -> Option<(&str, serde_json::Value, f64)> {
    let (name, value) = line.split_once(' ')?;
    let value = value.trim().parse().ok()?;
    Some(match name.split_once('/') {
        None => (name, serde_json::json!({}), value),
        Some((name, number)) => {
            (name, serde_json::json!({ name: number.parse::<u64>().ok()? }), value)
        }
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::parse;

    #[test]
    fn lines() {
        assert_eq!(parse("wake 12.50"), Some(("wake", json!({}), 12.5)));
        assert_eq!(parse("timers/1000 7"), Some(("timers", json!({ "timers": 1000 }), 7.0)));
        assert_eq!(parse("wake"), None);
        assert_eq!(parse("wake fast"), None);
    }
}
