//! `cargo xtask ci`: what continuous integration runs, in order, each step runnable by hand.
//!
//! A failed step does not stop the later ones: one run shows everything that is wrong. The last
//! line printed is the tests' sum.

use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
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
const STEPS: &[(&str, &[&str])] = &[
    ("packages", &["ci/packages.sh"]),
    ("targets", &["ci/targets.sh"]),
    ("fmt", &["ci/fmt.sh"]),
    ("clippy", &["ci/clippy.sh"]),
    ("cross", &["ci/cross.sh"]),
    ("doc", &["ci/doc.sh"]),
    ("table", &["xtask", "table", "--check"]),
    ("links", &["xtask", "links"]),
    ("surface", &["xtask", "surface"]),
    ("loom", &["ci/loom.sh"]),
    ("counts", &["ci/counts.sh"]),
    ("test", &["xtask", "test"]),
    ("fuzz", &["ci/fuzz.sh"]),
    ("demo", &["xtask", "demo"]),
    ("crates table", &["xtask", "crates", "--check"]),
    // Two cores, and most of these tests wait: twice as many run at once.
    ("conformance native", &["xtask", "conformance", "--target", "native", "--jobs", "4"]),
    ("conformance wasip1", &["xtask", "conformance", "--target", "wasip1", "--jobs", "4"]),
    ("conformance wasip2", &["xtask", "conformance", "--target", "wasip2", "--jobs", "4"]),
];

pub(crate) fn run(args: &Args) -> Result<()> {
    let mut sum = Counts::default();
    let mut failed = Vec::new();
    let mut report = Vec::new();
    let chosen = |name: &str| args.only.as_deref().is_none_or(|only| name.contains(only));
    for (name, words) in STEPS.iter().filter(|(name, _)| chosen(name)) {
        println!("\n=== {name}: {} ===", words.join(" "));
        let started = Instant::now();
        let (ok, last) = step(words)?;
        let took = duration(started.elapsed().as_secs_f64());
        report.push(format!("{:4} {name:20} {took:>12}", if ok { "ok" } else { "FAIL" }));
        if !ok {
            failed.push(*name);
        }
        // Steps that run tests end in their counts.
        if let Some(counts) = last.as_deref().and_then(Counts::parse) {
            sum += counts;
        }
    }
    println!("\n=== summary ===");
    report.iter().for_each(|line| println!("{line}"));
    if sum != Counts::default() {
        println!("{sum}");
    }
    if failed.is_empty() {
        return Ok(());
    }
    // Printed to standard error, so that the sum stays the last line of the output.
    bail!("failed: {}", failed.join(", "))
}

/// Runs one step, passing its output on. Returns whether it succeeded, and its last line.
fn step(words: &[&str]) -> Result<(bool, Option<String>)> {
    let program = match words[0] {
        "xtask" => workspace::this_program()?.to_owned(),
        script => workspace::root().join(script),
    };
    let mut child = Command::new(&program)
        .args(&words[1..])
        .current_dir(workspace::root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("start {}", program.display()))?;
    let mut last = None;
    for line in BufReader::new(child.stdout.take().expect("piped above")).lines() {
        let line = line?;
        println!("{line}");
        if !line.trim().is_empty() {
            last = Some(line);
        }
    }
    Ok((child.wait()?.success(), last))
}
