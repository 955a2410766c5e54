//! `cargo xtask test`: every suite, natively and on every engine found, summed up.

use std::time::Duration;

use anyhow::{Result, bail};
use xtask::cargo;
use xtask::engine::{Engine, Runner};
use xtask::harness::{self, Counts};
use xtask::process::Running;
use xtask::report::{Steps, duration};
use xtask::workspace;

mod suites;

use suites::Suite;

/// A suite that takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30 * 60);

/// Options of the tests.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only tests with this text in their name.
    filter: Option<String>,
    /// Run the native suites only. Several of these switches can be combined.
    #[arg(long)]
    native: bool,
    /// Run only preview 1 under `wasio run`.
    #[arg(long)]
    wasip1: bool,
    /// Run only WASI 0.2: under `wasio run`, and on an unmodified host.
    #[arg(long)]
    wasip2: bool,
    /// Run only preview 1 on WasmEdge.
    #[arg(long)]
    wasmedge: bool,
    /// Print the results as JSON on standard output.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn engines(&self) -> Vec<Engine> {
        let chosen = |engine: &Engine| match engine {
            Engine::Native => self.native,
            Engine::Wasio => self.wasip1,
            Engine::Wasip2 | Engine::Stock => self.wasip2,
            Engine::Wasmedge => self.wasmedge,
        };
        let engines =
            [Engine::Native, Engine::Wasio, Engine::Wasip2, Engine::Stock, Engine::Wasmedge];
        if engines.iter().any(chosen) {
            engines.into_iter().filter(chosen).collect()
        } else {
            engines.into()
        }
    }
}

/// What became of a suite.
#[derive(Debug, serde::Serialize)]
struct Outcome {
    suite: String,
    engine: Engine,
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
        steps.say(&format!("\nfailed in {} ({}):", outcome.suite, outcome.engine.name()));
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
    for engine in args.engines() {
        if let Some(target) = engine.target() {
            cargo::ensure_targets(&[target])?;
        }
        let started = std::time::Instant::now();
        let runner = match engine {
            Engine::Native => Some(Runner::native()),
            Engine::Wasmedge => Runner::wasmedge()?,
            _ => steps.run("build the runner", "build", |progress| {
                Ok((Runner::get(engine, progress)?, String::new()))
            })?,
        };
        let Some(runner) = runner else {
            steps.say("  skipped: wasmedge not found (PATH, WASIO_WASMEDGE)");
            outcomes.push(Outcome {
                suite: "everything on WasmEdge".to_owned(),
                engine,
                counts: Counts { skipped: 1, ..Counts::default() },
                failures: Vec::new(),
                seconds: started.elapsed().as_secs_f64(),
            });
            continue;
        };
        for suite in suites::on(&runner, args.filter.as_deref())? {
            outcomes.push(run_suite(steps, engine, suite, args.filter.is_some()));
        }
    }
    Ok(outcomes)
}

/// Runs one suite. That it cannot be built, dies, or runs nothing is a failed test too.
fn run_suite(steps: &Steps, engine: Engine, mut suite: Suite, filtered: bool) -> Outcome {
    let started = std::time::Instant::now();
    steps.say(&format!("  run  {} ({})", suite.name, engine.name()));
    let mut outcome = Outcome {
        suite: suite.name.clone(),
        engine,
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
    let name: String = format!("{} {}", outcome.engine.name(), outcome.suite)
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

/// Fails unless a path is valid UTF-8: cargo takes a runner from the environment as text.
fn utf8(path: &std::path::Path) -> Result<&str> {
    match path.to_str() {
        Some(text) if !text.contains(char::is_whitespace) => Ok(text),
        _ => bail!("{}: cargo cannot use a path with blanks as a runner", path.display()),
    }
}
