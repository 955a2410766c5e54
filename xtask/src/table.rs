//! `cargo xtask table`: the table of what works on which engine in docs/what-works.md, made from test results.
//!
//! `--record` reads the output of the last `cargo xtask test` and `cargo xtask conformance` under target/ and writes
//! `tests/results.json`. Engines that did not run keep their recorded results. The table between the page's two markers
//! is made from that file alone. `--check`, which CI runs, fails if the page has another table.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};
use xtask::harness::{self, Counts};
use xtask::platform::{Platform, target_name};
use xtask::targets::Target;
use xtask::workspace;

/// Options of the table.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Record the results of the last runs first.
    #[arg(long)]
    record: bool,
    /// Take the results from the output of `cargo xtask test` in this folder.
    #[arg(long, value_name = "FOLDER", requires = "record")]
    from: Option<PathBuf>,
    /// Fail if the page's table differs from the recorded results.
    #[arg(long, conflicts_with = "record")]
    check: bool,
}

/// A row, and the prefixes of the names of its tests: of their files or modules, or of the tests in `tests/engines`.
const AREAS: &[(&str, &[&str])] = &[
    ("tasks, runtimes, macros", &["task_", "runtime_", "macros_"]),
    ("channels, locks", &["sync_"]),
    ("timers", &["time_"]),
    ("I/O, standard streams", &["io_"]),
    ("files", &["fs_"]),
    ("TCP", &["net_tcp", "net_cancel", "net_load"]),
    ("UDP", &["net_udp"]),
    (
        "names",
        &[
            "net_lookup",
            "net_dns",
            "names_",
            "files_that_know_names",
            "a_name_",
            "every_address_of_a_name",
            "a_lookup",
            "a_slow_lookup",
            "unreachable_name",
        ],
    ),
    (UNIX, &["net_unix"]),
    ("signals", &["signal_", "ctrl_c_"]),
    ("any pollable of the host", &["wasi_"]),
    ("TLS", &["crates_tls", "crates_https"]),
    ("the crates on top", &["crates_"]),
    // All other tests in tests/engines.
    (REST, &[]),
];
const UNIX: &str = "Unix sockets";
const REST: &str = "1,000 connections, real peers";
const TOKIO: &str = "tokio's own tests that apply";

/// The page with the table.
const PAGE: &str = "docs/what-works.md";
const START: &str = "<!-- made by `cargo xtask table` -->\n";
const END: &str = "<!-- end of the table -->\n";

/// The number of an area's tests on an engine, and the number that pass.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Passed {
    passed: usize,
    of: usize,
}

/// By row, then by engine.
type Results = BTreeMap<String, BTreeMap<String, Passed>>;

pub(crate) fn run(args: &Args) -> Result<()> {
    let file = workspace::root().join("tests/results.json");
    let text = fs::read_to_string(&file).unwrap_or_else(|_| "{}".to_owned());
    let mut results: Results = serde_json::from_str(&text).context("tests/results.json")?;
    if args.record {
        let logs = args.from.clone().map_or_else(|| workspace::scratch("test-logs"), Ok)?;
        record(&mut results, &logs)?;
        fs::write(&file, serde_json::to_string_pretty(&results)? + "\n")?;
    }
    for row in results.keys() {
        let known = row == TOKIO || AREAS.iter().any(|(area, _)| area == row);
        ensure!(known, "tests/results.json has a row {row:?} that the table has not");
    }
    let page = workspace::root().join(PAGE);
    let text = fs::read_to_string(&page).context(PAGE)?;
    let made = replace(&text, &render(&results))?;
    if args.check {
        ensure!(
            made == text,
            "the table in {PAGE} differs from tests/results.json: run `cargo xtask table`"
        );
    } else {
        fs::write(&page, made)?;
    }
    Ok(())
}

/// The text with `table` between the markers.
fn replace(text: &str, table: &str) -> Result<String> {
    let (Some(start), Some(end)) = (text.find(START), text.find(END)) else {
        bail!("{PAGE} lacks the markers of the table");
    };
    Ok(format!("{}{table}{}", &text[..start + START.len()], &text[end..]))
}

