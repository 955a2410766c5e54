//! The table in docs/crates.md.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use xtask::workspace;

use super::list::{Entry, Peer};
use super::{Outcome, Results, Target};

const START: &str = "<!-- made by `cargo xtask crates --record` -->\n";
const END: &str = "<!-- end of the table -->\n";

fn path() -> PathBuf {
    workspace::root().join("docs/crates.md")
}

/// Puts the table into its place.
pub(super) fn write(entries: &[Entry], results: &Results) -> Result<()> {
    let old = fs::read_to_string(path())?;
    fs::write(path(), replaced(&old, &table(entries, results))?)?;
    Ok(())
}

/// Fails if there is another one.
pub(super) fn check(entries: &[Entry], results: &Results) -> Result<()> {
    let old = fs::read_to_string(path())?;
    let same = replaced(&old, &table(entries, results))? == old;
    ensure!(same, "docs/crates.md has another table: run `cargo xtask crates NAME --record`");
    Ok(())
}

fn replaced(page: &str, table: &str) -> Result<String> {
    let (before, rest) = page.split_once(START).context("docs/crates.md has no place for it")?;
    let (_, after) = rest.split_once(END).context("docs/crates.md has no end of the table")?;
    Ok(format!("{before}{START}{table}{END}{after}"))
}

fn table(entries: &[Entry], results: &Results) -> String {
    let mut text =
        "| crate | wasip1 | wasip2 | the program | peer |\n|---|---|---|---|---|\n".to_owned();
    for entry in entries {
        let kept = results.get(&entry.name);
        let version = kept.map_or(String::new(), |kept| format!(" {}", kept.version));
        let peer = match entry.peer {
            _ if !entry.has_program() => "–",
            Peer::Itself => "of its own, on loopback",
            Peer::Redis => "redis-server",
            Peer::Postgres => "PostgreSQL",
            Peer::PostgresTls => "PostgreSQL, over TLS",
            Peer::Mariadb => "MariaDB",
        };
        let [p1, p2] = Target::ALL.map(|target| {
            let stop = entry.stop(target).map(|stop| format!("{}: {}", stop.reason, stop.at));
            match kept.and_then(|kept| kept.on.get(&target)) {
                None => stop.unwrap_or_else(|| "not run".to_owned()),
                Some(Outcome::Works) => "yes".to_owned(),
                Some(Outcome::Fails) => format!("fails ({})", stop.unwrap_or_default()),
                Some(Outcome::Stops) => format!("does not compile ({})", stop.unwrap_or_default()),
            }
        });
        let does = if entry.does.is_empty() { "–" } else { &entry.does };
        let _ = writeln!(text, "| {}{version} | {p1} | {p2} | {does} | {peer} |", entry.name);
    }
    text
}
