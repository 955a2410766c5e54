//! Reads what Rust's test harness prints: counts and the names of failed tests.

use std::ops::AddAssign;

/// The numbers of tests by result.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, serde::Serialize)]
pub struct Counts {
    /// Tests that passed.
    pub passed: usize,
    /// Tests that failed.
    pub failed: usize,
    /// Tests that were ignored, or had nothing to run against.
    pub skipped: usize,
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        self.passed += other.passed;
        self.failed += other.failed;
        self.skipped += other.skipped;
    }
}

impl Counts {
    /// Reads what `Display` wrote.
    pub fn parse(line: &str) -> Option<Counts> {
        let mut parts = line.trim().split(", ");
        let mut part = |name: &str| parts.next()?.strip_suffix(name)?.trim_end().parse().ok();
        let counts =
            Counts { passed: part("passed")?, failed: part("failed")?, skipped: part("skipped")? };
        parts.next().is_none().then_some(counts)
    }
}

impl std::fmt::Display for Counts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Counts { passed, failed, skipped } = self;
        write!(f, "{passed} passed, {failed} failed, {skipped} skipped")
    }
}

/// The output of `cargo test`, summed up over its test binaries.
#[derive(Debug, Default, Clone)]
pub struct Summary {
    /// Summed over all binaries.
    pub counts: Counts,
    /// The tests that failed, and those under way when their binary died.
    pub failures: Vec<String>,
}

/// Sums up the harness output of any number of test binaries.
///
/// A binary that announces tests (`running N tests`) and never reports a result has died: a
/// panic ends a WASI guest. It counts as one failure, named after the test that was under way.
pub fn parse(output: &str) -> Summary {
    let mut summary = Summary::default();
    let mut open = false;
    let mut under_way: Option<String> = None;
    for line in output.lines() {
        if line.starts_with("running ") && line.trim_end().ends_with(['t', 's']) {
            close(&mut summary, &mut open, &mut under_way);
            open = true;
        } else if let Some(rest) = line.strip_prefix("test result: ") {
            summary.counts += counts(rest);
            (open, under_way) = (false, None);
        } else if let Some(rest) = line.strip_prefix("test ") {
            let Some((name, result)) = rest.split_once(" ... ") else { continue };
            if result.starts_with("FAILED") {
                summary.failures.push(name.trim().to_owned());
            }
            let ended = ["ok", "FAILED", "ignored"].iter().any(|word| result.contains(word));
            under_way = (!ended).then(|| name.trim().to_owned());
        }
    }
    close(&mut summary, &mut open, &mut under_way);
    summary
}

/// The output about failures: the part of each binary that follows `failures:`, or the last lines if no binary wrote
/// one. At most the first 200 lines of it.
pub fn told(output: &str) -> Vec<&str> {
    let mut inside = false;
    let mut told: Vec<&str> = Vec::new();
    for line in output.lines() {
        // The heading is written twice: before the tests' output, and before their names.
        inside = (inside || line == "failures:") && !line.starts_with("running ");
        if inside {
            told.push(line);
        }
    }
    if told.is_empty() {
        let all = output.lines().count();
        told = output.lines().skip(all.saturating_sub(60)).collect();
    }
    told.truncate(200);
    told
}

/// The counts of each test file that cargo said it ran, by the file's name. `stderr` has cargo's words, in the
/// order of the binaries' own on `stdout`.
pub fn by_file(stdout: &str, stderr: &str) -> Vec<(String, Counts)> {
    let files = stderr.lines().filter_map(|line| {
        let line = line.trim_start();
        match line.strip_prefix("Running ") {
            Some(rest) => {
                let file = rest.split(" (").next()?.rsplit('/').next()?;
                Some(file.trim_end_matches(".rs").to_owned())
            }
            None => line.starts_with("Doc-tests ").then(|| "documentation".to_owned()),
        }
    });
    let mut runs: Vec<String> = Vec::new();
    for line in stdout.lines() {
        if line.starts_with("running ") && line.trim_end().ends_with(['t', 's']) {
            runs.push(String::new());
        }
        if let Some(run) = runs.last_mut() {
            run.push_str(line);
            run.push('\n');
        }
    }
    files.zip(runs).map(|(file, run)| (file, parse(&run).counts)).collect()
}

