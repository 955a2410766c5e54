//! `cargo xtask suites`: the own tests of crates above tokio, as guests of wasip1 and wasip2.
//!
//! `tests/suites/suites.toml` lists them. The published packages are brought by cargo and copied below `target/`; tests
//! that no package contains are taken from checkouts in the folder of `--sources`. Nothing of them is committed. Their
//! tests are built by `cargo wasio test`, and each runs in a guest of its own. Every test gets a result: passed,
//! failed, or not applicable with a reason of the closed list that tokio's own tests have
//! (`tests/suites/not-applicable.toml`). A listed test that passes fails the run. `--record` keeps the counts in
//! `tests/suites/results.json`, of which docs/crates.md is made.

mod build;
mod list;
mod run;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use serde_json::json;
use xtask::engine::Runner;
use xtask::platform::guest_target_parser;
use xtask::targets::Target;
use xtask::workspace;

use crate::conformance::Outcome;
use crate::conformance::build::package;
use crate::conformance::reasons::Reasons;
use list::{Stop, Suite};
use run::Verdict;

/// Run the own tests of crates above tokio on wasip1 and wasip2.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only these suites.
    names: Vec<String>,
    /// Run only on this target.
    #[arg(long, value_parser = guest_target_parser())]
    target: Option<Target>,
    /// A folder with checkouts of the repositories of h2 and hyper, named `h2` and `hyper`. Tests that their packages
    /// do not contain are skipped without it.
    #[arg(long, value_name = "FOLDER")]
    sources: Option<PathBuf>,
    /// Write every test's result as JSON to this file.
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The number of tests to run at once.
    #[arg(long, short, default_value_t = 4)]
    jobs: usize,
    /// The time limit of a test, in seconds.
    #[arg(long, default_value_t = 60)]
    timeout: u64,
    /// Print the output of failing tests.
    #[arg(long)]
    verbose: bool,
    /// Record the counts, and write the tables in docs/crates.md.
    #[arg(long)]
    pub(crate) record: bool,
}

/// What is kept of a suite on a target.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Counts {
    passed: usize,
    failed: usize,
    /// How many do not apply, by reason.
    #[serde(default)]
    not_applicable: BTreeMap<String, usize>,
}

/// What is kept of a suite.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Kept {
    /// The crate whose tests they are.
    of: String,
    version: String,
    on: BTreeMap<String, Counts>,
    /// On which targets its tests cannot be built, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    stopped: BTreeMap<String, Stopped>,
}

/// Why tests cannot be built: a reason of the closed list, and the package that does not build.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Stopped {
    reason: String,
    at: String,
}

/// What is kept, by suite.
#[derive(Default, Deserialize, Serialize)]
#[serde(transparent)]
pub(crate) struct Results(BTreeMap<String, Kept>);

