//! Starts guest programs on an engine and plays the world around them: peers that reset, real
//! Redis servers, curl. `WASIO_TEST_ENGINE` names one engine; without it all that are found run.
//!
//! A test whose peer or engine is missing is reported as ignored, and why is said on standard
//! error (`skipped: …`).

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Trial};
use xtask::engine::{Engine, Runner};

mod crates;
mod dns;
mod ends;
mod http;
mod idle;
mod load;
mod names;
mod network;
mod output;
mod peers;
mod postgres;
mod redis;
mod target;
mod tls;
mod world;

use world::World;

/// What a test needs besides its engine: programs of this machine.
type Needs = &'static [&'static str];

/// One test: its name, what it needs, where it applies, and what it does.
struct Case {
    name: &'static str,
    needs: Needs,
    on: &'static [Engine],
    run: fn(&World) -> Result<()>,
}

/// Engines whose guests are WebAssembly.
const WASM: &[Engine] = &[Engine::Wasio, Engine::Wasip2, Engine::Stock, Engine::Wasmedge];
/// Our own runner.
const OURS: &[Engine] = &[Engine::Wasio, Engine::Wasip2];
/// Hosts whose look-ups suspend only the task that asks.
const LOOKING_UP: &[Engine] = &[Engine::Wasip2, Engine::Stock, Engine::Native];
/// Engines that deny the network unless told otherwise.
const DENYING: &[Engine] = &[Engine::Wasio, Engine::Wasip2, Engine::Stock];
const NATIVE: &[Engine] = &[Engine::Native];
const ALL: &[Engine] = &Engine::ALL;

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    match trials(&arguments) {
        Ok(trials) => libtest_mimic::run(&arguments, trials).exit_code(),
        Err(e) => {
            eprintln!("error: {e:#}");
            ExitCode::FAILURE
        }
    }
}

fn trials(arguments: &Arguments) -> Result<Vec<Trial>> {
    let cases: Vec<&'static Case> = [
        network::CASES,
        names::CASES,
        ends::CASES,
        output::CASES,
        idle::CASES,
        load::CASES,
        redis::CASES,
        http::CASES,
        crates::CASES,
        postgres::CASES,
        target::CASES,
        tls::CASES,
    ]
    .into_iter()
    .flatten()
    .collect();
    let mut trials = Vec::new();
    for engine in chosen()? {
        let applying = cases.iter().copied().filter(|case| case.on.contains(&engine));
        let world = match arguments.list {
            true => None,
            false => World::build(engine)?.map(Arc::new),
        };
        if world.is_none() && !arguments.list {
            eprintln!("skipped: {} not found", engine.name());
        }
        for case in applying {
            let missing = case.needs.iter().find(|program| !world::installed(program));
            if let Some(missing) = missing {
                eprintln!("skipped: {} on {}: no {missing}", case.name, engine.name());
            }
            let skip = missing.is_some() || (world.is_none() && !arguments.list);
            let name = format!("{}::{}", engine.name(), case.name);
            let world = world.clone();
            let run = move || {
                let world = world.context("no engine")?;
                (case.run)(&world).map_err(|e| format!("{e:#}").into())
            };
            trials.push(Trial::test(name, run).with_ignored_flag(skip));
        }
    }
    Ok(trials)
}

fn chosen() -> Result<Vec<Engine>> {
    let Ok(name) = std::env::var("WASIO_TEST_ENGINE") else { return Ok(Engine::ALL.into()) };
    let engine = Engine::ALL.into_iter().find(|engine| engine.name() == name);
    Ok(vec![engine.with_context(|| format!("WASIO_TEST_ENGINE={name} is no engine"))?])
}

/// The runner for `engine`, if it is here.
fn runner(engine: Engine) -> Result<Option<Runner>> {
    Runner::get(engine, &|_| {})
}
