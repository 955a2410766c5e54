//! TCP echo of 64 bytes: connections that each wait for their answer, beside idle ones.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::platform::Platform::{Native, Wasio};
use xtask::process::Running;
use xtask::processor;

use crate::bench::measure::client::open_files;
use crate::bench::measure::programs::Program;
use crate::bench::measure::results::Results;
use crate::bench::measure::rounds::interleave;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::servers::{retain, start_servers, tcp_servers};
use crate::bench::measure::session::{Entry, Session};

const GROUP: &str = "echo";
/// Some peers take minutes until 10,000 connections are open.
const LIMIT: Duration = Duration::from_secs(400);
/// Descriptors that a process has besides those of its connections.
const OTHER_FILES: u64 = 200;

/// The number of times that servers without idle connections are restarted. The same program differs by one or two
/// percent from start to start. Runs are shorter by the same factor.
const STARTS: u64 = 5;

/// The numbers of busy and idle connections.
const LOADS: [(u64, u64); 6] = [(1, 0), (50, 0), (500, 0), (10, 0), (10, 1000), (10, 10_000)];
/// Only for servers whose rate must not depend on idle connections.
const CROWD: (u64, u64) = (10, 15_000);
const QUICK: [(u64, u64); 4] = [(1, 0), (50, 0), (10, 0), (10, 1000)];

pub(crate) const LOAD: Program = Program::native("load", "load");
pub(crate) const SERVERS: [Entry; 11] = tcp_servers("echo");

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    let mut servers = session.enter(GROUP, &SERVERS)?;
    let load = session.steps.run("build the load generator", "build", |progress| {
        Ok((session.programs.get(LOAD, progress)?, String::new()))
    })?;
    let files = open_files();
    let loads = if scale.quick { QUICK.to_vec() } else { [&LOADS[..], &[CROWD]].concat() };
    for (connections, idle) in loads {
        if (connections, idle) == CROWD {
            servers.retain(|server| match server.entry.platform {
                Native => true,
                platform => platform == Wasio && server.entry.runtime != "tokio",
            });
        }
        if connections + idle + OTHER_FILES > files {
            session.skip(format!(
                "echo with {idle} idle connections: {files} open files are allowed (ulimit -n)"
            ));
            continue;
        }
        let params = serde_json::json!({ "connections": connections, "idle": idle });
        let starts = if idle == 0 && !scale.quick { STARTS } else { 1 };
        for start in 1..=starts {
            let step = format!("echo: {connections} connections, {idle} idle, {start} of {starts}");
            let mut running_servers =
                start_servers(session, GROUP, &step, &mut servers, |address| {
                    Load::start(&load, address, [connections, idle])
                })?;
            let (runs, milliseconds) = scale.short_runs();
            let milliseconds = milliseconds / starts;
            interleave(
                session,
                GROUP,
                &step,
                runs,
                &mut running_servers,
                results,
                |server, results| {
                    let rate = server.measure(|_, load| load.rate(milliseconds))?;
                    results.add(GROUP, "echo", &params, "req/s", server.as_ref(), rate);
                    Ok(())
                },
            )?;
            retain(&mut servers, &running_servers);
        }
    }
    let described = scale.short_runs_described();
    Ok(format!("{described}, without idle connections {STARTS} times as many and as short"))
}

/// A load generator, with its connections open.
struct Load {
    running: Running,
    runs: u32,
}

impl Load {
    fn start(program: &Path, address: &str, numbers: [u64; 2]) -> Result<Load> {
        let mut command = Command::new(program);
        command.arg(address).args(numbers.map(|n| n.to_string()));
        let running = Running::spawn("load", &mut command)?;
        processor::keep(running.id(), processor::CLIENTS);
        running.line("ready", LIMIT)?;
        Ok(Load { running, runs: 0 })
    }

    /// Echoes per second.
    fn rate(&mut self, milliseconds: u64) -> Result<f64> {
        self.running.write(format!("{milliseconds}\n").as_bytes())?;
        let line = self.running.line(&format!("{} ", self.runs), LIMIT)?;
        self.runs += 1;
        line.parse().context("the load generator prints a number")
    }
}