/// The commands, and where tests are built.
struct Tools {
    runner: PathBuf,
    cargo_wasio: PathBuf,
    scratch: PathBuf,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = workspace::root().join("tests/suites");
    let suites = list::read(&folder.join("suites.toml"))?;
    let unknown = |name: &&String| !suites.iter().any(|suite| suite.name == **name);
    if let Some(name) = args.names.iter().find(unknown) {
        bail!("{name} is not in tests/suites/suites.toml");
    }
    let runner = Runner::wasio(&|_| {})?;
    let runner = runner.program().context("wasio is a program")?.to_owned();
    let cargo_wasio = runner.with_file_name("cargo-wasio");
    let tools = Tools { runner, cargo_wasio, scratch: workspace::scratch("suites")? };
    let mut results = kept()?;
    let (mut passed, mut failed, mut skipped) = (0, 0, 0);
    let mut tests = Vec::new();
    for suite in suites.iter().filter(|s| args.names.is_empty() || args.names.contains(&s.name)) {
        let Some((repository, below)) = source(args, suite)? else {
            println!("{:13} skipped: it needs --sources", suite.name);
            continue;
        };
        for target in
            Target::ALL.iter().copied().filter(|t| args.target.is_none_or(|only| only == *t))
        {
            let reasons = Reasons::load(&folder.join("not-applicable.toml"), target.name())?;
            let prepared = build::prepare(suite, &repository, &below, &reasons, &tools.scratch)?;
            let built = build::build(&tools, suite, &prepared, target);
            let kept = results.0.entry(suite.name.clone()).or_default();
            kept.of = suite.of().to_owned();
            kept.version.clone_from(&prepared.version);
            kept.on.remove(target.name());
            kept.stopped.remove(target.name());
            let binaries = match &suite.stops {
                None => built?,
                Some(stop) => {
                    let stopped = stopped(suite, stop, built)?;
                    println!(
                        "{:13} {:8} {} cannot be built: {} ({})",
                        suite.name,
                        prepared.version,
                        target.name(),
                        stopped.at,
                        stopped.reason
                    );
                    kept.stopped.insert(target.name().to_owned(), stopped);
                    record(args, &results)?;
                    continue;
                }
            };
            let verdicts = run::run(&tools, args, target, &prepared, &binaries, &reasons)?;
            let counts = count(&verdicts);
            let not_applicable: usize = counts.not_applicable.values().sum();
            println!(
                "{:13} {:8} {} {:4} passed, {} failed, {} not applicable",
                suite.name,
                prepared.version,
                target.name(),
                counts.passed,
                counts.failed,
                not_applicable
            );
            report(args, &verdicts);
            tests.extend(verdicts.iter().map(|verdict| entry(suite, target, verdict)));
            passed += counts.passed;
            failed += counts.failed;
            skipped += not_applicable;
            kept.on.insert(target.name().to_owned(), counts);
            record(args, &results)?;
        }
    }
    if let Some(path) = &args.json {
        let text = serde_json::to_string_pretty(&tests)?;
        fs::write(path, text).with_context(|| format!("write {}", path.display()))?;
    }
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 { bail!("{failed} tests failed") } else { Ok(()) }
}

/// Keeps the results, with `--record`.
fn record(args: &Args, results: &Results) -> Result<()> {
    if args.record {
        let text = serde_json::to_string_pretty(results)? + "\n";
        fs::write(workspace::root().join("tests/suites/results.json"), text)?;
    }
    Ok(())
}

/// What is kept of a suite that is listed as one that cannot be built.
///
/// # Errors
/// Fails if it was built, or if the listed package is not among what cargo complained of.
fn stopped<T>(suite: &Suite, stop: &Stop, built: Result<T>) -> Result<Stopped> {
    let Err(failure) = built else {
        bail!("{} builds, although tests/suites/suites.toml says that it does not", suite.name);
    };
    let package = &stop.package;
    let complaints = [
        format!("could not compile `{package}`"),
        format!("failed to run custom build command for `{package} "),
        format!("error: failed to select a version for `{package}`"),
    ];
    let messages = format!("{failure:#}");
    if !complaints.iter().any(|text| messages.contains(text)) {
        return Err(failure.context(format!("{package} is listed, and is not what fails")));
    }
    let at = format!("{package}: {}", stop.why);
    Ok(Stopped { reason: stop.reason.name().to_owned(), at })
}

/// The repository, or the package alone, and where the package is in it. `None`: there are no sources.
fn source(args: &Args, suite: &Suite) -> Result<Option<(PathBuf, PathBuf)>> {
    if let Some(version) = &suite.version {
        let package = package(workspace::root(), &suite.name, version)?;
        return Ok(Some((package, PathBuf::new())));
    }
    let (Some(sources), Some(folder)) = (&args.sources, &suite.folder) else { return Ok(None) };
    let (repository, below) = folder.split_once('/').unwrap_or((folder, ""));
    let repository = sources.join(repository);
    if !repository.join(below).join("Cargo.toml").is_file() {
        bail!(
            "{} has no package {folder}: --sources names a folder with checkouts of the repositories under their names",
            sources.display()
        );
    }
    Ok(Some((repository, PathBuf::from(below))))
}

