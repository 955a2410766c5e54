//! A session of measuring: the candidates (programs on engines) and the findings about them.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Result;
use xtask::cargo;
use xtask::engine::{Launch, Runner};
use xtask::platform::Platform;
use xtask::report::Steps;
use xtask::targets::Target;

use super::network::Network;
use super::programs::{Program, Programs};
use super::row::Bound;

/// A program that takes part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) platform: Platform,
    pub(crate) runtime: &'static str,
    pub(crate) program: Program,
}

impl Entry {
    pub(crate) const fn new(platform: Platform, runtime: &'static str, program: Program) -> Entry {
        Entry { platform, runtime, program }
    }
}

/// One program on one engine, ready to start.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) runner: Runner,
    pub(crate) entry: Entry,
    pub(crate) program: PathBuf,
}

impl AsRef<Candidate> for Candidate {
    fn as_ref(&self) -> &Candidate {
        self
    }
}

impl Candidate {
    pub(crate) fn engine(&self) -> &'static str {
        self.entry.platform.bench()
    }

    pub(crate) fn name(&self) -> String {
        format!("{} on {}", self.entry.runtime, self.engine())
    }

    /// Prepares the start of a server at `address`. It listens, or receives the listener.
    pub(crate) fn serve(&self, address: &str) -> Launch<'_> {
        let launch = self.runner.launch(&self.program);
        if self.entry.program.feature == Some("given") {
            launch.option("--listen").option(address)
        } else {
            launch.arg(address)
        }
    }
}

/// The state that all groups of one benchmark share.
pub(crate) struct Session<'a> {
    pub(crate) steps: &'a mut Steps,
    pub(crate) programs: Programs,
    /// The network of the measurement.
    pub(crate) network: Rc<Network>,
    /// The selected platforms. If there is none, all are.
    wanted: Vec<Platform>,
    runners: Vec<(Platform, Option<Runner>)>,
    /// The candidates that were not measured, with reasons.
    pub(crate) skipped: Vec<String>,
    /// The versions of the engines, for the page.
    pub(crate) versions: Vec<String>,
    /// The bounds, including a failed one for each failed candidate.
    pub(crate) bounds: Vec<Bound>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(steps: &'a mut Steps, wanted: Vec<Platform>) -> Result<Session<'a>> {
        let targets: Vec<_> = Target::ALL.iter().map(|target| target.triple()).collect();
        steps.run("the toolchain's WASI targets", "build", |_| {
            Ok(((), cargo::ensure_targets(&targets)?))
        })?;
        Ok(Session {
            steps,
            programs: Programs::default(),
            network: Network::new(),
            wanted,
            runners: Vec::new(),
            skipped: Vec::new(),
            versions: Vec::new(),
            bounds: Vec::new(),
        })
    }

    /// Records that a candidate is not measured.
    pub(crate) fn skip(&mut self, what: String) {
        if !self.skipped.contains(&what) {
            self.steps.say(&format!("  SKIPPED {what}"));
            self.skipped.push(what);
        }
    }

    /// Records that a candidate failed, so that the benchmark fails: a peer that cannot be measured is not beaten.
    pub(crate) fn failed(&mut self, group: &str, who: &str, why: &anyhow::Error) {
        self.steps.say(&format!("  FAILED {group}: {who}: {why:#}"));
        let why = format!("{why:#}");
        let line = why.lines().next().unwrap_or_default();
        self.bounds.push(Bound { what: format!("{group}: {who} failed: {line}"), holds: false });
    }

    /// Returns whether a platform is selected. Native tokio always is, because ratios refer to it.
    pub(crate) fn wants(&self, platform: Platform) -> bool {
        platform == Platform::Native || self.wanted.is_empty() || self.wanted.contains(&platform)
    }

    /// The runner, found or built once.
    pub(crate) fn runner(&mut self, platform: Platform) -> Result<Option<Runner>> {
        if let Some((_, runner)) = self.runners.iter().find(|(known, _)| *known == platform) {
            return Ok(runner.clone());
        }
        let step = format!("the engine {}", platform.bench());
        let runner = self.steps.run(&step, "build", |progress| {
            let runner = Runner::installed(platform, progress)?;
            let note = runner.as_ref().map_or("skipped: not found".into(), version);
            Ok((runner, note))
        })?;
        match &runner {
            Some(runner) if platform != Platform::Native => {
                self.versions.push(format!("{}: {}", platform.bench(), version(runner)));
            }
            Some(_) => {}
            None => self.skip(format!("{}: not found", platform.bench())),
        }
        self.runners.push((platform, runner.clone()));
        Ok(runner)
    }

    /// Builds the programs whose engines are selected and installed.
    pub(crate) fn enter(&mut self, group: &str, entries: &[Entry]) -> Result<Vec<Candidate>> {
        let mut present = Vec::new();
        for &entry in entries {
            if self.wants(entry.platform)
                && let Some(runner) = self.runner(entry.platform)?
            {
                present.push((entry, runner));
            }
        }
        let mut candidates = Vec::new();
        let mut failures = Vec::new();
        let programs = &mut self.programs;
        self.steps.run(&format!("{group}: build the programs"), "build", |progress| {
            let count = present.len();
            for (entry, runner) in present {
                let program = programs.get(entry.program, progress);
                match program.and_then(|program| runner.prepare(&program)) {
                    Ok(program) => candidates.push(Candidate { runner, entry, program }),
                    Err(e) => {
                        let who = format!("{} on {}", entry.runtime, entry.platform.bench());
                        failures.push((who, e));
                    }
                }
            }
            Ok(((), format!("{} of {count}", count - failures.len())))
        })?;
        for (who, why) in failures {
            self.failed(group, &who, &why);
        }
        Ok(candidates)
    }
}

/// The engine's version. WasmEdge prints its path in front of it.
fn version(runner: &Runner) -> String {
    let text = runner.version();
    match text.split_once(' ') {
        Some((program, rest)) => {
            format!("{} {rest}", program.rsplit('/').next().unwrap_or(program))
        }
        None => text,
    }
}
