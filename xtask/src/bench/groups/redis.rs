//! Redis, both sides: mini-redis' server under redis-benchmark, and the crate `redis` against redis-server.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::platform::Platform::{Native, Wasio, Wasip2, Wasmedge};
use xtask::process::Running;
use xtask::{processor, workspace};

use crate::bench::measure::programs::Program;
use crate::bench::measure::results::Results;
use crate::bench::measure::rounds::interleave;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::servers::start_servers;
use crate::bench::measure::session::{Entry, Session};
use crate::bench::measure::tools::{Started, found};

const GROUP: &str = "redis";
const LIMIT: Duration = Duration::from_secs(120);
const CLIENTS: u64 = 50;
/// The number of requests of a run, for each command.
const REQUESTS: u64 = 25_000;
const QUICK: u64 = 10_000;

const SERVERS: [Entry; 4] = [
    Entry::new(Native, "tokio", Program::native("apps", "redis-server").with("mini-redis")),
    Entry::new(Wasio, "wasio", Program::wasip1("apps-wasio", "redis-server").with("mini-redis")),
    Entry::new(Wasmedge, "wasio", Program::wasip1("apps-wasio", "redis-server").with("mini-redis")),
    Entry::new(Wasip2, "wasio", Program::wasip2("apps-wasio", "redis-server").with("mini-redis")),
];
/// The server needs signals, which the published tokio lacks on WASI. There tokio takes part with the client only.
pub(crate) const CLIENT: [Entry; 5] = [
    Entry::new(Native, "tokio", Program::native("apps", "redis-client").with("redis")),
    Entry::new(Wasio, "wasio", Program::wasip1("apps-wasio", "redis-client").with("redis")),
    Entry::new(Wasmedge, "wasio", Program::wasip1("apps-wasio", "redis-client").with("redis")),
    Entry::new(Wasip2, "wasio", Program::wasip2("apps-wasio", "redis-client").with("redis")),
    Entry::new(Wasip2, "tokio", Program::wasip2("apps", "redis-client").with("redis").unstable()),
];

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    if found("redis-benchmark") {
        under_load(session, scale, results)?;
    } else {
        session.skip("the redis server: redis-benchmark not found".into());
    }
    if found("redis-server") {
        clients(session, scale, results)?;
    } else {
        session.skip("the redis client: redis-server not found".into());
    }
    Ok(scale.short_runs_described())
}

fn under_load(session: &mut Session<'_>, scale: &Scale, results: &mut Results) -> Result<()> {
    let mut servers = session.enter(GROUP, &SERVERS)?;
    let requests = if scale.quick { QUICK } else { REQUESTS };
    let step = format!("redis: the server, {CLIENTS} clients");
    let mut running_servers = start_servers(session, GROUP, &step, &mut servers, |_| Ok(()))?;
    let (runs, _) = scale.short_runs();
    interleave(session, GROUP, &step, runs, &mut running_servers, results, |server, results| {
        for (name, rate) in server.measure(|address, ()| benchmark(address, requests))? {
            let params = serde_json::json!({ "connections": CLIENTS, "command": name });
            results.add(GROUP, "redis_server", &params, "req/s", server.as_ref(), rate);
        }
        Ok(())
    })
}

/// Requests per second of each command.
fn benchmark(address: &str, requests: u64) -> Result<Vec<(String, f64)>> {
    let (_, port) = address.split_once(':').context("an address has a port")?;
    let mut command = Command::new("redis-benchmark");
    command.args(["-p", port, "-t", "set,get", "--csv", "-d", "64"]);
    command.args(["-c", &CLIENTS.to_string(), "-n", &requests.to_string()]);
    let clients = Running::spawn("redis-benchmark", &mut command)?;
    processor::keep(clients.id(), processor::CLIENTS);
    let done = clients.finish(LIMIT)?.success()?;
    let rates: Vec<_> = done.stdout.lines().filter_map(parse).collect();
    match rates.len() {
        2 => Ok(rates),
        _ => Err(done.failure("no two rates").into()),
    }
}

/// A line `"SET","12345.67",…`; the others are headings and warnings.
fn parse(line: &str) -> Option<(String, f64)> {
    let mut fields = line.split(',').map(|field| field.trim().trim_matches('"'));
    let name = fields.next()?;
    Some((name.to_lowercase(), fields.next()?.parse().ok()?))
}

fn clients(session: &mut Session<'_>, scale: &Scale, results: &mut Results) -> Result<()> {
    let mut candidates = session.enter(GROUP, &CLIENT)?;
    let _inside = session.network.enter();
    let port = workspace::free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    let _server = Started::new(command, port)?;
    let (runs, milliseconds) = scale.short_runs();
    let arguments = [format!("127.0.0.1:{port}"), milliseconds.to_string()];
    let step = "redis: the client, pipelined and not";
    interleave(session, GROUP, step, runs, &mut candidates, results, |who, results| {
        let launch = who.runner.launch(&who.program).args(arguments.clone());
        let client = launch.spawn(who.entry.runtime)?;
        processor::keep(client.id(), processor::CLIENTS);
        let done = client.finish(LIMIT)?.success()?;
        for line in done.stdout.lines() {
            let (bench, rate) = line.split_once(' ').context("a line has a name and a value")?;
            results.add(GROUP, bench, &serde_json::json!({}), "req/s", who, rate.parse()?);
        }
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn rates_of_redis_benchmark() {
        assert_eq!(parse("\"SET\",\"51282.05\",\"0.511\""), Some(("set".into(), 51282.05)));
        assert_eq!(parse("\"test\",\"rps\",\"avg_latency_ms\""), None);
        assert_eq!(parse("WARNING: Could not fetch server CONFIG"), None);
    }
}