fn count(verdicts: &[Verdict]) -> Counts {
    let mut counts = Counts::default();
    for verdict in verdicts {
        match &verdict.outcome {
            Outcome::Passed => counts.passed += 1,
            Outcome::Failed(_) => counts.failed += 1,
            Outcome::NotApplicable(why) => {
                *counts.not_applicable.entry(why.clone()).or_default() += 1;
            }
        }
    }
    counts
}

fn report(args: &Args, verdicts: &[Verdict]) {
    for verdict in verdicts {
        if let Outcome::Failed(why) = &verdict.outcome {
            let gist = match why.find("panicked at") {
                _ if args.verbose => why.clone(),
                Some(at) => why[at..].lines().take(3).collect::<Vec<_>>().join(" "),
                None => why.lines().take(4).collect::<Vec<_>>().join(" "),
            };
            println!("FAILED {}::{}: {gist}", verdict.file, verdict.name);
        }
    }
}

fn entry(suite: &Suite, target: Target, verdict: &Verdict) -> serde_json::Value {
    let (result, reason) = match &verdict.outcome {
        Outcome::Passed => ("passed", None),
        Outcome::Failed(why) => ("failed", Some(why)),
        Outcome::NotApplicable(why) => ("not_applicable", Some(why)),
    };
    json!({
        "suite": suite.name,
        "target": target.name(),
        "file": verdict.file,
        "name": verdict.name,
        "result": result,
        "reason": reason,
    })
}

/// What is kept in `tests/suites/results.json`.
pub(crate) fn kept() -> Result<Results> {
    let path: &Path = &workspace::root().join("tests/suites/results.json");
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("in {}", path.display())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Results::default()),
        Err(e) => Err(e).with_context(|| format!("read {}", path.display())),
    }
}

impl Results {
    /// How many of a crate's tests pass on a target: `n of m`, or why there is no such number. Those whose files the
    /// package leaves out are not among them.
    pub(crate) fn counts(&self, of: &str, target: &str) -> Option<String> {
        let suites = || self.0.values().filter(|kept| kept.of == of);
        if let Some(stopped) = suites().find_map(|kept| kept.stopped.get(target)) {
            return Some(format!("cannot be built ({})", stopped.reason));
        }
        let counts: Vec<&Counts> = suites().filter_map(|kept| kept.on.get(target)).collect();
        let passed: usize = counts.iter().map(|counts| counts.passed).sum();
        let others = counts.iter().flat_map(|counts| &counts.not_applicable);
        let others: usize = others.filter(|(why, _)| *why != "fixtures").map(|(_, n)| n).sum();
        let all = passed + others + counts.iter().map(|counts| counts.failed).sum::<usize>();
        match all {
            _ if counts.is_empty() => None,
            0 => Some("none published".to_owned()),
            _ => Some(format!("{passed} of {all}")),
        }
    }