fn render(results: &Results) -> String {
    let mut table = String::from("|   |");
    Platform::ALL.iter().for_each(|one| write!(table, " {} |", one.title()).expect("a string"));
    table += "\n|---|";
    Platform::ALL.iter().for_each(|_| table += "---|");
    table += "\n";
    let rows = AREAS.iter().map(|(area, _)| *area).chain([TOKIO]);
    for row in rows {
        let Some(engines) = results.get(row) else { continue };
        if engines.values().all(|passed| passed.of == 0) {
            continue;
        }
        write!(table, "| {row} |").expect("a string");
        for platform in Platform::ALL {
            let word = engines
                .get(platform.name())
                .map_or_else(|| "–".to_owned(), |passed| word(row, *passed));
            write!(table, " {word} |").expect("a string");
        }
        table += "\n";
    }
    table
}

fn word(row: &str, Passed { passed, of }: Passed) -> String {
    match (passed, of) {
        (0, 0) => "–".to_owned(),
        (0, _) => "no".to_owned(),
        _ if row == TOKIO && passed == of => format!("all {of}"),
        _ if passed == of => "yes".to_owned(),
        _ => format!("{passed} of {of}"),
    }
}

/// Records the results in the folder's output, and those of `conformance`.
fn record(results: &mut Results, logs: &Path) -> Result<()> {
    for platform in Platform::ALL {
        let name = platform.name();
        let mut areas: BTreeMap<&str, Passed> = BTreeMap::new();
        let mut add = |test: &str, counts: Counts, otherwise: Option<&'static str>| {
            let area = AREAS.iter().find(|(_, starts)| starts.iter().any(|s| test.starts_with(s)));
            if let Some(area) = area.map(|(area, _)| *area).or(otherwise) {
                let sum = areas.entry(area).or_default();
                sum.passed += counts.passed;
                sum.of += counts.passed + counts.failed + counts.skipped;
            }
        };
        let mut found = false;
        for entry in fs::read_dir(logs).with_context(|| format!("read {}", logs.display()))? {
            let path = entry?.path();
            let stem = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
            let Some(suite) = stem.strip_prefix(name).and_then(|rest| rest.strip_prefix('-'))
            else {
                continue;
            };
            let text = fs::read_to_string(&path)?;
            let (stdout, stderr) = text.split_once("\n--- stderr ---\n").unwrap_or((&text, ""));
            found = true;
            if suite.starts_with("programs") {
                for (test, counts) in harness::by_test(stdout) {
                    let test = test.strip_prefix(&format!("{name}::")).unwrap_or(&test).to_owned();
                    add(&test, counts, Some(REST));
                }
            } else {
                for (file, counts) in harness::by_file(stdout, stderr) {
                    add(&file, counts, None);
                }
                // Most of the public API's tests are in modules of one file.
                for (test, counts) in harness::by_test(stdout) {
                    if test.contains("::") {
                        add(&test, counts, None);
                    }
                }
            }
        }
        if !found {
            continue;
        }
        if !platform.has_unix_sockets() {
            // The tests that pass there expect a refusal.
            areas.entry(UNIX).or_default().passed = 0;
        }
        for (area, _) in AREAS {
            let passed = areas.get(area).copied().unwrap_or_default();
            results.entry((*area).to_owned()).or_default().insert(name.to_owned(), passed);
        }
    }
    for target in Target::ALL.iter().copied().map(Some).chain([None]) {
        let folder = workspace::root().join("target/conformance").join(target_name(target));
        let path = folder.join("results.json");
        let platform = Platform::wasio(target);
        let Ok(text) = fs::read_to_string(path) else { continue };
        let run: serde_json::Value = serde_json::from_str(&text)?;
        let count = |key: &str| run[key].as_u64().unwrap_or(0) as usize;
        let passed = Passed { passed: count("passed"), of: count("passed") + count("failed") };
        results.entry(TOKIO.to_owned()).or_default().insert(platform.name().to_owned(), passed);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_says_what_the_tests_say() {
        let cell = |passed, of| word("TCP", Passed { passed, of });
        assert_eq!([cell(0, 0), cell(0, 3), cell(2, 3), cell(3, 3)], ["–", "no", "2 of 3", "yes"]);
        assert_eq!(word(TOKIO, Passed { passed: 5, of: 5 }), "all 5");
    }

    #[test]
    fn the_table_goes_between_its_markers() {
        let mut results = Results::new();
        let of = |passed, of| BTreeMap::from([("native".to_owned(), Passed { passed, of })]);
        results.insert("TCP".to_owned(), of(1, 1));
        let text =
            replace(&format!("before\n{START}old\n{END}after\n"), &render(&results)).unwrap();
        assert!(text.starts_with("before\n") && text.ends_with("after\n"), "{text}");
        assert!(text.contains("| TCP | yes |") && !text.contains("old"), "{text}");
        assert!(replace("no markers", "").is_err());
    }
}
