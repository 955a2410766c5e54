//! `cargo xtask ci`: what continuous integration runs, each step runnable by hand.
//!
//! The suites mostly wait, and all other steps mostly compile, so the two run side by side on two cores. Only the
//! output of the suites is shown at once. Where both use one build folder, cargo makes one wait.
//!
//! A failed step does not stop the later ones, so one run shows all failures. The last line is the sum of the tests.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, bail};
use xtask::harness::Counts;
use xtask::report::duration;
use xtask::workspace;

/// Options of the whole run.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Run only the steps with this text in their name.
    only: Option<String>,
}

/// A step's name and what it runs: scripts of `ci/`, and our own subcommands.
type Step = (&'static str, &'static [&'static str]);

/// Steps that others depend on, and steps that fail early.
const FIRST: &[Step] = &[
    ("packages", &["ci/packages.sh"]),
    ("targets", &["ci/targets.sh"]),
    ("fmt", &["ci/fmt.sh"]),
    ("table", &["xtask", "table", "--check"]),
    ("links", &["xtask", "links"]),
    ("crates table", &["xtask", "crates", "--check"]),
];

/// The suites, in order; their output is passed on line by line.
const SUITES: &[Step] =
    &[("test", &["xtask", "test"]), ("fuzz", &["ci/fuzz.sh"]), ("demo", &["xtask", "demo"])];

/// The steps that run beside the suites, in order; their output is printed when they end.
const BESIDE: &[Step] = &[
    ("clippy", &["ci/clippy.sh"]),
    ("cross", &["ci/cross.sh"]),
    ("doc", &["ci/doc.sh"]),
    ("surface", &["xtask", "surface"]),
    ("conditions", &["ci/conditions.sh"]),
    ("shell", &["ci/shell.sh"]),
    ("loom", &["ci/loom.sh"]),
    ("counts", &["ci/counts.sh"]),
    // Most of these tests wait: twice as many run at once as there are cores.
    ("conformance native", &["xtask", "conformance", "--target", "native", "--jobs", "4"]),
    ("conformance wasip1", &["xtask", "conformance", "--target", "wasip1", "--jobs", "4"]),
    ("conformance wasip2", &["xtask", "conformance", "--target", "wasip2", "--jobs", "4"]),
    ("crates sample", &["xtask", "crates", "--sample"]),
];

/// How a step ended.
struct Outcome {
    name: &'static str,
    ok: bool,
    seconds: f64,
    counts: Option<Counts>,
}

/// The destination of a step's output.
#[derive(Clone, Copy, PartialEq)]
enum Output {
    PassedOn,
    PrintedAtTheEnd,
}

pub(crate) fn run(args: &Args) -> Result<()> {
    let chosen = |steps: &'static [Step]| {
        let is_chosen =
            |step: &&Step| args.only.as_deref().is_none_or(|only| step.0.contains(only));
        steps.iter().filter(is_chosen).collect::<Vec<_>>()
    };
    let started = Instant::now();
    let mut outcomes = all(&chosen(FIRST), Output::PassedOn)?;
    let (suites, beside) = thread::scope(|scope| {
        let beside = scope.spawn(|| all(&chosen(BESIDE), Output::PrintedAtTheEnd));
        let suites = all(&chosen(SUITES), Output::PassedOn);
        (suites, beside.join().expect("a step does not panic"))
    });
    outcomes.extend(suites?);
    outcomes.extend(beside?);

    println!("\n=== summary ===");
    let mut sum = Counts::default();
    for outcome in &outcomes {
        let word = if outcome.ok { "ok" } else { "FAIL" };
        println!("{word:4} {:20} {:>12}", outcome.name, duration(outcome.seconds));
        if let Some(counts) = outcome.counts {
            sum += counts;
        }
    }
    println!("     {:20} {:>12}", "all", duration(started.elapsed().as_secs_f64()));
    if sum != Counts::default() {
        println!("{sum}");
    }
    let failed: Vec<_> = outcomes.iter().filter(|one| !one.ok).map(|one| one.name).collect();
    if failed.is_empty() {
        return Ok(());
    }
    // Printed to standard error, so that the sum stays the last line of the output.
    bail!("failed: {}", failed.join(", "))
}

/// Runs steps one after the other.
fn all(steps: &[&Step], output: Output) -> Result<Vec<Outcome>> {
    steps.iter().map(|(name, words)| step(name, words, output)).collect()
}

/// Runs one step.
fn step(name: &'static str, words: &[&str], output: Output) -> Result<Outcome> {
    let started = Instant::now();
    let program = match words[0] {
        "xtask" => workspace::this_program()?.to_owned(),
        script => workspace::root().join(script),
    };
    let mut command = Command::new(&program);
    command.args(&words[1..]).current_dir(workspace::root()).stdin(Stdio::null());
    // One pipe for both streams, so that output that is printed at the end stays in order.
    let (reader, writer) = std::io::pipe()?;
    if output == Output::PrintedAtTheEnd {
        command.stderr(writer.try_clone()?);
    }
    command.stdout(writer);
    let title = format!("\n=== {name}: {} ===", words.join(" "));
    if output == Output::PassedOn {
        println!("{title}");
    }
    let mut child = command.spawn().with_context(|| format!("start {}", program.display()))?;
    // It holds the pipe's other end.
    drop(command);
    let mut reader = BufReader::new(reader);
    let mut text = String::new();
    match output {
        Output::PassedOn => {
            for line in reader.lines() {
                let line = line?;
                println!("{line}");
                text = text + &line + "\n";
            }
        }
        Output::PrintedAtTheEnd => {
            let mut bytes = Vec::new();
            reader.read_to_end(&mut bytes)?;
            text = String::from_utf8_lossy(&bytes).into_owned();
        }
    }
    let ok = child.wait()?.success();
    let seconds = started.elapsed().as_secs_f64();
    if output == Output::PrintedAtTheEnd {
        let (word, took) = (if ok { "ok" } else { "FAIL" }, duration(seconds));
        println!("{title}\n{text}=== {name}: {word} in {took} ===");
    }
    // Steps that run tests end in their counts.
    let counts = text.lines().filter_map(Counts::parse).next_back();
    Ok(Outcome { name, ok, seconds, counts })
}

#[cfg(all(test, unix))]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_steps_last_counts_are_its_result() {
        let script = workspace::scratch("ci").unwrap().join("step.sh");
        let text = "#!/bin/sh\necho 1 passed, 0 failed, 0 skipped\n\
                    echo 2 passed, 1 failed, 3 skipped\necho 'error: no' >&2\nexit 1\n";
        std::fs::write(&script, text).unwrap();
        std::fs::set_permissions(&script, PermissionsExt::from_mode(0o755)).unwrap();
        for output in [Output::PassedOn, Output::PrintedAtTheEnd] {
            let outcome = step("sample", &[script.to_str().unwrap()], output).unwrap();
            assert!(!outcome.ok);
            assert_eq!(outcome.counts, Some(Counts { passed: 2, failed: 1, skipped: 3 }));
        }
    }
}
