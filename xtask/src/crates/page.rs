//! The tables in docs/crates.md.

use std::fmt::Write;
use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use xtask::targets::Target;
use xtask::workspace;

use super::list::{Entry, Peer};
use super::{Kept, Outcome, Results};
use crate::suites;

/// What stands before the table of crates, and before that of suites.
const CRATES: &str = "<!-- made by `cargo xtask crates --record` -->\n";
const SUITES: &str = "<!-- made by `cargo xtask suites --record` -->\n";
const END: &str = "<!-- end of the table -->\n";

fn path() -> PathBuf {
    workspace::root().join("docs/crates.md")
}

/// Puts the tables into their places.
pub(super) fn write(entries: &[Entry], results: &Results) -> Result<()> {
    let old = fs::read_to_string(path())?;
    fs::write(path(), page(&old, entries, results)?)?;
    Ok(())
}

/// Fails if there are others.
pub(super) fn check(entries: &[Entry], results: &Results) -> Result<()> {
    let old = fs::read_to_string(path())?;
    entries.iter().try_for_each(|entry| is_tried(entry, results.get(&entry.name)))?;
    let same = page(&old, entries, results)? == old;
    ensure!(same, "docs/crates.md has other tables: run `cargo xtask crates NAME --record`");
    Ok(())
}

fn page(old: &str, entries: &[Entry], results: &Results) -> Result<String> {
    let suites = suites::kept()?;
    let page = replaced(old, CRATES, &table(entries, results, &suites)?)?;
    let rows: String = suites.rows().iter().map(|row| format!("{row}\n")).collect();
    replaced(&page, SUITES, &format!("| suite | wasip1 | wasip2 |\n|---|---|---|\n{rows}"))
}

/// The page with `table` behind `start`.
fn replaced(page: &str, start: &str, table: &str) -> Result<String> {
    let (before, rest) =
        page.split_once(start).with_context(|| format!("docs/crates.md has no {start}"))?;
    let (_, after) = rest.split_once(END).context("docs/crates.md has no end of the table")?;
    Ok(format!("{before}{start}{table}{END}{after}"))
}

fn table(entries: &[Entry], results: &Results, suites: &suites::Results) -> Result<String> {
    let mut text = "| | crate | compiles | its own tests | a program | what stops it |\n\
                    |---|---|---|---|---|---|\n"
        .to_owned();
    let nothing = Kept::default();
    for (at, entry) in entries.iter().enumerate() {
        let kept = results.get(&entry.name).unwrap_or(&nothing);
        says_why(entry, kept)?;
        let compiles = on_both(|target| {
            Some(match kept.on.get(&target)? {
                Outcome::Stops => "no".to_owned(),
                _ => "yes".to_owned(),
            })
        });
        let tests = on_both(|target| suites.counts(&entry.name, target.name()));
        let _ = writeln!(
            text,
            "| {} | {} {} | {} | {} | {} | {} |",
            at + 1,
            entry.name,
            kept.version,
            compiles.unwrap_or_else(|| "not tried".to_owned()),
            tests.unwrap_or_else(|| "–".to_owned()),
            program(entry, kept)?,
            stops(entry, kept),
        );
    }
    Ok(text)
}

/// Fails if a crate does not work on a target and the list does not say why.
fn says_why(entry: &Entry, kept: &Kept) -> Result<()> {
    for (target, outcome) in &kept.on {
        let works = matches!(outcome, Outcome::Works | Outcome::Compiles);
        ensure!(
            works || entry.stop(*target).is_some(),
            "{} does not work on {}, and tests/crates/crates.toml does not say what stops it",
            entry.name,
            target.name()
        );
    }
    Ok(())
}

/// Fails if a crate, or its program, has not been tried on a target.
fn is_tried(entry: &Entry, kept: Option<&Kept>) -> Result<()> {
    let has_program = entry.program()?.is_some();
    for target in Target::ALL {
        let outcome = kept.and_then(|kept| kept.on.get(target));
        let tried = outcome.is_some_and(|outcome| !has_program || *outcome != Outcome::Compiles);
        ensure!(
            tried,
            "{} was not tried on {}: run `cargo xtask crates {} --record`",
            entry.name,
            target.name(),
            entry.name
        );
    }
    Ok(())
}

