//! `cargo xtask conformance`: tokio's own integration tests against the drop-in.
//!
//! The published package is taken through cargo, its `tests/` are copied into a scratch folder under
//! `target/`, built against the drop-in and run, each test in a process of its own. Nothing of tokio is
//! committed. Every test of the package gets a result: passed, failed, or not applicable with a reason of a
//! closed list (`tests/conformance/not-applicable.toml`). A listed test that passes fails the run.

pub(crate) mod build;
pub(crate) mod reasons;
mod report;
mod run;
pub(crate) mod scan;

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use xtask::platform::{BuiltFor, target_name, target_parser};
use xtask::workspace;

/// The version whose tests are run.
const TOKIO: &str = "1.54.1";

/// Options of `cargo xtask conformance`.
#[derive(Args, Debug)]
pub(crate) struct Options {
    /// The target to build the tests for.
    #[arg(long, value_parser = target_parser(), default_value = "native")]
    target: BuiltFor,
    /// Run only tests with this text in `file::name`.
    filter: Option<String>,
    /// Write the results as JSON to this file, `-` for standard output.
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
}

/// How a test ended.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) enum Outcome {
    Passed,
    Failed(String),
    NotApplicable(String),
}

/// A test and its result.
#[derive(Clone, Debug)]
pub(crate) struct Verdict {
    file: String,
    name: String,
    outcome: Outcome,
}

/// Runs the command; fails when a test failed.
pub(crate) fn command(options: &Options) -> Result<()> {
    let (passed, failed, skipped) = run(options)?;
    println!("{passed} passed, {failed} failed, {skipped} skipped");
    if failed > 0 {
        bail!("{failed} of tokio's tests failed");
    }
    Ok(())
}

/// Runs the tests; the counts are passed, failed and not applicable.
fn run(options: &Options) -> Result<(usize, usize, usize)> {
    let root = workspace::root();
    let reasons = reasons::Reasons::load(
        &root.join("tests/conformance/not-applicable.toml"),
        target_name(options.target),
    )?;
    let scratch = root.join("target/conformance").join(target_name(options.target));
    let package = build::package(root, "tokio", TOKIO)?;
    let files = scan::scan(&package.join("tests"))?;
    reasons.check_left_out(&files)?;
    build::prepare(root, &package, &scratch, options.target, &files, &reasons)?;
    let binaries = build::build(&scratch, options.target)
        .context("building tokio's tests against the drop-in")?;
    let verdicts = run::run(options, &files, &binaries, &reasons)?;
    if verdicts.is_empty() {
        bail!("no test matches the filter");
    }
    report::print(options, TOKIO, &verdicts)?;
    let count = |f: fn(&Outcome) -> bool| verdicts.iter().filter(|v| f(&v.outcome)).count();
    Ok((
        count(|o| *o == Outcome::Passed),
        count(|o| matches!(o, Outcome::Failed(_))),
        count(|o| matches!(o, Outcome::NotApplicable(_))),
    ))
}