/// The counts of each single test, by name.
pub fn by_test(stdout: &str) -> Vec<(String, Counts)> {
    let tests = stdout.lines().filter_map(|line| {
        let (name, result) = line.strip_prefix("test ")?.split_once(" ... ")?;
        let mut counts = Counts::default();
        match result.split_whitespace().next()? {
            "ok" => counts.passed = 1,
            "ignored" => counts.skipped = 1,
            _ => counts.failed = 1,
        }
        Some((name.trim().to_owned(), counts))
    });
    tests.collect()
}

fn close(summary: &mut Summary, open: &mut bool, under_way: &mut Option<String>) {
    if std::mem::take(open) {
        summary.counts.failed += 1;
        let name = under_way.take().unwrap_or_else(|| "(a test binary)".to_owned());
        summary.failures.push(format!("{name}: its process ended early"));
    }
}

/// The counts of a line such as `ok. 3 passed; 0 failed; 1 ignored; 0 measured; …`.
fn counts(line: &str) -> Counts {
    let number = |word: &str| {
        let end = line.find(word)?;
        line[..end].trim_end().rsplit([' ', ';', '.']).next()?.parse::<usize>().ok()
    };
    Counts {
        passed: number(" passed").unwrap_or(0),
        failed: number(" failed").unwrap_or(0),
        skipped: number(" ignored").unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn failures_are_found_wherever_they_stand() {
        let failed = "failures:\n\n---- b stdout ----\nno 2\n\nfailures:\n    b\n\ntest result: FAILED. 1 passed; 1 failed";
        let many = "test ok ... ok\n".repeat(300);
        let output =
            format!("running 2 tests\ntest b ... FAILED\n{failed}\nrunning 300 tests\n{many}");
        assert_eq!(told(&output), failed.lines().collect::<Vec<_>>());
        // A binary that died has no other output.
        assert_eq!(told(&many).len(), 60);
    }

    #[test]
    fn sums_up_binaries() {
        let output = "\nrunning 2 tests\ntest a ... ok\ntest b ... ignored\n\n\
            test result: ok. 1 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.00s\n\
            \nrunning 1 test\ntest c ... FAILED\n\n\
            test result: FAILED. 0 passed; 1 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let summary = parse(output);
        assert_eq!(summary.counts, Counts { passed: 1, failed: 1, skipped: 1 });
        assert_eq!(summary.failures, ["c"]);
    }

    #[test]
    fn a_binary_that_dies_is_a_failure() {
        let output = "running 2 tests\ntest a ... ok\ntest b ... thread 'main' panicked at x.rs\n\
            running 1 test\ntest c ... ok\n\
            test result: ok. 1 passed; 0 failed; 0 ignored; 0 measured; 0 filtered out\n";
        let summary = parse(output);
        assert_eq!(summary.counts, Counts { passed: 1, failed: 1, skipped: 0 });
        assert_eq!(summary.failures, ["b: its process ended early"]);
    }

    #[test]
    fn counts_are_read_as_they_are_written() {
        let counts = Counts { passed: 12, failed: 0, skipped: 3 };
        assert_eq!(Counts::parse(&counts.to_string()), Some(counts));
        assert_eq!(Counts::parse("12 passed, 0 failed"), None);
        assert_eq!(Counts::parse("1 passed, 0 failed, 3 skipped, 4 lost"), None);
    }

    #[test]
    fn files_and_tests_are_told_apart() {
        let stdout = "\nrunning 2 tests\ntest x ... ok\ntest y ... ignored\n\n\
            test result: ok. 1 passed; 0 failed; 1 ignored\n\nrunning 1 test\ntest z ... FAILED\n\n\
            test result: FAILED. 0 passed; 1 failed; 0 ignored\n";
        let stderr = "   Compiling a v0.1.0\n     Running unittests src/lib.rs (target/a.wasm)\n     \
            Running tests/net_tcp.rs (target/b.wasm)\n";
        let counts = |passed, failed, skipped| Counts { passed, failed, skipped };
        let files = by_file(stdout, stderr);
        assert_eq!(files[0], ("lib".to_owned(), counts(1, 0, 1)));
        assert_eq!(files[1], ("net_tcp".to_owned(), counts(0, 1, 0)));
        let tests = by_test(stdout);
        assert_eq!(tests[1], ("y".to_owned(), counts(0, 0, 1)));
        assert_eq!(tests[2], ("z".to_owned(), counts(0, 1, 0)));
    }

    #[test]
    fn nothing_run_is_nothing_counted() {
        assert_eq!(parse("Compiling x v0.1.0\n").counts, Counts::default());
    }
}
