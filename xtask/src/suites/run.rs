//! Runs every test in a guest of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use anyhow::{Result, bail};
use xtask::process::Running;
use xtask::targets::Target;

use super::build::Prepared;
use super::{Args, Tools};
use crate::conformance::Outcome;
use crate::conformance::reasons::Reasons;

/// Tells a harness of `cargo wasio test` to run the test of that name.
const INVOKE: &str = "__RUST_TEST_INVOKE";
/// What it exits with if the test passed; a panic traps, which is another code.
const PASSED: i32 = 50;
/// The same for a component without tokio, whose host is told of no codes.
const NOT_ZERO: i32 = 1;

/// No harness takes longer to say which tests it has; the first time, it is compiled.
const LIST: Duration = Duration::from_secs(600);

/// A test and its result.
pub(super) struct Verdict {
    pub(super) file: String,
    pub(super) name: String,
    pub(super) outcome: Outcome,
}

/// A test that was built.
struct Job<'a> {
    file: &'a str,
    name: String,
    binary: &'a Path,
    ignored: bool,
}

pub(super) fn run(
    tools: &Tools,
    args: &Args,
    target: Target,
    prepared: &Prepared,
    binaries: &BTreeMap<String, PathBuf>,
    reasons: &Reasons,
) -> Result<Vec<Verdict>> {
    let guest = |binary: &Path| {
        let mut command = Command::new(&tools.runner);
        command.args(["run", "--net", "all", "--dir", ".", "--dir"]).arg(&prepared.folder);
        command.env("RUST_BACKTRACE", "0").current_dir(&prepared.folder);
        (command, binary.to_owned())
    };
    let limit = Duration::from_secs(args.timeout);
    let list = |binary: &Path, more: &[&str]| -> Result<BTreeSet<String>> {
        let (mut command, binary) = guest(binary);
        command.arg("--").arg(&binary).args(["--list", "--format", "terse"]).args(more);
        let said = Running::spawn("harness", &mut command)?.finish(LIST)?;
        if !said.status.success() {
            bail!("{} --list: {}", binary.display(), said.stderr);
        }
        Ok(said
            .stdout
            .lines()
            .filter_map(|l| l.strip_suffix(": test"))
            .map(str::to_owned)
            .collect())
    };
    let mut jobs = Vec::new();
    let mut verdicts = Vec::new();
    for (file, binary) in binaries {
        let ignored = list(binary, &["--ignored"])?;
        let all = list(binary, &[])?;
        if let Some(source) = prepared.files.get(file) {
            let built = |name: &str| all.iter().any(|t| t.rsplit("::").next() == Some(name));
            for test in source.tests.iter().filter(|test| !built(&test.name)) {
                let outcome = match reasons.hidden(file, source, test) {
                    Some(reason) => Outcome::NotApplicable(reason),
                    None => Outcome::Failed("not built, and no reason is listed".into()),
                };
                verdicts.push(Verdict { file: file.clone(), name: test.name.clone(), outcome });
            }
        }
        for name in all {
            let ignored = ignored.contains(&name);
            jobs.push(Job { file, name, binary, ignored });
        }
    }
    let one = |job: &Job<'_>| {
        let listed = reasons.listed(job.file, &job.name);
        if job.ignored && listed.is_none() {
            return Outcome::NotApplicable("upstream-ignored".into());
        }
        let (mut command, binary) = guest(job.binary);
        command.args(["--env", &format!("{INVOKE}={}", job.name), "--"]).arg(binary);
        // What is expected to fail may hang: it gets less time.
        let limit = if listed.is_some() { limit.min(Duration::from_secs(10)) } else { limit };
        let ended = Running::spawn(&job.name, &mut command).and_then(|guest| guest.finish(limit));
        let passed = match &ended {
            Ok(ended) => match ended.status.code() {
                Some(PASSED) => true,
                Some(NOT_ZERO) => target == Target::P2,
                _ => false,
            },
            Err(_) => false,
        };
        match (passed, listed) {
            (true, None | Some((_, true))) => Outcome::Passed,
            (true, Some((reason, false))) => Outcome::Failed(format!(
                "passes, although it is listed as not applicable ({reason})"
            )),
            (false, Some((reason, _))) => Outcome::NotApplicable(reason.to_owned()),
            (false, None) => Outcome::Failed(match ended {
                Ok(ended) => ended.failure("failed").to_string(),
                Err(failure) => failure.to_string(),
            }),
        }
    };
    let next = AtomicUsize::new(0);
    let results = Mutex::new(verdicts);
    thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = one(job);
                    let (file, name) = (job.file.to_owned(), job.name.clone());
                    let verdict = Verdict { file, name, outcome };
                    results.lock().expect("a worker panicked").push(verdict);
                }
            });
        }
    });
    let mut verdicts = results.into_inner().expect("a worker panicked");
    verdicts.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    Ok(verdicts)
}
