//! Starts guest programs on an engine and plays the world around them: peers that reset, real
//! Redis servers, curl. `WASIO_TEST_ENGINE` names one engine; without it all that are found run.
//!
//! A test whose peer or engine is missing is reported as ignored, and why is said on standard
//! error (`skipped: …`).

use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result};
use libtest_mimic::{Arguments, Trial};
use xtask::platform::Platform;
use xtask::targets::Target;

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
    on: On,
    run: fn(&World) -> Result<()>,
}

/// Whether a case applies to a platform.
type On = fn(Platform) -> bool;

/// Guests.
const WASM: On = |on| on.is_guest();
/// Guests under our own runner.
const WASIO: On = |on| on.is_wasio();
/// Hosts whose look-ups suspend only the task that asks.
const HOST_LOOKUP: On = |on| on.target() != Some(Target::P1);
/// Engines that deny the network unless told otherwise.
const DENIES_NETWORK: On = |on| on.denies_network();
const NATIVE: On = |on| !on.is_guest();
const ALL: On = |_| true;

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
    for platform in chosen()? {
        let applying = cases.iter().copied().filter(|case| (case.on)(platform));
        let world = match arguments.list {
            true => None,
            false => World::build(platform)?.map(Arc::new),
        };
        if world.is_none() && !arguments.list {
            eprintln!("skipped: {} not found", platform.name());
        }
        for case in applying {
            let missing = case.needs.iter().find(|program| !world::installed(program));
            if let Some(missing) = missing {
                eprintln!("skipped: {} on {}: no {missing}", case.name, platform.name());
            }
            let skip = missing.is_some() || (world.is_none() && !arguments.list);
            let name = format!("{}::{}", platform.name(), case.name);
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

fn chosen() -> Result<Vec<Platform>> {
    let Ok(name) = std::env::var("WASIO_TEST_ENGINE") else { return Ok(Platform::ALL.into()) };
    let platform = Platform::ALL.iter().copied().find(|platform| platform.name() == name);
    Ok(vec![platform.with_context(|| format!("WASIO_TEST_ENGINE={name} is no engine"))?])
}
