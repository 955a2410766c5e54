//! Runs every test in a process of its own.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use indicatif::{ProgressBar, ProgressStyle};
use xtask::engine::Runner;
use xtask::platform::target_name;
use xtask::targets::Target;
use xtask::workspace;

use super::reasons::Reasons;
use super::scan::{Test, TestFile};
use super::{Options, Outcome, Verdict};

/// A test that was built.
struct Job<'a> {
    file: &'a str,
    /// Path within its file's module.
    name: String,
    binary: &'a Path,
    source: Option<&'a Test>,
}

pub(crate) fn run(
    options: &Options,
    files: &BTreeMap<String, TestFile>,
    binaries: &BTreeMap<String, PathBuf>,
    reasons: &Reasons,
) -> Result<Vec<Verdict>> {
    let harness = Harness::find(options.target)?;
    let mut jobs = Vec::new();
    let mut verdicts = Vec::new();
    let wanted = |file: &str, name: &str| {
        options.filter.as_ref().is_none_or(|f| format!("{file}::{name}").contains(f.as_str()))
    };
    let mut built: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    for binary in binaries.values() {
        for test in harness.list(binary)? {
            let Some((file, name)) = test.split_once("::") else { continue };
            let Some((file, source)) = files.get_key_value(file) else { continue };
            let last = name.rsplit("::").next().unwrap_or(name);
            built.entry(file).or_default().insert(last.to_owned());
            if wanted(file, name) {
                let source = source.tests.iter().find(|t| t.name == last);
                jobs.push(Job { file, name: name.to_owned(), binary, source });
            }
        }
    }
    for (file, source) in files {
        for test in &source.tests {
            let is_built = built.get(file.as_str()).is_some_and(|b| b.contains(&test.name));
            if !is_built && wanted(file, &test.name) {
                let outcome = match reasons.hidden(file, source, test) {
                    Some(reason) => Outcome::NotApplicable(reason),
                    None => Outcome::Failed("not built, and no reason is listed".into()),
                };
                verdicts.push(Verdict { file: file.clone(), name: test.name.clone(), outcome });
            }
        }
    }
    let bar = ProgressBar::new(jobs.len() as u64).with_style(
        ProgressStyle::with_template("{bar:30} {pos}/{len} {msg}").context("a fixed template")?,
    );
    let next = AtomicUsize::new(0);
    let results = Mutex::new(verdicts);
    thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) {
                    bar.set_message(format!("{}::{}", job.file, job.name));
                    let outcome = judge(options, &harness, job, reasons);
                    let verdict =
                        Verdict { file: job.file.to_owned(), name: job.name.clone(), outcome };
                    results.lock().expect("a worker panicked").push(verdict);
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    let mut verdicts = results.into_inner().expect("a worker panicked");
    verdicts.sort_by(|a, b| (&a.file, &a.name).cmp(&(&b.file, &b.name)));
    Ok(verdicts)
}

/// Runs a test and compares the result with the list.
fn judge(options: &Options, harness: &Harness, job: &Job<'_>, reasons: &Reasons) -> Outcome {
    let listed = reasons.listed(job.file, &job.name);
    if listed.is_none() && job.source.is_some_and(|t| t.ignored) {
        return Outcome::NotApplicable("upstream-ignored".into());
    }
    // A test that is expected to fail may hang, so it gets less time.
    let seconds = if listed.is_some() { options.timeout.min(10) } else { options.timeout };
    let result = harness.run(job, Duration::from_secs(seconds));
    match (result, listed) {
        (Ok(()), None) => Outcome::Passed,
        (Ok(()), Some((_, true))) => Outcome::Passed,
        (Ok(()), Some((reason, false))) => {
            Outcome::Failed(format!("passes, although it is listed as not applicable ({reason})"))
        }
        (Err(_), Some((reason, _))) => Outcome::NotApplicable(reason.to_owned()),
        (Err(error), None) => Outcome::Failed(error),
    }
}

/// The way to run a binary.
struct Harness {
    target: Option<Target>,
    /// Where the tests run.
    cwd: PathBuf,
    runner: Vec<String>,
}

