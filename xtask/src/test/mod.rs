//! `cargo xtask test`: every suite, natively and on every engine found, summed up.

use std::ffi::OsString;
use std::time::Duration;

use anyhow::{Result, bail};
use xtask::cargo;
use xtask::engine::Runner;
use xtask::harness::{self, Counts};
use xtask::platform::{Chosen, Host, Platform};
use xtask::process::Running;
use xtask::report::{Steps, duration};
use xtask::workspace;

mod suites;

use suites::Suite;

/// The time limit of a suite. The longest one compiles the engine, in CI beside other builds.
const LIMIT: Duration = Duration::from_secs(45 * 60);

/// Options of the tests.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only tests with this text in their name.
    filter: Option<String>,
    #[command(flatten)]
    chosen: Chosen,
    /// Print the results as JSON on standard output.
    #[arg(long)]
    json: bool,
}

/// The result of a suite.
#[derive(Debug, serde::Serialize)]
struct Outcome {
    suite: String,
    #[serde(rename = "engine")]
    platform: Platform,
    #[serde(flatten)]
    counts: Counts,
    failures: Vec<String>,
    seconds: f64,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut steps = Steps::new(args.json);
    let outcomes = run_all(&mut steps, args)?;
    let mut total = Counts::default();
    outcomes.iter().for_each(|outcome| total += outcome.counts);

    for outcome in outcomes.iter().filter(|outcome| !outcome.failures.is_empty()) {
        steps.say(&format!("\nfailed in {} ({}):", outcome.suite, outcome.platform.name()));
        for failure in &outcome.failures {
            steps.say(&format!("  {failure}"));
        }
    }
    if args.json {
        let report = serde_json::json!({ "suites": outcomes, "total": total });
        println!("{}", serde_json::to_string_pretty(&report)?);
    }
    steps.say("");
    steps.say(&total.to_string());
    if total.failed > 0 {
        std::process::exit(1);
    }
    Ok(())
}

fn run_all(steps: &mut Steps, args: &Args) -> Result<Vec<Outcome>> {
    let mut outcomes = Vec::new();
    for &platform in &args.chosen.0 {
        if let Some(target) = platform.triple() {
            cargo::ensure_targets(&[target])?;
        }
        let started = std::time::Instant::now();
        let runner = match platform.is_wasio() || platform.host() == Host::Stock {
            true => steps.run("build the runner", "build", |progress| {
                Ok((Runner::get(platform, progress)?, String::new()))
            })?,
            false => Runner::get(platform, &|_| {})?,
        };
        let Some(runner) = runner else {
            steps.say(&format!("  skipped: {}: not found", platform.title()));
            outcomes.push(Outcome {
                suite: format!("everything on {}", platform.title()),
                platform,
                counts: Counts { skipped: 1, ..Counts::default() },
                failures: Vec::new(),
                seconds: started.elapsed().as_secs_f64(),
            });
            continue;
        };
        for suite in suites::on(&runner, args.filter.as_deref())? {
            outcomes.push(run_suite(steps, platform, suite, args.filter.is_some()));
        }
    }
    Ok(outcomes)
}

/// Runs one suite. A suite that cannot be built, dies, or runs no test counts as a failed test.
fn run_suite(steps: &Steps, platform: Platform, mut suite: Suite, filtered: bool) -> Outcome {
    let started = std::time::Instant::now();
    steps.say(&format!("  run  {} ({})", suite.name, platform.name()));
    let mut outcome = Outcome {
        suite: suite.name.clone(),
        platform,
        counts: Counts::default(),
        failures: Vec::new(),
        seconds: 0.0,
    };
    let told = std::cell::Cell::new(started);
    let alive = |line: &str| {
        if told.get().elapsed() > Duration::from_secs(30) {
            told.set(std::time::Instant::now());
            eprintln!("       … {line}");
        }
    };
    let line = cargo::display(&suite.command);
    let ended =
        Running::spawn(&suite.name, &mut suite.command).and_then(|run| run.watch(LIMIT, &alive));
    let (stdout, stderr, success) = match ended {
        Ok(done) => (done.stdout, done.stderr, done.status.success()),
        Err(failure) => {
            outcome.failures.push(failure.what);
            (failure.stdout, failure.stderr, false)
        }
    };
    let summary = harness::parse(&stdout);
    outcome.counts = summary.counts;
    outcome.failures.extend(summary.failures);
    for line in stderr.lines().filter(|line| line.trim_start().starts_with("skipped: ")) {
        steps.say(&format!("       {}", line.trim()));
    }
    if success && outcome.counts == Counts::default() && !filtered {
        outcome.failures.push("it ran no test at all".to_owned());
    } else if !success && outcome.counts.failed == 0 && outcome.failures.is_empty() {
        outcome.failures.push(format!("`{line}` failed"));
    }
    outcome.counts.failed = outcome.counts.failed.max(outcome.failures.len());
    outcome.seconds = started.elapsed().as_secs_f64();

    let word = if outcome.failures.is_empty() { "ok" } else { "FAIL" };
    let took = duration(outcome.seconds);
    steps.say(&format!("  {word:4} {:50} {} in {took}", "", outcome.counts));
    // Only whole runs: the table of what works is made from them.
    let kept = if filtered { Ok(()) } else { keep(&outcome, &line, &stdout, &stderr) };
    if let Err(e) = kept {
        steps.say(&format!("       (its output could not be kept: {e:#})"));
    }
    if !outcome.failures.is_empty() {
        steps.say(&format!("       | $ {line}"));
        for line in harness::told(&stdout).iter().copied().chain(tail(&stderr, 60)) {
            steps.say(&format!("       | {line}"));
        }
    }
    outcome
}

/// Keeps a suite's whole output under target/, for reading after a failure and for `cargo xtask table`.
fn keep(outcome: &Outcome, line: &str, stdout: &str, stderr: &str) -> Result<()> {
    let name: String = format!("{} {}", outcome.platform.name(), outcome.suite)
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '-' })
        .collect();
    let file = workspace::scratch("test-logs")?.join(format!("{name}.log"));
    std::fs::write(&file, format!("$ {line}\n{stdout}\n--- stderr ---\n{stderr}"))?;
    Ok(())
}

fn tail(text: &str, lines: usize) -> impl Iterator<Item = &str> {
    let all = text.lines().count();
    text.lines().skip(all.saturating_sub(lines))
}

/// A command line as the text that cargo takes for a runner.
fn runner_line(words: &[OsString]) -> Result<String> {
    let word = |word: &OsString| match word.to_str() {
        Some(text) if !text.contains(char::is_whitespace) => Ok(text.to_owned()),
        _ => bail!("{}: cargo cannot use a word with blanks in a runner", word.display()),
    };
    Ok(words.iter().map(word).collect::<Result<Vec<_>>>()?.join(" "))
}
