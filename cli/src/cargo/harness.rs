//! Runs a test harness: each test in a guest of its own, which ends if the test fails.
//!
//! The list of tests comes from libtest. Without the name of a test to run, the harness (see `rustc`) tries to start
//! itself for each test, cannot, and reports that in its usual form, after filters, `--ignored` and the like. With the
//! name of a test in a variable, it runs this one and exits with 50 if it passed. `should_panic` and the expected
//! message are handled by the harness.
//!
//! The output looks like libtest's. Tests run one after the other, as they would in one guest, unless `--test-threads`
//! says otherwise.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io::{self, IsTerminal, Read, Write};
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;
use std::{env, fs, thread};

use anyhow::{Context, Result, bail};

/// The variable that names the test to run.
pub(super) const INVOKE: &str = "__RUST_TEST_INVOKE";
/// The exit code of a harness whose one test passed.
const PASSED: i32 = 50;
/// The same on hosts that are not told the code: WASI 0.2, without the drop-in. Any code but 0 is 1 there.
const NOT_SUCCESS: i32 = 1;
/// The exit code of libtest when tests fail.
const EXIT_CODE: u8 = 101;

/// The format that a harness is compiled to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Kind {
    Module,
    Component,
}

/// Returns the kind of `file` if it is a harness that can run a single test. Only libtest's harnesses can.
pub(super) fn of(file: &Path) -> Result<Option<Kind>> {
    let bytes = fs::read(file).with_context(|| format!("cannot read {}", file.display()))?;
    let kind = if bytes.starts_with(b"\0asm\x01\0\0\0") { Kind::Module } else { Kind::Component };
    Ok(memchr::memmem::find(&bytes, INVOKE.as_bytes()).map(|_| kind))
}

/// How tests are run and shown.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Options {
    /// libtest's own options: filters, `--exact`, `--skip`, `--ignored`.
    selection: Vec<OsString>,
    show_all: bool,
    nocapture: bool,
    terse: bool,
    colour: Option<bool>,
    threads: usize,
}

impl Options {
    /// Reads the arguments of a harness. `None` means that the harness answers itself, without running a test.
    ///
    /// # Errors
    ///
    /// An error if an option asks for something that is not supported here.
    pub(super) fn parse(args: &[OsString]) -> Result<Option<Options>> {
        let set = |name: &str| env::var(name).ok().filter(|value| value != "0");
        let mut options =
            Options { nocapture: set("RUST_TEST_NOCAPTURE").is_some(), ..Options::default() };
        let mut threads = set("RUST_TEST_THREADS");
        let mut rest = args.iter();
        while let Some(arg) = rest.next() {
            let text = arg.to_string_lossy();
            let (name, inline) = match text.split_once('=') {
                Some((name, value)) if name.starts_with("--") => (name, Some(value.to_owned())),
                _ => (&*text, None),
            };
            let mut value = || {
                inline
                    .clone()
                    .or_else(|| rest.next().map(|value| value.to_string_lossy().into_owned()))
            };
            match name {
                "--list" | "--help" | "-h" | "--bench" => return Ok(None),
                "--nocapture" | "--no-capture" => options.nocapture = true,
                "--show-output" => options.show_all = true,
                "-q" | "--quiet" => options.terse = true,
                "--test-threads" => threads = Some(value().unwrap_or_default()),
                "--color" => {
                    options.colour = match value().as_deref() {
                        Some("always") => Some(true),
                        Some("never") => Some(false),
                        _ => None,
                    }
                }
                "--format" => match value().as_deref() {
                    Some("pretty") => {}
                    Some("terse") => options.terse = true,
                    other => bail!(
                        "`--format {}` is not supported: each test runs in its own guest, and results are shown \
                         as `pretty` or `terse`",
                        other.unwrap_or_default()
                    ),
                },
                "--logfile"
                | "--report-time"
                | "--ensure-time"
                | "--shuffle"
                | "--shuffle-seed"
                | "--force-run-in-process" => {
                    bail!(
                        "`{name}` is not supported: `cargo wasio test` runs each test in its own guest"
                    )
                }
                "--skip" => {
                    options.selection.push(arg.clone());
                    if inline.is_none() {
                        options.selection.extend(rest.next().cloned());
                    }
                }
                _ => options.selection.push(arg.clone()),
            }
        }
        options.threads = match threads.map(|text| text.parse::<usize>()) {
            None => 1,
            Some(Ok(threads)) if threads > 0 => threads,
            Some(_) => bail!("--test-threads and RUST_TEST_THREADS take a number greater than 0"),
        };
        Ok(Some(options))
    }
}

