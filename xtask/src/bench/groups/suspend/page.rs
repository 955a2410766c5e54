//! The page and its charts, from rows.

use std::fmt::Write as _;
use std::path::Path;

use anyhow::Result;

use super::{Report, Way, find};
use crate::bench::report::chart::{Chart, Line, number};

/// A figure of the page: its row's name, heading, unit, and whether sessions think.
struct Figure {
    bench: &'static str,
    heading: &'static str,
    unit: &'static str,
    thinking: bool,
    /// The chart's file, and whether it grows tenfold.
    chart: Option<(&'static str, bool)>,
}

const FIGURES: [Figure; 10] = [
    figure("requests", "Requests per second", "req/s", false, Some(("suspend-requests.svg", true))),
    figure(
        "cpu_per_request",
        "Processor time per request",
        "µs",
        false,
        Some(("suspend-cpu.svg", false)),
    ),
    figure("latency_p50", "Latency, half of the answers", "µs", false, None),
    figure("latency_p99", "Latency, 99 % of the answers", "µs", false, None),
    figure("setup_per_session", "Set-up of a session", "µs", false, None),
    figure(
        "memory_per_session",
        "Memory per session",
        "KiB",
        true,
        Some(("suspend-memory.svg", true)),
    ),
    figure("cpu_per_request", "Processor time per request", "µs", true, None),
    figure(
        "latency_p50",
        "Latency, half of the answers",
        "µs",
        true,
        Some(("suspend-latency.svg", true)),
    ),
    figure("latency_p99", "Latency, 99 % of the answers", "µs", true, None),
    figure("latency_p999", "Latency, 99.9 % of the answers", "µs", true, None),
];

const fn figure(
    bench: &'static str,
    heading: &'static str,
    unit: &'static str,
    thinking: bool,
    chart: Option<(&'static str, bool)>,
) -> Figure {
    Figure { bench, heading, unit, thinking, chart }
}

/// Client and server alone make the load about 2.
const BUSY: f64 = 3.5;

impl Figure {
    fn think(&self, report: &Report) -> u64 {
        if self.thinking { report.think_ms } else { 0 }
    }

    /// A table's lines: heads, and a row for each number of sessions.
    fn table(&self, report: &Report) -> Vec<Vec<String>> {
        let mut table = vec![vec!["sessions".to_owned()]];
        table[0].extend(Way::ALL.map(|way| way.name().to_owned()));
        for sessions in sessions(report) {
            let cell = |way| match find(&report.rows, self.bench, way, sessions, self.think(report))
            {
                None => "–".to_owned(),
                Some(row) => {
                    let ratio = row.ratio_native.filter(|_| way != Way::Native);
                    let ratio = ratio.map_or(String::new(), |ratio| match ratio {
                        0.01.. => format!(" ({ratio:.2}x)"),
                        _ => " (<0.01x)".to_owned(),
                    });
                    let spread = match row.spread * 50.0 {
                        100.0.. => ">100".to_owned(),
                        spread => format!("{spread:.0}"),
                    };
                    format!("{} ±{spread}%{ratio}", number(row.value))
                }
            };
            let cells: Vec<String> = Way::ALL.map(cell).to_vec();
            if cells.iter().any(|cell| cell != "–") {
                table.push([vec![number(sessions as f64)], cells].concat());
            }
        }
        table
    }

    fn draw(&self, report: &Report, folder: &Path) -> Result<()> {
        let Some((file, log)) = self.chart else { return Ok(()) };
        let line = |way: Way| Line {
            name: way.describe().to_owned(),
            points: sessions(report)
                .filter_map(|n| {
                    let row = find(&report.rows, self.bench, way, n, self.think(report))?;
                    Some((n as f64, row.value))
                })
                .collect(),
            is_reference: way == Way::Native,
        };
        let lines = Way::ALL.map(line).into();
        let title = match self.thinking {
            false => format!("{}, no thinking", self.heading),
            true => format!("{}, {} ms to think", self.heading, report.think_ms),
        };
        let (x, y) = ("sessions".to_owned(), self.unit.to_owned());
        Chart { title, x, y, log, lines }.draw(&folder.join(file))
    }
}

fn sessions(report: &Report) -> impl Iterator<Item = usize> + '_ {
    let mut all: Vec<u64> =
        report.rows.iter().filter_map(|row| row.params["sessions"].as_u64()).collect();
    all.sort_unstable();
    all.dedup();
    all.into_iter().map(|n| n as usize)
}

/// The figures for a terminal.
pub(crate) fn tables(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for figure in &FIGURES {
        let think = figure.think(report);
        lines.push(format!("\n  {}, {}, thinking {think} ms", figure.heading, figure.unit));
        for row in figure.table(report) {
            let cells: Vec<String> = row[1..].iter().map(|cell| format!("{cell:>26}")).collect();
            lines.push(format!("  {:>8}{}", row[0], cells.concat()));
        }
    }
    lines
}

/// Writes the page and its charts.
pub(crate) fn write(report: &Report, folder: &Path) -> Result<()> {
    for figure in &FIGURES {
        figure.draw(report, folder)?;
    }
    std::fs::write(folder.join("suspend.md"), page(report)?)?;
    Ok(())
}

fn page(report: &Report) -> Result<String> {
    let mut page = format!("{}\n", include_str!("what.md").trim_end());
    for thinking in [false, true] {
        let (heading, what) = match thinking {
            false => (
                "Without thinking",
                "Each session sends its next request as soon as it has its answer.".to_owned(),
            ),
            true => {
                let think = report.think_ms;
                (
                    "With time to think",
                    format!(
                        "Each session pauses for {} to {} ms between an answer and the next request.",
                        think / 2,
                        think * 3 / 2
                    ),
                )
            }
        };
        writeln!(page, "\n## {heading}\n\n{what}")?;
        for figure in FIGURES.iter().filter(|figure| figure.thinking == thinking) {
            writeln!(page, "\n### {} ({})\n", figure.heading, figure.unit)?;
            for (n, row) in figure.table(report).iter().enumerate() {
                writeln!(page, "| {} |", row.join(" | "))?;
                if n == 0 {
                    writeln!(page, "|---:|{}", "---:|".repeat(row.len() - 1))?;
                }
            }
            if let Some((file, _)) = figure.chart {
                writeln!(page, "\n![{}]({file})", figure.heading)?;
            }
        }
    }
    writeln!(page, "\n## What a suspension costs\n\n| | median | |\n|---|---:|---|")?;
    for row in report.rows.iter().filter(|row| row.group == "imports") {
        let unit = if row.unit == "us" { "µs" } else { &row.unit };
        writeln!(page, "| {} | {} | {unit} |", row.bench.replace('_', " "), number(row.value))?;
    }
    writeln!(page, "\n{}", include_str!("method.md").trim_end())?;
    let m = &report.machine;
    let measured = report.measured_ms as f64 / 1e3;
    writeln!(
        page,
        "- {} runs of {measured} s, interleaved. Figures are medians, with half of the distance between the smallest\n  \
         and the largest. In brackets: times native tokio's figure.\n\
         - {}: {}, {} cores, {}, {}.\n\
         - Load of the machine when it began {}, at the end {} (the comparison itself is about 2).\n\
         - wasio {}, wasmtime {}, tokio {}, {}.",
        report.runs,
        m.date,
        m.processor,
        m.cores,
        m.memory,
        m.system,
        m.load_before,
        m.load_after,
        m.commit,
        m.wasmtime,
        m.tokio,
        m.rustc
    )?;
    if m.load_after.parse().is_ok_and(|load: f64| load > BUSY) {
        writeln!(
            page,
            "- **Other programs used this machine, too.** Rates and latencies vary because of that; \
             processor\n  time and memory hardly do."
        )?;
    }
    for what in &report.skipped {
        writeln!(page, "- **Not measured here:** {what}.")?;
    }
    Ok(page)
}
