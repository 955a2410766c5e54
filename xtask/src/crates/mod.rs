//! `cargo xtask crates`: the crates above tokio, as guests of wasip1 and wasip2, and the table in docs/crates.md.
//!
//! `tests/crates/crates.toml` lists them. Each is built as a user does it, by `cargo wasio`, all of them into one
//! target folder. Many have a small program in `tests/crates/programs/`, which talks to a peer and prints `ok` at the
//! end; the others are compiled. `cargo wasio doctor` is asked about each: it has to know what stops a crate, and to
//! find nothing that stops the others. What came of it goes into `tests/crates/results.json`, and the table is made of
//! that file: a crate that was not tried says so there.

mod doctor;
mod list;
mod page;
mod peer;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use xtask::engine::Runner;
use xtask::platform::guest_target_parser;
use xtask::process::Running;
use xtask::report::duration;
use xtask::targets::Target;
use xtask::workspace;

use list::Entry;

/// Build the crates above tokio, and run programs that use them, on wasip1 and wasip2.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Try only these crates.
    names: Vec<String>,
    /// Try only a fixed sample of twelve crates, each on one target.
    #[arg(long)]
    sample: bool,
    /// Try crates only on this target.
    #[arg(long, value_parser = guest_target_parser())]
    target: Option<Target>,
    /// Record the results, and write the tables in docs/crates.md.
    #[arg(long)]
    record: bool,
    /// Write the tables in docs/crates.md from the recorded results, without running anything.
    #[arg(long, conflicts_with_all = ["check", "names", "record", "sample", "target"])]
    page: bool,
    /// Fail if the tables differ from the recorded results, without running anything.
    #[arg(long, conflicts_with_all = ["record", "sample"])]
    check: bool,
}

/// What came of a crate on a target.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// The program ran to its end.
    Works,
    /// There is no program; the crate compiles.
    Compiles,
    /// It was built, and failed.
    Fails,
    /// It was not built.
    Stops,
}

/// What is kept of a crate.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
struct Kept {
    /// The version that was built.
    version: String,
    on: BTreeMap<Target, Outcome>,
    /// What `cargo wasio doctor` says is the way out of what stops it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    way_out: Option<String>,
}

type Results = BTreeMap<String, Kept>;

/// No build takes longer; nor does a program.
const BUILD: Duration = Duration::from_secs(1200);
const RUN: Duration = Duration::from_secs(600);

pub(crate) fn run(args: &Args) -> Result<()> {
    let folder = workspace::root().join("tests/crates");
    let entries = list::read(&folder.join("crates.toml"))?;
    let mut results = kept(&folder.join("results.json"))?;
    if args.check {
        return page::check(&entries, &results);
    }
    if args.page {
        return page::write(&entries, &results);
    }
    let unknown = |name: &&String| !entries.iter().any(|entry| entry.name == **name);
    if let Some(name) = args.names.iter().find(unknown) {
        bail!("{name} is not in tests/crates/crates.toml");
    }
    let wanted = |entry: &&Entry| {
        let named = args.names.is_empty() || args.names.contains(&entry.name);
        named && entry.is_tried()
    };
    let on = |entry: &Entry, target: &Target| {
        args.target.is_none_or(|only| only == *target)
            && (!args.sample || entry.sample.contains(target))
    };
    let tools = Tools::build()?;
    let (mut right, mut wrong) = (0, Vec::new());
    for entry in entries.iter().filter(wanted) {
        for target in Target::ALL.iter().copied().filter(|target| on(entry, target)) {
            let started = Instant::now();
            let (outcome, said) = tools.try_one(entry, target)?;
            let verdict = judge(&tools, entry, target, outcome)?;
            let took = duration(started.elapsed().as_secs_f64());
            println!(
                "{:4} {:24} {} {outcome:?} {took}",
                if verdict.is_ok() { "ok" } else { "FAIL" },
                entry.name,
                target.name()
            );
            match verdict {
                Ok(way_out) => {
                    right += 1;
                    let kept = results.entry(entry.name.clone()).or_default();
                    if way_out.is_some() || entry.stops.is_empty() {
                        kept.way_out = way_out;
                    }
                    kept.version = tools.version(entry)?;
                    kept.on.insert(target, outcome);
                }
                // Not kept: a crate that does not work has its reason in the list first.
                Err(why) => {
                    // What matters is at the end: build scripts say much before it.
                    let lines: Vec<&str> = said.trim_end().lines().collect();
                    println!("{why}\n{}", lines[lines.len().saturating_sub(60)..].join("\n"));
                    wrong.push(format!("{} on {}", entry.name, target.name()));
                }
            }
            if args.record {
                // At once: a run of all of them takes hours, and may be ended.
                let text = serde_json::to_string_pretty(&results)? + "\n";
                fs::write(folder.join("results.json"), text)?;
            }
        }
    }
    if args.record {
        page::write(&entries, &results)?;
    }
    println!("{right} passed, {} failed, 0 skipped", wrong.len());
    if wrong.is_empty() { Ok(()) } else { bail!("not as listed: {}", wrong.join(", ")) }
}

/// Makes the tables in docs/crates.md of what is kept.
pub(crate) fn write_page() -> Result<()> {
    let folder = workspace::root().join("tests/crates");
    let entries = list::read(&folder.join("crates.toml"))?;
    page::write(&entries, &kept(&folder.join("results.json"))?)
}