/// One test, as libtest lists it.
#[derive(Debug, PartialEq)]
struct Test {
    /// The name with libtest's addition: ` - should panic`.
    shown: String,
    name: String,
    /// libtest's own verdict if the test is not to be run: `ignored, REASON`.
    settled: Option<String>,
}

/// The parsed output of a harness that could not start its tests.
#[derive(Debug, Default, PartialEq)]
struct Listed {
    tests: Vec<Test>,
    filtered_out: usize,
}

impl Listed {
    /// Returns `None` if the output is not a harness's.
    fn parse(output: &str) -> Option<Listed> {
        let mut lines = output.lines().skip_while(|line| !line.starts_with("running "));
        let count: usize = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let mut listed = Listed::default();
        for line in lines {
            if let Some((shown, verdict)) =
                line.strip_prefix("test ").and_then(|line| line.split_once(" ... "))
            {
                let (name, mode) = shown.split_once(" - ").unwrap_or((shown, ""));
                // On WASI, libtest leaves out tests that should panic, and marks only those that are not ignored.
                let run = verdict == "FAILED" || mode == "should panic";
                listed.tests.push(Test {
                    shown: shown.to_owned(),
                    name: name.to_owned(),
                    settled: (!run).then(|| verdict.to_owned()),
                });
            } else if line.starts_with("test result: ") {
                let part = line.split("; ").find_map(|part| part.strip_suffix(" filtered out"));
                listed.filtered_out = part.and_then(|part| part.parse().ok()).unwrap_or(0);
                return (listed.tests.len() == count).then_some(listed);
            }
        }
        None
    }
}

/// How a test ended, and its output.
struct Outcome {
    test: Test,
    verdict: String,
    said: String,
}

/// Makes the command that runs the harness as a guest, given arguments and, for a single test, its name.
type Guest<'a> = dyn Fn(&[OsString], Option<&str>) -> Result<Command> + Sync + 'a;

/// Runs the harness that `guest` starts.
pub(super) fn run(
    options: &Options,
    kind: Kind,
    guest: &Guest<'_>,
    args: &[OsString],
) -> Result<ExitCode> {
    let started = Instant::now();
    let mut asking = options.selection.clone();
    asking.extend(["--format", "pretty", "--color", "never"].map(OsString::from));
    let answer =
        guest(&asking, None)?.stdin(Stdio::null()).output().context("cannot start the guest")?;
    let Some(listed) = Listed::parse(&String::from_utf8_lossy(&answer.stdout)) else {
        io::stdout().write_all(&answer.stdout)?;
        io::stderr().write_all(&answer.stderr)?;
        // The harness is not libtest's, and has already run.
        let code = answer.status.code().and_then(|code| u8::try_from(code).ok());
        return Ok(code.unwrap_or(EXIT_CODE).into());
    };
    // Nothing could be started, so a harness with a test to run exits with a code of its own.
    let passed = match answer.status.code() {
        Some(code) if code == i32::from(EXIT_CODE) => PASSED,
        _ if kind == Kind::Component => NOT_SUCCESS,
        _ => PASSED,
    };
    let Listed { tests, filtered_out } = listed;
    let view =
        View { options, colour: options.colour.unwrap_or_else(|| io::stdout().is_terminal()) };
    println!("\nrunning {} test{}", tests.len(), if tests.len() == 1 { "" } else { "s" });
    let threads = options.threads.min(tests.len());
    let open = Mutex::new(VecDeque::from(tests));
    let closed = Mutex::new(Vec::new());
    let worker = || -> Result<()> {
        loop {
            let test = open.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
            let Some(test) = test else { return Ok(()) };
            if threads == 1 {
                view.begins(&test);
            }
            let (verdict, said) = match &test.settled {
                Some(verdict) => (verdict.clone(), String::new()),
                None => one(guest(args, Some(&test.name))?, options.nocapture, passed)?,
            };
            let mut closed = closed.lock().unwrap_or_else(PoisonError::into_inner);
            if threads != 1 {
                view.begins(&test);
            }
            view.ended(&verdict);
            closed.push(Outcome { test, verdict, said });
        }
    };
    thread::scope(|scope| {
        let others: Vec<_> = (1..threads).map(|_| scope.spawn(worker)).collect();
        let own = worker();
        others.into_iter().filter_map(|other| other.join().ok()).fold(own, Result::and)
    })?;
    let mut outcomes = closed.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_by(|a, b| a.test.name.cmp(&b.test.name));
    let ok = view.sum_up(&outcomes, filtered_out, started);
    Ok(if ok { ExitCode::SUCCESS } else { EXIT_CODE.into() })
}

