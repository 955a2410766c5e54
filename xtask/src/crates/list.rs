//! The list: `tests/crates/crates.toml`.

use std::path::Path;
use std::{fs, io};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xtask::targets::Target;
use xtask::workspace;

use super::Outcome;

/// Why a crate does not work: a closed list.
const REASONS: &[&str] = &[
    "threads",
    "browser",
    "c",
    "c++",
    "processes",
    "system-library",
    "no-backend",
    "no-unix-sockets",
];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "crate")]
    crates: Vec<Entry>,
}

/// A crate.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Lines of TOML; empty if the crate has not been tried.
    #[serde(default)]
    pub(super) dependencies: String,
    #[serde(default)]
    pub(super) peer: Peer,
    /// What the program does, for the table.
    #[serde(default)]
    pub(super) does: String,
    /// Where continuous integration runs it.
    #[serde(default)]
    pub(super) sample: Vec<Target>,
    #[serde(default)]
    pub(super) stops: Vec<Stop>,
}

/// Whom the program talks to, and what its arguments say of it.
#[derive(Clone, Copy, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Peer {
    /// A peer that the program brings along, on loopback.
    #[default]
    Itself,
    /// `redis-server`; its port.
    Redis,
    /// PostgreSQL, without a password; its address.
    Postgres,
    /// PostgreSQL over TLS as `localhost`; its port, and the file that has its certificate.
    PostgresTls,
    /// MariaDB; a URL with user and password.
    Mariadb,
}

/// What keeps a crate from working.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stop {
    /// Empty: all of them.
    #[serde(default)]
    pub(super) targets: Vec<Target>,
    pub(super) outcome: Outcome,
    pub(super) reason: String,
    /// `PACKAGE VERSION FILE:LINE: what it is`; the package is one that `cargo wasio doctor` knows.
    pub(super) at: String,
}

impl Stop {
    pub(super) fn package(&self) -> &str {
        self.at.split(' ').next().unwrap_or_default()
    }

    /// Whether `at` names a package, its version, a file and a line.
    fn is_located(&self) -> bool {
        let words: Vec<&str> = self.at.split(' ').collect();
        let [_, version, place, _, ..] = words[..] else { return false };
        let line = place.strip_suffix(':').and_then(|place| place.rsplit(':').next());
        let numbers = |text: &str| text.starts_with(|c: char| c.is_ascii_digit());
        numbers(version) && place.contains('.') && line.is_some_and(numbers)
    }
}

pub(super) fn read(path: &Path) -> Result<Vec<Entry>> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    parse(&text).with_context(|| format!("in {}", path.display()))
}

fn parse(text: &str) -> Result<Vec<Entry>> {
    let document: Document = toml::from_str(text)?;
    for entry in &document.crates {
        for stop in &entry.stops {
            if !REASONS.contains(&stop.reason.as_str()) {
                bail!("{}: `{}` is not one of the reasons {REASONS:?}", entry.name, stop.reason);
            }
            let stopped = matches!(stop.outcome, Outcome::Fails | Outcome::Stops);
            ensure!(stopped, "{}: what works is not stopped", entry.name);
            ensure!(
                stop.is_located(),
                "{}: `at` is `PACKAGE VERSION FILE:LINE: what it is`, not `{}`",
                entry.name,
                stop.at
            );
        }
        ensure!(entry.is_tried() || entry.sample.is_empty(), "{}: the sample is tried", entry.name);
    }
    Ok(document.crates)
}

impl Entry {
    pub(super) fn is_tried(&self) -> bool {
        !self.dependencies.is_empty()
    }

    /// The program that uses the crate; `None`: it is only compiled.
    pub(super) fn program(&self) -> Result<Option<String>> {
        let path = workspace::root().join(format!("tests/crates/programs/{}.rs", self.name));
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Some(text)),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(e).with_context(|| format!("read {}", path.display())),
        }
    }

    /// Why the crate is not expected to work on a target.
    pub(super) fn stop(&self, target: Target) -> Option<&Stop> {
        self.stops.iter().find(|stop| stop.targets.is_empty() || stop.targets.contains(&target))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_read_and_reasons_are_closed() {
        let folder = workspace::root().join("tests/crates");
        let entries = read(&folder.join("crates.toml")).unwrap();
        let mut programs = 0;
        for entry in &entries {
            let Some(program) = entry.program().unwrap() else { continue };
            assert!(program.contains("\"ok\"") && entry.is_tried(), "{}", entry.name);
            programs += 1;
        }
        let files = fs::read_dir(folder.join("programs")).unwrap().count();
        assert_eq!(programs, files, "a program without an entry");
        let sample = entries.iter().filter(|entry| !entry.sample.is_empty());
        assert_eq!(sample.count(), 12);
        let at = "p 1.2.3 src/lib.rs:7: a thread";
        let stop = |reason, outcome, at| {
            let text = format!(
                "[[crate]]\nname = \"a\"\n[[crate.stops]]\nreason = \"{reason}\"\noutcome = \"{outcome}\"\nat = \"{at}\"\n"
            );
            parse(&text).is_ok()
        };
        assert!(stop("threads", "stops", at));
        assert!(!stop("bad luck", "stops", at));
        assert!(!stop("threads", "works", at));
        assert!(!stop("threads", "compiles", at));
        for vague in
            ["", "it has threads", "p 1.2.3 src/lib.rs: a thread", "p src/lib.rs:7: a thread"]
        {
            assert!(!stop("threads", "stops", vague), "{vague}");
        }
    }
}