/// Whether what came of a crate is as listed, and the doctor agrees; the way out of what stops it.
fn judge(
    tools: &Tools,
    entry: &Entry,
    target: Target,
    outcome: Outcome,
) -> Result<std::result::Result<Option<String>, String>> {
    let stop = entry.stop(target);
    let right = match stop {
        None => matches!(outcome, Outcome::Works | Outcome::Compiles),
        // Without a program, what fails only when it is used compiles.
        Some(stop) if stop.outcome == Outcome::Fails && outcome == Outcome::Compiles => true,
        Some(stop) => outcome == stop.outcome,
    };
    if !right {
        let listed = stop.map_or("nothing stops it".to_owned(), |stop| stop.at.clone());
        return Ok(Err(format!("listed: {listed}")));
    }
    let said = doctor::ask(tools.cargo(&tools.project(entry)?, target, "doctor"))?;
    Ok(said.agrees(stop))
}

fn kept(path: &Path) -> Result<Results> {
    match fs::read_to_string(path) {
        Ok(text) => serde_json::from_str(&text).with_context(|| format!("in {}", path.display())),
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => Ok(Results::new()),
        Err(e) => Err(e).with_context(|| format!("read {}", path.display())),
    }
}

/// The commands, and where programs are built.
struct Tools {
    runner: PathBuf,
    cargo_wasio: PathBuf,
    scratch: PathBuf,
}

impl Tools {
    fn build() -> Result<Tools> {
        let runner = Runner::wasio(&|_| {})?;
        let runner = runner.program().context("wasio is a program")?.to_owned();
        let cargo_wasio = runner.with_file_name("cargo-wasio");
        Ok(Tools { runner, cargo_wasio, scratch: workspace::scratch("crates")? })
    }

    /// Builds and runs the program; what was said goes with what came of it.
    fn try_one(&self, entry: &Entry, target: Target) -> Result<(Outcome, String)> {
        let project = self.project(entry)?;
        let has_program = entry.program()?.is_some();
        let verb = if has_program { "build" } else { "check" };
        let built = Running::spawn(verb, &mut self.cargo(&project, target, verb))?.finish(BUILD)?;
        if !built.status.success() {
            return Ok((Outcome::Stops, built.stderr));
        }
        if !has_program {
            return Ok((Outcome::Compiles, built.stderr));
        }
        let peer = peer::start(entry.peer, &project)?;
        let mut command = self.cargo(&project, target, "run");
        command.arg("--quiet").arg("--").args(&peer.arguments);
        let ran = Running::spawn(&entry.name, &mut command)?.finish(RUN);
        let ran = match ran {
            Ok(ran) => ran,
            Err(failure) => return Ok((Outcome::Fails, failure.to_string())),
        };
        let ended = ran.status.success() && ran.stdout.trim_end().lines().last() == Some("ok");
        let said = format!("{}{}", ran.stdout, ran.stderr);
        Ok((if ended { Outcome::Works } else { Outcome::Fails }, said))
    }

    /// A package with the program, or one that names the crate.
    fn project(&self, entry: &Entry) -> Result<PathBuf> {
        let folder = self.scratch.join(&entry.name);
        fs::create_dir_all(folder.join("src"))?;
        let manifest = format!(
            "[package]\nname = \"try-{}\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n[workspace]\n\n\
             [profile.dev]\ndebug = false\n\n[dependencies]\n{}",
            entry.name, entry.dependencies
        );
        let write = |path: PathBuf, text: &str| -> Result<()> {
            // Unchanged files are left alone: cargo looks at their times.
            if fs::read_to_string(&path).is_ok_and(|old| old == text) {
                return Ok(());
            }
            fs::write(&path, text).with_context(|| format!("write {}", path.display()))
        };
        write(folder.join("Cargo.toml"), &manifest)?;
        let names = format!(
            "//! Compiles with the crate.\n\nuse {} as _;\n\nfn main() {{}}\n",
            entry.name.replace('-', "_")
        );
        write(folder.join("src/main.rs"), &entry.program()?.unwrap_or(names))?;
        Ok(folder)
    }

    fn cargo(&self, project: &Path, target: Target, verb: &str) -> Command {
        let mut command = Command::new(&self.cargo_wasio);
        command.args(["wasio", verb, "--wasi", target.wasi()]).current_dir(project);
        command.env("WASIO_BIN", &self.runner).env("CARGO_TARGET_DIR", self.scratch.join("target"));
        command.env("RUST_BACKTRACE", "0");
        command
    }

    /// The version that the last build took.
    fn version(&self, entry: &Entry) -> Result<String> {
        let locks = self.scratch.join("target/wasio/locks");
        // Names of these folders have letters, digits and hyphens only.
        let start = format!("{}-", entry.name.replace('_', ""));
        for folder in fs::read_dir(&locks).with_context(|| format!("read {}", locks.display()))? {
            let folder = folder?;
            let rest = folder.file_name().to_string_lossy().strip_prefix(&start).map(str::len);
            // What follows is a hash of the path.
            if rest == Some(16) {
                let lock = fs::read_to_string(folder.path().join("Cargo.lock")).unwrap_or_default();
                let after = format!("name = \"{}\"\nversion = \"", entry.name);
                let version = lock.split_once(&after).and_then(|(_, rest)| rest.split('"').next());
                return Ok(version.unwrap_or("?").to_owned());
            }
        }
        Ok("?".to_owned())
    }
}
