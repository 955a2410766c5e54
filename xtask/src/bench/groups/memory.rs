//! The memory of an idle connection and of a waiting task: of the whole process, guest and host together.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::platform::Platform::{Native, Wasio, Wasip2, Wasmedge};
use xtask::process::Running;
use xtask::workspace;

use super::echo::SERVERS;
use crate::bench::measure::client::resident;
use crate::bench::measure::programs::Program;
use crate::bench::measure::results::Results;
use crate::bench::measure::rounds::interleave;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::session::{Candidate, Entry, Session};

const GROUP: &str = "memory";
const LIMIT: Duration = Duration::from_secs(120);
const CONNECTIONS: usize = 1000;
const TASKS: usize = 100_000;
/// The number of runs. Memory varies little from run to run.
const RUNS: usize = 3;

const CROWDS: [Entry; 7] = [
    Entry::new(Native, "tokio", Program::native("tokio", "tasks")),
    Entry::new(Wasio, "wasio", Program::wasip1("wasio", "tasks")),
    Entry::new(Wasio, "tokio", Program::wasip1("tokio", "tasks")),
    Entry::new(Wasmedge, "wasio", Program::wasip1("wasio", "tasks")),
    Entry::new(Wasmedge, "tokio_wasi", Program::wasip1("tokio-wasi", "tasks")),
    Entry::new(Wasip2, "wasio", Program::wasip2("wasio", "tasks")),
    Entry::new(Wasip2, "tokio", Program::wasip2("tokio", "tasks")),
];

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    let runs = if scale.quick { 1 } else { RUNS };
    let mut servers = session.enter(GROUP, &SERVERS)?;
    let params = serde_json::json!({ "connections": CONNECTIONS });
    let step = format!("memory: {CONNECTIONS} idle connections");
    interleave(session, GROUP, &step, runs, &mut servers, results, |server, results| {
        results.add(GROUP, "connection", &params, "bytes", server, connection(server)?);
        Ok(())
    })?;
    let mut crowds = session.enter(GROUP, &CROWDS)?;
    let params = serde_json::json!({ "tasks": TASKS });
    let step = format!("memory: {TASKS} waiting tasks");
    interleave(session, GROUP, &step, runs, &mut crowds, results, |crowd, results| {
        let (without, with) = (tasks(crowd, 0)?, tasks(crowd, TASKS)?);
        let each = |from: f64, to: f64| (to - from) / TASKS as f64;
        results.add(GROUP, "task", &params, "bytes", crowd, each(without.0, with.0));
        if crowd.entry.program.target.is_some() {
            let guest = each(without.1, with.1);
            results.add(GROUP, "task_guest", &params, "bytes", crowd, guest);
        }
        Ok(())
    })?;
    Ok(format!("{runs} runs"))
}

/// Bytes for each connection.
fn connection(server: &Candidate) -> Result<f64> {
    let address = format!("127.0.0.1:{}", workspace::free_port()?);
    let running = server.serve(&address).spawn(server.entry.runtime)?;
    running.line("listening", LIMIT)?;
    // The first connection may allocate memory that all share.
    let _first = connect(&address)?;
    let before = resident(running.id())?;
    let all: Vec<TcpStream> = (0..CONNECTIONS).map(|_| connect(&address)).collect::<Result<_>>()?;
    let after = resident(running.id())?;
    drop(all);
    running.stop()?;
    Ok((after - before) / CONNECTIONS as f64)
}

/// A connection that has received an answer.
fn connect(address: &str) -> Result<TcpStream> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(b"x")?;
    stream.read_exact(&mut [0])?;
    Ok(stream)
}

/// The bytes in use with this many tasks: of the process, and of the guest's linear memory.
fn tasks(crowd: &Candidate, count: usize) -> Result<(f64, f64)> {
    let launch = crowd.runner.launch(&crowd.program).arg(count.to_string());
    let running: Running = launch.spawn(crowd.entry.runtime)?;
    let guest = running.line("waiting", LIMIT)?.trim().parse().context("a number of bytes")?;
    let process = resident(running.id())?;
    running.stop()?;
    Ok((process, guest))
}
