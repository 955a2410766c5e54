//! TCP echo, 64 bytes, 50 connections that each wait for their answer: the guest beside native
//! tokio.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::engine::Runner;
use xtask::process::Running;
use xtask::report::Steps;
use xtask::workspace;

use super::Programs;
use super::row::{Row, engine_name, median};

const RUNS: usize = 3;
const SECONDS: &str = "2";
const LIMIT: Duration = Duration::from_secs(60);
const CONNECTIONS: usize = 50;

/// One server program on one engine.
struct Server<'a> {
    runner: &'a Runner,
    runtime: &'static str,
    program: PathBuf,
    rates: Vec<f64>,
}

pub(super) fn measure(
    steps: &mut Steps,
    programs: &Programs,
    engines: &[Runner],
    rows: &mut Vec<Row>,
) -> Result<()> {
    let native = Runner::native();
    let mut servers = vec![Server::new(&native, "tokio", &programs.echo_native)?];
    for engine in engines {
        servers.push(Server::new(engine, "wasio", &programs.echo_wasio)?);
    }
    steps.run(&format!("echo: {CONNECTIONS} connections"), "all", |progress| {
        for run in 0..RUNS {
            for server in &mut servers {
                let engine = server.runner.engine().name();
                progress(&format!("run {} of {RUNS}: {} {engine}", run + 1, server.runtime));
                let rate = server.run(&programs.load, CONNECTIONS, 0)?;
                server.rates.push(rate);
            }
        }
        Ok(((), format!("{RUNS} runs")))
    })?;
    let natively = median(&servers[0].rates).0;
    for server in &servers {
        let (value, spread) = median(&server.rates);
        rows.push(Row {
            group: "echo".to_owned(),
            bench: "echo".to_owned(),
            engine: engine_name(server.runner.engine()).to_owned(),
            runtime: server.runtime.to_owned(),
            params: serde_json::json!({ "connections": CONNECTIONS, "idle": 0 }),
            value,
            unit: "req/s".to_owned(),
            ratio_native: Some(value / natively),
            spread,
        });
    }
    Ok(())
}

impl<'a> Server<'a> {
    fn new(runner: &'a Runner, runtime: &'static str, program: &Path) -> Result<Server<'a>> {
        Ok(Server { runner, runtime, program: runner.prepare(program)?, rates: Vec::new() })
    }

    /// Starts the server, loads it, and returns the rate.
    fn run(&self, load: &Path, connections: usize, idle: usize) -> Result<f64> {
        let address = format!("127.0.0.1:{}", workspace::free_port()?);
        let server = self.runner.launch(&self.program).arg(&address).spawn(self.runtime)?;
        server.line("listening", LIMIT)?;
        let mut load = Command::new(load);
        load.arg(&address).args([connections.to_string(), idle.to_string()]).arg(SECONDS);
        let done = Running::spawn("load", &mut load)?.finish(LIMIT)?.success()?;
        server.stop()?;
        done.stdout.trim().parse().context("the load generator prints a number")
    }
}
