//! From the start of a server's process until its first byte arrives, compiled code being cached.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use xtask::workspace;

use super::echo::SERVERS;
use super::field::{Contender, Field};
use super::measured::Measured;
use super::row::median;
use super::{Scale, turns};

const GROUP: &str = "start";
/// Turns for one of another group: a start is so short that who had his turn a second later had another machine.
const TURNS: usize = 6;
/// Starts of a turn, of which the median counts.
const STARTS: usize = 5;
const LIMIT: Duration = Duration::from_secs(60);

pub(super) fn measure(field: &mut Field<'_>, scale: &Scale, measured: &mut Measured) -> Result<()> {
    let mut servers = field.enter(GROUP, &SERVERS)?;
    let step = "start: from nothing to the first answer";
    turns(field, GROUP, step, scale.runs * TURNS, &mut servers, measured, |server, measured| {
        // The first one may compile.
        start(server)?;
        let times: Vec<f64> = (0..STARTS)
            .map(|_| start(server).map(|took| took.as_secs_f64() * 1e3))
            .collect::<Result<_>>()?;
        measured.add(GROUP, "start_echo", &serde_json::json!({}), "ms", server, median(&times).0);
        Ok(())
    })
}

fn start(server: &Contender) -> Result<Duration> {
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