impl Harness {
    fn find(target: Option<Target>) -> Result<Harness> {
        let runner = match target {
            None => Vec::new(),
            Some(_) => {
                let wasio = Runner::wasio(&|_| {})?;
                let program = wasio.program().context("wasio is a program")?.to_string_lossy();
                let words = [&*program, "run", "--net", "all", "--dir", ".::/", "--"];
                words.map(str::to_owned).to_vec()
            }
        };
        let cwd =
            workspace::root().join("target/conformance").join(target_name(target)).join("cwd");
        Ok(Harness { target, cwd, runner })
    }

    fn command(&self, binary: &Path) -> Command {
        let mut command = match self.runner.split_first() {
            None => Command::new(binary),
            Some((program, arguments)) => {
                let mut command = Command::new(program);
                command.args(arguments).arg(binary);
                command
            }
        };
        // Traces would displace the message from the recorded output.
        command.current_dir(&self.cwd).env("RUST_BACKTRACE", "0");
        command
    }

    fn list(&self, binary: &Path) -> Result<Vec<String>> {
        let output = self.command(binary).args(["--list", "--format", "terse"]).output()?;
        if !output.status.success() {
            bail!("{} --list: {}", binary.display(), String::from_utf8_lossy(&output.stderr));
        }
        let text = String::from_utf8_lossy(&output.stdout);
        Ok(text.lines().filter_map(|l| l.strip_suffix(": test").map(str::to_owned)).collect())
    }

    /// Runs one test. The error is the end of its output.
    fn run(&self, job: &Job<'_>, timeout: Duration) -> Result<(), String> {
        let mut child = self
            .command(job.binary)
            .args([
                "--exact",
                &format!("{}::{}", job.file, job.name),
                "--include-ignored",
                "--nocapture",
            ])
            .args(["--test-threads", "1"])
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| format!("cannot be started: {e}"))?;
        let stdout = drain(child.stdout.take());
        let stderr = drain(child.stderr.take());
        let status = wait(&mut child, timeout);
        let text =
            format!("{}{}", stdout.join().unwrap_or_default(), stderr.join().unwrap_or_default());
        let Some(success) = status else {
            return Err(format!("no end after {} s: {}", timeout.as_secs(), gist(&text)));
        };
        let ran = text.contains("running 1 test");
        let must_panic = job.source.and_then(|t| t.should_panic.as_ref());
        match must_panic {
            // Where a panic ends the program, the message decides.
            Some(message) if self.target.is_some() => {
                if !success && text.contains("panicked at") && text.contains(message.as_str()) {
                    Ok(())
                } else {
                    Err(format!("did not panic with {message:?}: {}", gist(&text)))
                }
            }
            _ if success && ran => Ok(()),
            _ => Err(gist(&text)),
        }
    }
}

fn drain(pipe: Option<impl Read + Send + 'static>) -> thread::JoinHandle<String> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        if let Some(pipe) = pipe {
            // A test that floods its output is judged by the first megabyte.
            let mut pipe = pipe;
            let _ = pipe.by_ref().take(1 << 20).read_to_end(&mut bytes);
            let _ = io::copy(&mut pipe, &mut io::sink());
        }
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Whether the child succeeded; `None` when it had to be killed.
fn wait(child: &mut Child, timeout: Duration) -> Option<bool> {
    let deadline = Instant::now() + timeout;
    let mut pause = Duration::from_millis(1);
    loop {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status.success());
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            let _ = child.wait();
            return None;
        }
        thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(50));
    }
}

/// The most useful part of a failure's output: the panic, or else the end.
fn gist(text: &str) -> String {
    const MOST: usize = 1500;
    if let Some(panic) = text.find("panicked at") {
        return text[panic..].chars().take(MOST).collect::<String>().trim().to_owned();
    }
    let start = text.len().saturating_sub(MOST);
    let start = (start..text.len()).find(|i| text.is_char_boundary(*i)).unwrap_or(text.len());
    text[start..].trim().to_owned()
}
