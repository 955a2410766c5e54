//! HTTP/1.1, both sides: servers of hyper and axum under wrk, and hyper's client against hyper's server.

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

const GROUP: &str = "http";
const LIMIT: Duration = Duration::from_secs(60);
const CONNECTIONS: u64 = 64;
/// The number of runs of a server. In each, wrk runs for a second.
const RUNS: usize = 12;

/// The contenders that have the program.
pub(crate) const fn entries(bin: &'static str) -> [Entry; 5] {
    [
        Entry::new(Native, "tokio", Program::native("apps", bin).with("http")),
        Entry::new(Wasio, "wasio", Program::wasip1("apps-wasio", bin).with("http")),
        Entry::new(Wasmedge, "wasio", Program::wasip1("apps-wasio", bin).with("http")),
        Entry::new(Wasip2, "wasio", Program::wasip2("apps-wasio", bin).with("http")),
        Entry::new(Wasip2, "tokio", Program::wasip2("apps", bin).with("http").unstable()),
    ]
}

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    if found("wrk") {
        for (bench, bin) in [("http_server", "hyper-server"), ("http_server_axum", "axum-server")] {
            let mut servers = session.enter(GROUP, &entries(bin))?;
            let step = format!("http: {bin}, {CONNECTIONS} connections");
            let params = serde_json::json!({ "connections": CONNECTIONS });
            let mut running_servers =
                start_servers(session, GROUP, &step, &mut servers, |_| Ok(()))?;
            let runs = servers_runs(scale);
            interleave(
                session,
                GROUP,
                &step,
                runs,
                &mut running_servers,
                results,
                |server, results| {
                    let rate = server.measure(|address, ()| under_load(address))?;
                    results.add(GROUP, bench, &params, "req/s", server.as_ref(), rate);
                    Ok(())
                },
            )?;
        }
    } else {
        session.skip("the http servers: wrk not found".into());
    }
    let server = entries("hyper-server")[0].program;
    let server = session.steps.run("build the server", "build", |progress| {
        Ok((session.programs.get(server, progress)?, String::new()))
    })?;
    let mut clients = session.enter(GROUP, &entries("hyper-client"))?;
    let _inside = session.network.enter();
    let port = workspace::free_port()?;
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(server);
    command.arg(&address);
    let _server = Started::new(command, port)?;
    let (runs, milliseconds) = scale.short_runs();
    let arguments = [address, milliseconds.to_string()];
    let step = "http: hyper's client";
    interleave(session, GROUP, step, runs, &mut clients, results, |who, results| {
        let launch = who.runner.launch(&who.program).args(arguments.clone());
        let client = launch.spawn(who.entry.runtime)?;
        processor::keep(client.id(), processor::CLIENTS);
        let done = client.finish(LIMIT)?.success()?;
        let (bench, rate) = done.stdout.trim().split_once(' ').context("a name and a value")?;
        results.add(GROUP, bench, &serde_json::json!({}), "req/s", who, rate.parse()?);
        Ok(())
    })?;
    Ok(format!(
        "servers {} runs of a second, clients {}",
        servers_runs(scale),
        scale.short_runs_described()
    ))
}

/// The number of runs of each server. wrk accepts whole seconds only.
fn servers_runs(scale: &Scale) -> usize {
    if scale.quick { scale.runs } else { RUNS }
}

/// Requests per second.
fn under_load(address: &str) -> Result<f64> {
    let mut command = Command::new("wrk");
    command.args(["-t1", "-c", &CONNECTIONS.to_string(), "-d1"]);
    command.arg(format!("http://{address}/"));
    let clients = Running::spawn("wrk", &mut command)?;
    processor::keep(clients.id(), processor::CLIENTS);
    let done = clients.finish(LIMIT)?.success()?;
    match parse(&done.stdout) {
        Some(rate) => Ok(rate),
        None => Err(done.failure("no rate, or errors").into()),
    }
}

/// The rate, if there was no error.
fn parse(text: &str) -> Option<f64> {
    if text.contains("Socket errors") || text.contains("Non-2xx") {
        return None;
    }
    text.lines().find_map(|line| line.strip_prefix("Requests/sec:"))?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn the_rate_of_wrk() {
        let text =
            "  100 requests in 1.00s, 8KB read\nRequests/sec:    99.50\nTransfer/sec:  8KB\n";
        assert_eq!(parse(text), Some(99.5));
        let errors = format!("{text}  Socket errors: connect 0, read 0, write 0, timeout 2\n");
        assert_eq!(parse(&errors), None);
    }
}
