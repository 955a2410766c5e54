//! Why a test does not apply to a target: the list in `tests/conformance/not-applicable.toml`.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::scan::{Test, TestFile};

/// The possible reasons. `host-lacks:<interface>` is the only open one.
const KNOWN: &[&str] = &[
    "threads",
    "process",
    "signal",
    "unix-only",
    "windows",
    "unwind",
    "unstable",
    "uring",
    "std-net",
    "temp-dir",
    "browser",
    "fixtures",
    "service",
    "dev-dependency",
    "too-slow",
    "upstream-ignored",
];

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    entry: Vec<Entry>,
}

/// Some tests and why they do not apply.
#[derive(Deserialize, Clone, Debug)]
#[serde(deny_unknown_fields)]
struct Entry {
    /// Targets; empty: all.
    #[serde(default)]
    targets: Vec<String>,
    /// Files by name, `*` for any run of characters.
    files: Vec<String>,
    /// Tests by name, likewise; empty: the whole file.
    #[serde(default)]
    tests: Vec<String>,
    reason: String,
    /// The file, or each of the tests, does not even compile for the target and is left out of the build:
    /// what it would need, one of which its source must name.
    #[serde(default)]
    leave_out: Vec<String>,
    /// The file keeps its own gates, because the gated code does not compile for the target.
    #[serde(default)]
    keep_gates: bool,
    /// It passes or fails by chance: do not fail the run when it passes.
    #[serde(default)]
    flaky: bool,
}

/// The entries that concern a target.
pub(crate) struct Reasons {
    entries: Vec<Entry>,
}

impl Reasons {
    pub(crate) fn load(path: &Path, target: &str) -> Result<Reasons> {
        let text =
            fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
        let document: Document =
            toml::from_str(&text).with_context(|| format!("in {}", path.display()))?;
        let concerns = |e: &Entry| e.targets.is_empty() || e.targets.iter().any(|t| t == target);
        let entries: Vec<Entry> = document.entry.into_iter().filter(concerns).collect();
        for entry in &entries {
            if !KNOWN.contains(&entry.reason.as_str()) && !entry.reason.starts_with("host-lacks:") {
                bail!("{}: `{}` is not a reason of the closed list", path.display(), entry.reason);
            }
        }
        Ok(Reasons { entries })
    }

    /// Whether the file is not built.
    pub(crate) fn leaves_out(&self, file: &str) -> bool {
        self.leaving_out(file).any(|e| e.tests.is_empty())
    }

    fn leaving_out<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a Entry> {
        self.entries.iter().filter(move |e| !e.leave_out.is_empty() && e.has_file(file))
    }

    /// Checks that a file that is left out names the item that it is left out for.
    ///
    /// # Errors
    ///
    /// Fails with the first file that does not.
    pub(crate) fn check_left_out(&self, files: &BTreeMap<String, TestFile>) -> Result<()> {
        for (name, file) in files {
            let names = |text: &String| file.source.contains(text);
            if let Some(entry) = self.leaving_out(name).find(|e| !e.leave_out.iter().any(names)) {
                bail!(
                    "{name} is left out of the build for naming one of {:?}, and names none of them: it may \
                     compile now, so take its entry out of the list",
                    entry.leave_out
                );
            }
        }
        Ok(())
    }

    /// The file's tests that are not built.
    pub(crate) fn left_out_tests<'a>(&'a self, file: &'a str) -> impl Iterator<Item = &'a str> {
        self.leaving_out(file).flat_map(|e| e.tests.iter().map(String::as_str))
    }

    /// Whether the file's gates stay.
    pub(crate) fn keeps_gates(&self, file: &str) -> bool {
        self.entries.iter().any(|e| e.keep_gates && e.has_file(file))
    }

    /// The listed reason for a test, and whether a pass is to be excused.
    pub(crate) fn listed(&self, file: &str, name: &str) -> Option<(&str, bool)> {
        let last = name.rsplit("::").next().unwrap_or(name);
        let matches = |e: &&Entry| {
            e.has_file(file)
                && if e.tests.is_empty() {
                    !e.keep_gates
                } else {
                    e.tests.iter().any(|t| glob(t, name) || glob(t, last))
                }
        };
        self.entries.iter().find(matches).map(|e| (e.reason.as_str(), e.flaky))
    }

    /// The reason for a test that was not built, from the list or from its own `cfg`s.
    pub(crate) fn hidden(&self, file: &str, source: &TestFile, test: &Test) -> Option<String> {
        if let Some((reason, _)) = self.listed(file, &test.name) {
            return Some(reason.to_owned());
        }
        let cfg = format!("{} {}", source.cfg, test.cfg).replace(' ', "");
        let hints: &[(&str, &str)] = &[
            ("io-uring", "uring"),
            ("tokio_unstable", "unstable"),
            ("schedule-latency", "unstable"),
            ("cfg(windows)", "windows"),
            ("panic=\"unwind\"", "unwind"),
            ("panic=\"abort\"", "unwind"),
            ("target_os=\"emscripten\"", "host-lacks:emscripten"),
            ("target_os=\"freebsd\"", "host-lacks:freebsd"),
            ("target_os=\"unknown\"", "host-lacks:javascript"),
            ("target_pointer_width=\"32\"", "host-lacks:32-bit"),
            ("target_pointer_width=\"64\"", "host-lacks:64-bit"),
            ("cfg(unix)", "unix-only"),
            ("unix,", "unix-only"),
            (",unix)", "unix-only"),
            ("target_os=\"linux\"", "unix-only"),
        ];
        if let Some((_, reason)) = hints.iter().find(|(text, _)| cfg.contains(text)) {
            return Some((*reason).to_owned());
        }
        let gated = self.entries.iter().find(|e| e.keep_gates && e.has_file(file));
        gated.map(|e| e.reason.clone())
    }
}

impl Entry {
    fn has_file(&self, file: &str) -> bool {
        self.files.iter().any(|f| glob(f, file))
    }
}

/// Whether `text` matches `pattern`, in which `*` stands for any run of characters.
fn glob(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => {
            let Some(text) = text.strip_prefix(start) else { return false };
            (0..=text.len()).any(|i| text.is_char_boundary(i) && glob(rest, &text[i..]))
        }
    }
}
