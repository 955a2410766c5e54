//! The time from the start of a server's process until its first byte arrives, with compiled code cached.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use xtask::workspace;

use super::echo::SERVERS;
use crate::bench::measure::results::Results;
use crate::bench::measure::rounds::interleave;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::session::{Candidate, Session};

const GROUP: &str = "start";
/// The number of starts for one run of another group. Contenders alternate after each start, because the speed of the
/// machine changes within tenths of a second.
const STARTS: usize = 80;
const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    let mut servers = session.enter(GROUP, &SERVERS)?;
    // The first one may compile.
    let step = "start: once, to compile";
    interleave(session, GROUP, step, 1, &mut servers, results, |server, _| {
        start(server).map(drop)
    })?;
    let step = "start: from nothing to the first answer";
    let runs = scale.runs * STARTS;
    interleave(session, GROUP, step, runs, &mut servers, results, |server, results| {
        let took = start(server)?.as_secs_f64() * 1e3;
        results.add(GROUP, "start_echo", &serde_json::json!({}), "ms", server, took);
        Ok(())
    })?;
    Ok(format!("{runs} starts"))
}

fn start(server: &Candidate) -> Result<Duration> {
    let port = workspace::free_port()?;
    let launch = server.serve(&format!("127.0.0.1:{port}"));
    let from = Instant::now();
    let running = launch.spawn(server.entry.runtime)?;
    running.line("listening", LIMIT)?;
    let exchange = || {
        let mut stream = TcpStream::connect(("127.0.0.1", port))?;
        stream.set_read_timeout(Some(LIMIT))?;
        stream.write_all(b"x")?;
        stream.read_exact(&mut [0])
    };
    exchange().map_err(|e| running.failure(e.to_string()))?;
    let took = from.elapsed();
    running.stop()?;
    Ok(took)
}