    /// A row for each suite: suite, version, and for each target the counts and why tests do not apply.
    pub(crate) fn rows(&self) -> Vec<String> {
        let cell = |kept: &Kept, target: &str| {
            if let Some(stopped) = kept.stopped.get(target) {
                return format!("cannot be built: {} ({})", stopped.at, stopped.reason);
            }
            let Some(counts) = kept.on.get(target) else { return "not run".to_owned() };
            let not_applicable: usize = counts.not_applicable.values().sum();
            let all = counts.passed + counts.failed + not_applicable;
            if all == 0 {
                return "none published".to_owned();
            }
            let mut text = format!("{} of {all}", counts.passed);
            let reasons = counts.not_applicable.iter().map(|(why, count)| format!("{why} {count}"));
            let failed = (counts.failed > 0).then(|| format!("failed {}", counts.failed));
            let others: Vec<String> = reasons.chain(failed).collect();
            if !others.is_empty() {
                text += &format!(" ({})", others.join(", "));
            }
            text
        };
        let row = |(name, kept): (&String, &Kept)| {
            let [p1, p2] = [Target::P1, Target::P2].map(|target| cell(kept, target.name()));
            format!("| {name} {} | {p1} | {p2} |", kept.version)
        };
        self.0.iter().map(row).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_lists_can_be_read() {
        let folder = workspace::root().join("tests/suites");
        let suites = list::read(&folder.join("suites.toml")).unwrap();
        assert!(suites.iter().any(|suite| suite.name == "tokio-util"));
        for target in Target::ALL {
            Reasons::load(&folder.join("not-applicable.toml"), target.name()).unwrap();
        }
        kept().unwrap();
    }

    #[test]
    fn what_has_no_number_says_why() {
        let stopped = Stopped { reason: "dev-dependency".to_owned(), at: "b: C code".to_owned() };
        let kept = Kept {
            of: "a".to_owned(),
            version: "1.0.0".to_owned(),
            on: BTreeMap::from([("wasip1".to_owned(), Counts::default())]),
            stopped: BTreeMap::from([("wasip2".to_owned(), stopped)]),
        };
        let results = Results(BTreeMap::from([("a".to_owned(), kept)]));
        assert_eq!(results.counts("a", "wasip1").as_deref(), Some("none published"));
        let cannot = "cannot be built (dev-dependency)";
        assert_eq!(results.counts("a", "wasip2").as_deref(), Some(cannot));
        let row = "| a 1.0.0 | none published | cannot be built: b: C code (dev-dependency) |";
        assert_eq!(results.rows(), [row]);
    }

    #[test]
    fn a_suite_that_is_listed_as_stopped_is_stopped_by_what_is_listed() {
        let suite = |package: &str| {
            let text = format!(
                "[[suite]]\nname = \"a\"\nversion = \"1.0.0\"\n\
                 stops = {{ reason = \"dev-dependency\", package = \"{package}\", why = \"C code\" }}"
            );
            list::parse(&text).unwrap().remove(0)
        };
        let failed = || anyhow::anyhow!("error: could not compile `b` (lib) due to 1 error");
        let listed = suite("b");
        let stop = listed.stops.as_ref().unwrap();
        let kept = stopped::<()>(&listed, stop, Err(failed())).unwrap();
        assert_eq!((&*kept.reason, &*kept.at), ("dev-dependency", "b: C code"));
        assert!(stopped(&listed, stop, Ok(())).is_err());
        let other = suite("c");
        assert!(stopped::<()>(&other, other.stops.as_ref().unwrap(), Err(failed())).is_err());
    }

    #[test]
    fn what_a_package_leaves_out_is_not_counted_against_it() {
        let counts = |passed, failed, reasons: &[(&str, usize)]| {
            let reasons = reasons.iter().map(|(why, n)| ((*why).to_owned(), *n));
            Counts { passed, failed, not_applicable: reasons.collect() }
        };
        let kept = |version: &str, counts| Kept {
            of: "a".to_owned(),
            version: version.to_owned(),
            on: BTreeMap::from([("wasip1".to_owned(), counts)]),
            stopped: BTreeMap::new(),
        };
        let unit = kept("1.0.0", counts(7, 0, &[("fixtures", 90), ("threads", 2)]));
        let others = kept("1.1.0", counts(3, 1, &[]));
        let results = BTreeMap::from([("a".to_owned(), unit), ("a-tests".to_owned(), others)]);
        let results = Results(results);
        assert_eq!(results.counts("a", "wasip1").as_deref(), Some("10 of 13"));
        assert_eq!(results.counts("a", "wasip2"), None);
        assert_eq!(results.counts("b", "wasip1"), None);
        let rows = [
            "| a 1.0.0 | 7 of 99 (fixtures 90, threads 2) | not run |",
            "| a-tests 1.1.0 | 3 of 4 (failed 1) | not run |",
        ];
        assert_eq!(results.rows(), rows);
    }
}
