//! `cargo xtask crates`: the crates above tokio, as guests of wasip1 and wasip2, and the table in docs/crates.md.
//!
//! `tests/crates/crates.toml` lists them. Each has a small program in `tests/crates/programs/`, which talks to a peer and
//! prints `ok` at the end. It is built and run as a user does it, by `cargo wasio`, all of them into one target folder.
//! What came of it goes into `tests/crates/results.json`, and the table is made of that file: a crate that was not run
//! says so there.

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
use xtask::process::{Finished, Running};
use xtask::report::duration;
use xtask::workspace;

use list::{Entry, Stop};

/// Build and run programs of the crates above tokio on wasip1 and wasip2.
#[derive(clap::Args)]
pub(crate) struct Args {
    /// Only the crates of these names.
    names: Vec<String>,
    /// Only a fixed sample.
    #[arg(long)]
    sample: bool,
    /// Only on this target.
    #[arg(long, value_enum)]
    target: Option<Target>,
    /// Keep what came of it, and make the table in docs/crates.md of all that is kept.
    #[arg(long)]
    record: bool,
    /// Run nothing: fail if the table is not what the kept results make.
    #[arg(long, conflicts_with_all = ["record", "sample"])]
    check: bool,
}

/// What guests are built for.
#[derive(
    Clone, Copy, Debug, Deserialize, Eq, Ord, PartialEq, PartialOrd, Serialize, clap::ValueEnum,
)]
#[serde(rename_all = "lowercase")]
enum Target {
    Wasip1,
    Wasip2,
}

impl Target {
    const ALL: [Target; 2] = [Target::Wasip1, Target::Wasip2];

    fn name(self) -> &'static str {
        match self {
            Target::Wasip1 => "wasip1",
            Target::Wasip2 => "wasip2",
        }
    }

    /// The value of `cargo wasio --wasi`.
    fn flag(self) -> &'static str {
        match self {
            Target::Wasip1 => "p1",
            Target::Wasip2 => "p2",
        }
    }
}

/// What came of a crate on a target.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    /// The program ran to its end.
    Works,
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
    let unknown = |name: &&String| !entries.iter().any(|entry| entry.name == **name);
    if let Some(name) = args.names.iter().find(unknown) {
        bail!("{name} is not in tests/crates/crates.toml");
    }
    let wanted = |entry: &&Entry| {
        let named = args.names.is_empty() || args.names.contains(&entry.name);
        named && entry.has_program() && (!args.sample || entry.sample)
    };
    let tools = Tools::build()?;
    let (mut right, mut wrong) = (0, Vec::new());
    for entry in entries.iter().filter(wanted) {
        for target in Target::ALL.into_iter().filter(|t| args.target.is_none_or(|only| only == *t))
        {
            let started = Instant::now();
            let (outcome, said) = tools.try_one(entry, target)?;
            let took = duration(started.elapsed().as_secs_f64());
            let expected = entry.stop(target).map_or(Outcome::Works, |stop| stop.outcome);
            let ok = outcome == expected;
            println!(
                "{:4} {:24} {} {outcome:?} {took}",
                if ok { "ok" } else { "FAIL" },
                entry.name,
                target.name()
            );
            if ok {
                right += 1;
            } else {
                println!("{}", said.trim_end());
                wrong.push(format!("{} on {}", entry.name, target.name()));
            }
            let kept = results.entry(entry.name.clone()).or_default();
            kept.version = tools.version(entry)?;
            kept.on.insert(target, outcome);
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
        let built = self.command(&project, target, "build", BUILD)?;
        if !built.status.success() {
            return Ok((Outcome::Stops, built.stderr));
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

    /// A package with the program.
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
        write(folder.join("src/main.rs"), &entry.program()?)?;
        Ok(folder)
    }

    fn cargo(&self, project: &Path, target: Target, verb: &str) -> Command {
        let mut command = Command::new(&self.cargo_wasio);
        command.args(["wasio", verb, "--wasi", target.flag()]).current_dir(project);
        command.env("WASIO_BIN", &self.runner).env("CARGO_TARGET_DIR", self.scratch.join("target"));
        command.env("RUST_BACKTRACE", "0");
        command
    }

    fn command(
        &self,
        project: &Path,
        target: Target,
        verb: &str,
        limit: Duration,
    ) -> Result<Finished> {
        Ok(Running::spawn(verb, &mut self.cargo(project, target, verb))?.finish(limit)?)
    }

    /// The version that the last build took.
    fn version(&self, entry: &Entry) -> Result<String> {
        let locks = self.scratch.join("target/wasio/locks");
        let start = format!("{}-", entry.name);
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

impl Entry {
    /// Why the crate is not expected to work on a target.
    fn stop(&self, target: Target) -> Option<&Stop> {
        self.stops.iter().find(|stop| stop.targets.is_empty() || stop.targets.contains(&target))
    }
}