/// Runs one test. Returns its verdict and its output. `passed` is the exit code of a test that passed.
fn one(mut command: Command, nocapture: bool, passed: i32) -> Result<(String, String)> {
    let mut said = Vec::new();
    let status = if nocapture {
        command.status().context("cannot start the guest")?
    } else {
        // One pipe for both streams keeps their order.
        let (mut reader, writer) = io::pipe()?;
        command.stdout(writer.try_clone()?).stderr(writer);
        let mut child = command.spawn().context("cannot start the guest")?;
        drop(command);
        reader.read_to_end(&mut said)?;
        child.wait()?
    };
    let verdict = if status.code() == Some(passed) { "ok" } else { "FAILED" };
    Ok((verdict.to_owned(), String::from_utf8_lossy(&said).into_owned()))
}

/// Prints in libtest's format.
struct View<'o> {
    options: &'o Options,
    colour: bool,
}

impl View<'_> {
    fn begins(&self, test: &Test) {
        if !self.options.terse {
            print!("test {} ... ", test.shown);
            let _ = io::stdout().flush();
        }
    }

    fn ended(&self, verdict: &str) {
        if self.options.terse {
            print!("{}", self.painted(verdict, if verdict == "ok" { "." } else { &verdict[..1] }));
            let _ = io::stdout().flush();
        } else {
            println!("{}", self.painted(verdict, verdict));
        }
    }

    fn painted(&self, verdict: &str, text: &str) -> String {
        let code = match verdict {
            _ if !self.colour => return text.to_owned(),
            "ok" => 32,
            "FAILED" => 31,
            _ => 33,
        };
        format!("\x1b[{code}m{text}\x1b[0m")
    }

    /// Prints everything after the tests. Returns whether all passed.
    fn sum_up(&self, outcomes: &[Outcome], filtered_out: usize, started: Instant) -> bool {
        let with =
            |verdict: &str| outcomes.iter().filter(|o| o.verdict == verdict).collect::<Vec<_>>();
        let (passed, failed) = (with("ok"), with("FAILED"));
        if self.options.terse {
            println!();
        }
        if self.options.show_all && !passed.is_empty() {
            list("successes", &passed);
        }
        if !failed.is_empty() {
            list("failures", &failed);
        }
        let ignored = outcomes.len() - passed.len() - failed.len();
        let verdict = if failed.is_empty() { "ok" } else { "FAILED" };
        println!(
            "\ntest result: {}. {} passed; {} failed; {ignored} ignored; 0 measured; {filtered_out} filtered out; \
             finished in {:.2}s\n",
            self.painted(verdict, verdict),
            passed.len(),
            failed.len(),
            started.elapsed().as_secs_f64()
        );
        failed.is_empty()
    }
}

fn list(title: &str, outcomes: &[&Outcome]) {
    println!("\n{title}:");
    for outcome in outcomes.iter().filter(|outcome| !outcome.said.is_empty()) {
        println!("\n---- {} stdout ----\n{}", outcome.test.name, outcome.said.trim_end());
    }
    println!("\n\n{title}:");
    for outcome in outcomes {
        println!("    {}", outcome.test.name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(args: &[&str]) -> Result<Option<Options>> {
        Options::parse(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn what_is_libtests_and_what_is_ours() {
        let options = parse(&[
            "a",
            "--test-threads=3",
            "--exact",
            "--skip",
            "--nocapture",
            "-q",
            "--format",
            "pretty",
        ]);
        let options = options.unwrap().unwrap();
        assert_eq!(options.selection, ["a", "--exact", "--skip", "--nocapture"]);
        assert!(options.terse && !options.nocapture);
        assert_eq!(options.threads, 3);
        assert_eq!(parse(&["--list", "x"]).unwrap(), None);
        for wrong in [&["--format=json"][..], &["--test-threads", "0"], &["--shuffle"]] {
            assert!(parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_harness_says_what_is_to_be_run() {
        let output = "\nrunning 4 tests\ntest a ... FAILED\ntest m::b - should panic ... ignored\n\
                      test c ... ignored, slow\ntest d ... ignored\n\nfailures:\n\n---- a stdout ----\n\
                      Failed to spawn\n\nfailures:\n    a\n\n\
                      test result: FAILED. 0 passed; 1 failed; 3 ignored; 0 measured; 7 filtered out; finished in 0s\n";
        let listed = Listed::parse(output).unwrap();
        let found: Vec<_> =
            listed.tests.iter().map(|t| (t.name.as_str(), t.settled.as_deref())).collect();
        let expected =
            [("a", None), ("m::b", None), ("c", Some("ignored, slow")), ("d", Some("ignored"))];
        assert_eq!(found, expected);
        assert_eq!(listed.tests[1].shown, "m::b - should panic");
        assert_eq!(listed.filtered_out, 7);
        assert_eq!(Listed::parse("running 2 tests\ntest a ... FAILED\ntest result: x"), None);
        assert_eq!(Listed::parse("error: Unrecognized option"), None);
    }
}
