//! Who takes part: programs on engines, each under the name of its runtime.

use std::path::PathBuf;
use std::rc::Rc;

use anyhow::Result;
use xtask::cargo;
use xtask::engine::{Engine, Launch, Runner};
use xtask::report::Steps;

use super::Bound;
use super::network::Network;
use super::programs::{Program, Programs};
use super::row::engine_name;

/// A program that is to take part.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) engine: Engine,
    pub(super) runtime: &'static str,
    pub(super) program: Program,
}

impl Entry {
    pub(super) const fn new(engine: Engine, runtime: &'static str, program: Program) -> Entry {
        Entry { engine, runtime, program }
    }
}

/// One program on one engine, ready to start.
#[derive(Debug, Clone)]
pub(super) struct Contender {
    pub(super) runner: Runner,
    pub(super) entry: Entry,
    pub(super) program: PathBuf,
}

impl AsRef<Contender> for Contender {
    fn as_ref(&self) -> &Contender {
        self
    }
}

impl Contender {
    pub(super) fn engine(&self) -> &'static str {
        engine_name(self.entry.engine)
    }

    pub(super) fn name(&self) -> String {
        format!("{} on {}", self.entry.runtime, self.engine())
    }

    /// A start of a server at `address`: it listens, or is given the listener.
    pub(super) fn serve(&self, address: &str) -> Launch<'_> {
        let launch = self.runner.launch(&self.program);
        if self.entry.program.feature == Some("given") {
            launch.option("--listen").option(address)
        } else {
            launch.arg(address)
        }
    }
}

/// Everybody, and what is known of them.
pub(super) struct Field<'a> {
    pub(super) steps: &'a mut Steps,
    pub(super) programs: Programs,
    /// Where what is measured takes place.
    pub(super) network: Rc<Network>,
    /// Engines that are wanted; none is all.
    wanted: Vec<Engine>,
    engines: Vec<(Engine, Option<Runner>)>,
    /// What was not measured, and why.
    pub(super) skipped: Vec<String>,
    /// Of engines, for the page.
    pub(super) versions: Vec<String>,
    /// What must hold; who failed is here, too.
    pub(super) bounds: Vec<Bound>,
}

impl<'a> Field<'a> {
    pub(super) fn new(steps: &'a mut Steps, wanted: Vec<Engine>) -> Result<Field<'a>> {
        steps.run("the toolchain's WASI targets", "build", |_| {
            Ok(((), cargo::ensure_targets(&[cargo::WASIP1, cargo::WASIP2])?))
        })?;
        Ok(Field {
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

    /// Says that something is not measured.
    pub(super) fn skip(&mut self, what: String) {
        if !self.skipped.contains(&what) {
            self.steps.say(&format!("  SKIPPED {what}"));
            self.skipped.push(what);
        }
    }

    /// Somebody who cannot be measured is not beaten: the benchmark fails.
    pub(super) fn failed(&mut self, group: &str, who: &str, why: &anyhow::Error) {
        self.steps.say(&format!("  FAILED {group}: {who}: {why:#}"));
        let why = format!("{why:#}");
        let line = why.lines().next().unwrap_or_default();
        self.bounds.push(Bound { what: format!("{group}: {who} failed: {line}"), holds: false });
    }

    /// Whether an engine is wanted. Native tokio always is: ratios refer to it.
    pub(super) fn wants(&self, engine: Engine) -> bool {
        engine == Engine::Native || self.wanted.is_empty() || self.wanted.contains(&engine)
    }

    /// The runner, found or built once.
    pub(super) fn runner(&mut self, engine: Engine) -> Result<Option<Runner>> {
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
    pub(super) fn enter(&mut self, group: &str, entries: &[Entry]) -> Result<Vec<Contender>> {
        let mut present = Vec::new();
        for &entry in entries {
            if self.wants(entry.engine)
                && let Some(runner) = self.runner(entry.engine)?
            {
                present.push((entry, runner));
            }
        }
        let mut contenders = Vec::new();
        let mut failures = Vec::new();
        let programs = &mut self.programs;
        self.steps.run(&format!("{group}: build the programs"), "build", |progress| {
            let count = present.len();
            for (entry, runner) in present {
                let program = programs.get(entry.program, progress);
                match program.and_then(|program| runner.prepare(&program)) {
                    Ok(program) => contenders.push(Contender { runner, entry, program }),
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
        Ok(contenders)
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
