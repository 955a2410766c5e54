//! A session of measuring: the candidates (programs on engines), and everything found out about them.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Result;
use xtask::cargo;
use xtask::engine::{Engine, Launch, Runner};
use xtask::report::Steps;

use super::network::Network;
use super::programs::{Program, Programs};
use super::row::{Bound, engine_name};

/// A program that is to take part.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) engine: Engine,
    pub(crate) runtime: &'static str,
    pub(crate) program: Program,
}

impl Entry {
    pub(crate) const fn new(engine: Engine, runtime: &'static str, program: Program) -> Entry {
        Entry { engine, runtime, program }
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
        engine_name(self.entry.engine)
    }

    pub(crate) fn name(&self) -> String {
        format!("{} on {}", self.entry.runtime, self.engine())
    }

    /// A start of a server at `address`: it listens, or is given the listener.
    pub(crate) fn serve(&self, address: &str) -> Launch<'_> {
        let launch = self.runner.launch(&self.program);
        if self.entry.program.feature == Some("given") {
            launch.option("--listen").option(address)
        } else {
            launch.arg(address)
        }
    }
}

/// What all groups of one benchmark share.
pub(crate) struct Session<'a> {
    pub(crate) steps: &'a mut Steps,
    pub(crate) programs: Programs,
    /// Where what is results takes place.
    pub(crate) network: Rc<Network>,
    /// Engines that are wanted; none is all.
    wanted: Vec<Engine>,
    engines: Vec<(Engine, Option<Runner>)>,
    /// What was not results, and why.
    pub(crate) skipped: Vec<String>,
    /// Of engines, for the page.
    pub(crate) versions: Vec<String>,
    /// What must hold; who failed is here, too.
    pub(crate) bounds: Vec<Bound>,
}

impl<'a> Session<'a> {
    pub(crate) fn new(steps: &'a mut Steps, wanted: Vec<Engine>) -> Result<Session<'a>> {
        steps.run("the toolchain's WASI targets", "build", |_| {
            Ok(((), cargo::ensure_targets(&[cargo::WASIP1, cargo::WASIP2])?))
        })?;
        Ok(Session {
            steps,
            programs: Programs::default(),
            network: Network::new(),
            wanted,
            engines: Vec::new(),
            skipped: Vec::new(),
            versions: Vec::new(),
            bounds: Vec::new(),
        })
    }

    /// Says that something is not results.
    pub(crate) fn skip(&mut self, what: String) {
        if !self.skipped.contains(&what) {
            self.steps.say(&format!("  SKIPPED {what}"));
            self.skipped.push(what);
        }
    }

    /// Somebody who cannot be results is not beaten: the benchmark fails.
    pub(crate) fn failed(&mut self, group: &str, who: &str, why: &anyhow::Error) {
        self.steps.say(&format!("  FAILED {group}: {who}: {why:#}"));
        let why = format!("{why:#}");
        let line = why.lines().next().unwrap_or_default();
        self.bounds.push(Bound { what: format!("{group}: {who} failed: {line}"), holds: false });
    }

    /// Whether an engine is wanted. Native tokio always is: ratios refer to it.
    pub(crate) fn wants(&self, engine: Engine) -> bool {
        engine == Engine::Native || self.wanted.is_empty() || self.wanted.contains(&engine)
    }

    /// The runner, found or built once.
    pub(crate) fn runner(&mut self, engine: Engine) -> Result<Option<Runner>> {
        if let Some((_, runner)) = self.engines.iter().find(|(known, _)| *known == engine) {
            return Ok(runner.clone());
        }
        let step = format!("the engine {}", engine_name(engine));
        let runner = self.steps.run(&step, "build", |progress| {
            let runner = Runner::installed(engine, progress)?;
            let note = runner.as_ref().map_or("skipped: not found".into(), version);
            Ok((runner, note))
        })?;
        match &runner {
            Some(runner) if engine != Engine::Native => {
                self.versions.push(format!("{}: {}", engine_name(engine), version(runner)));
            }
            Some(_) => {}
            None => self.skip(format!("{}: not found", engine_name(engine))),
        }
        self.engines.push((engine, runner.clone()));
        Ok(runner)
    }

    /// Builds those whose engines are wanted and here.
    pub(crate) fn enter(&mut self, group: &str, entries: &[Entry]) -> Result<Vec<Candidate>> {
        let mut present = Vec::new();
        for &entry in entries {
            if self.wants(entry.engine)
                && let Some(runner) = self.runner(entry.engine)?
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
                        let who = format!("{} on {}", entry.runtime, engine_name(entry.engine));
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

/// The engine's version; WasmEdge puts the path in front by which it was called.
fn version(runner: &Runner) -> String {
    let text = runner.version();
    match text.split_once(' ') {
        Some((program, rest)) => {
            format!("{} {rest}", program.rsplit('/').next().unwrap_or(program))
        }
        None => text,
    }
}
