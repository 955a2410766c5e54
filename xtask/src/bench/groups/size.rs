//! Stripped guests, in bytes: as cargo makes them, and as `cargo wasio build --wasm-opt` does.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::platform::Platform::{Native, Wasio};
use xtask::process::Running;

use super::{echo, http, redis};
use crate::bench::measure::results::Results;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::session::{Entry, Session};
use crate::bench::measure::tools::found;

const GROUP: &str = "size";
const LIMIT: Duration = Duration::from_secs(120);

pub(crate) fn measure(
    session: &mut Session<'_>,
    _: &Scale,
    results: &mut Results,
) -> Result<String> {
    let optimizer = optimizer(session)?;
    let hyper_client = http::entries("hyper-client");
    let programs: [(&str, &[Entry]); 3] = [
        ("size_echo", &echo::SERVERS),
        ("size_redis_client", &redis::CLIENT),
        ("size_hyper_client", &hyper_client),
    ];
    for (bench, entries) in programs {
        // A loop without a runtime is the floor of speed, not of size; natively there is nothing to compare.
        let is_guest = |e: &&Entry| e.platform != Native && e.runtime != "bare";
        let guests: Vec<Entry> = entries.iter().filter(is_guest).copied().collect();
        for guest in session.enter(GROUP, &guests)? {
            let file = session.programs.get(guest.entry.program, &|_| {})?;
            let mut add = |bench: &str, file: &Path| {
                let bytes = std::fs::metadata(file)?.len() as f64;
                results.add(GROUP, bench, &serde_json::json!({}), "bytes", &guest, bytes);
                Ok::<_, std::io::Error>(())
            };
            add(bench, &file)?;
            if let Some(optimizer) = &optimizer {
                let smaller = file.with_extension("opt.wasm");
                std::fs::copy(&file, &smaller)?;
                let mut command = Command::new(optimizer);
                command.args(["wasio", "__wasm-opt"]).arg(&smaller);
                Running::spawn("wasm-opt", &mut command)?.finish(LIMIT)?.success()?;
                add(&format!("{bench}_wasm_opt"), &smaller)?;
            }
        }
    }
    Ok("one build".to_owned())
}

/// The command that runs `wasm-opt` on a module or on the modules of a component, if `wasm-opt` is installed.
fn optimizer(session: &mut Session<'_>) -> Result<Option<PathBuf>> {
    let is_named = std::env::var_os("WASIO_WASM_OPT").is_some();
    if !is_named && !found("wasm-opt") {
        session.skip("sizes with wasm-opt: it was not found (PATH, WASIO_WASM_OPT)".to_owned());
        return Ok(None);
    }
    let runner = session.runner(Wasio)?.context("the engine is built here")?;
    let program = runner.program().context("the engine is a program")?;
    Ok(Some(program.with_file_name("cargo-wasio")))
}
