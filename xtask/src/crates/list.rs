//! The list: `tests/crates/crates.toml`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use xtask::workspace;

use super::{Outcome, Target};

/// Why a crate does not work: a closed list.
const REASONS: &[&str] =
    &["threads", "browser", "c++", "processes", "system-library", "no-backend"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    #[serde(rename = "crate")]
    crates: Vec<Entry>,
}

/// A crate.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Entry {
    pub(super) name: String,
    /// Lines of TOML; empty if there is no program yet.
    #[serde(default)]
    pub(super) dependencies: String,
    #[serde(default)]
    pub(super) peer: Peer,
    /// What the program does, for the table.
    #[serde(default)]
    pub(super) does: String,
    /// Run by continuous integration.
    #[serde(default)]
    pub(super) sample: bool,
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
    /// The crate and line.
    pub(super) at: String,
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
            ensure!(stop.outcome != Outcome::Works, "{}: what works is not stopped", entry.name);
            ensure!(!stop.at.is_empty(), "{}: say where it stops", entry.name);
        }
        ensure!(entry.has_program() || !entry.sample, "{}: the sample has programs", entry.name);
    }
    Ok(document.crates)
}

impl Entry {
    pub(super) fn has_program(&self) -> bool {
        !self.dependencies.is_empty()
    }

    pub(super) fn program(&self) -> Result<String> {
        let path = workspace::root().join(format!("tests/crates/programs/{}.rs", self.name));
        fs::read_to_string(&path).with_context(|| format!("read {}", path.display()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_can_be_read_and_reasons_are_closed() {
        let folder = workspace::root().join("tests/crates");
        let entries = read(&folder.join("crates.toml")).unwrap();
        for entry in entries.iter().filter(|entry| entry.has_program()) {
            assert!(entry.program().unwrap().contains("\"ok\""), "{}", entry.name);
        }
        let stop = |reason, outcome| {
            let text = format!(
                "[[crate]]\nname = \"a\"\n[[crate.stops]]\nreason = \"{reason}\"\noutcome = \"{outcome}\"\nat = \"b\"\n"
            );
            parse(&text).is_ok()
        };
        assert!(stop("threads", "stops"));
        assert!(!stop("bad luck", "stops"));
        assert!(!stop("threads", "works"));
    }
}