/// One text for both targets if it is the same.
fn on_both(text: impl Fn(Target) -> Option<String>) -> Option<String> {
    match [Target::P1, Target::P2].map(text) {
        [None, None] => None,
        [one, other] if one == other => one,
        both => {
            let missing = || "–".to_owned();
            let [p1, p2] = both.map(|text| text.unwrap_or_else(missing));
            Some(format!("wasip1: {p1}; wasip2: {p2}"))
        }
    }
}

fn program(entry: &Entry, kept: &Kept) -> Result<String> {
    if entry.program()?.is_none() {
        return Ok("–".to_owned());
    }
    let peer = match entry.peer {
        Peer::Itself => "",
        Peer::Redis => ", with redis-server",
        Peer::Postgres => ", with PostgreSQL",
        Peer::PostgresTls => ", with PostgreSQL over TLS",
        Peer::Mariadb => ", with MariaDB",
    };
    let ran = on_both(|target| {
        Some(match kept.on.get(&target)? {
            Outcome::Works => "works".to_owned(),
            Outcome::Fails => "fails".to_owned(),
            // The program is newer than what is kept.
            Outcome::Compiles | Outcome::Stops => "not run".to_owned(),
        })
    });
    Ok(format!("{}: {}{peer}", ran.unwrap_or_else(|| "not run".to_owned()), entry.does))
}

fn stops(entry: &Entry, kept: &Kept) -> String {
    let mut lines = Vec::new();
    for stop in &entry.stops {
        let on = match stop.targets[..] {
            [] => String::new(),
            ref some => {
                format!("{}: ", some.iter().map(|t| t.name()).collect::<Vec<_>>().join(", "))
            }
        };
        let way_out = kept.way_out.as_ref().map(|way| format!("; way out: {way}"));
        lines.push(format!("{on}{} ({}){}", stop.at, stop.reason, way_out.unwrap_or_default()));
    }
    if lines.is_empty() { "–".to_owned() } else { lines.join("<br>").replace('|', "\\|") }
}

#[cfg(test)]
mod tests {
    use super::super::list::Stop;
    use super::*;

    #[test]
    fn a_program_that_has_not_run_has_not_failed() {
        let entry =
            Entry { name: "axum".to_owned(), does: "a server".to_owned(), ..Entry::default() };
        let ran = |outcome| {
            let on = Target::ALL.iter().map(|target| (*target, outcome)).collect();
            program(&entry, &Kept { on, ..Kept::default() }).unwrap()
        };
        assert_eq!(ran(Outcome::Compiles), "not run: a server");
        assert_eq!(ran(Outcome::Stops), "not run: a server");
        assert_eq!(ran(Outcome::Fails), "fails: a server");
        assert_eq!(ran(Outcome::Works), "works: a server");
        let tried = |targets: &[Target], outcome| {
            let on = targets.iter().map(|target| (*target, outcome)).collect();
            is_tried(&entry, Some(&Kept { on, ..Kept::default() })).is_ok()
        };
        assert!(tried(Target::ALL, Outcome::Works));
        assert!(!tried(Target::ALL, Outcome::Compiles));
        assert!(!tried(&[Target::P1], Outcome::Works));
        assert!(is_tried(&entry, None).is_err());
    }

    #[test]
    fn a_crate_that_does_not_work_says_why() {
        let entry = |targets: &[Target]| {
            let at = "p 1.2.3 src/lib.rs:7: a thread".to_owned();
            let (outcome, reason) = (Outcome::Stops, "threads".to_owned());
            let stop = Stop { targets: targets.to_vec(), outcome, reason, at };
            Entry { name: "p".to_owned(), stops: vec![stop], ..Entry::default() }
        };
        let stopped = |on: &[Target]| {
            let on = on.iter().map(|target| (*target, Outcome::Stops)).collect();
            Kept { on, ..Kept::default() }
        };
        let p1 = [Target::P1];
        assert!(says_why(&entry(&p1), &stopped(&p1)).is_ok());
        assert!(says_why(&entry(&[]), &stopped(Target::ALL)).is_ok());
        assert!(says_why(&entry(&p1), &stopped(Target::ALL)).is_err());
        assert!(says_why(&Entry::default(), &stopped(&p1)).is_err());
        assert!(says_why(&Entry::default(), &Kept::default()).is_ok());
    }
}
