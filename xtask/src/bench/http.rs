//! HTTP/1.1, both sides: servers of hyper and axum under wrk, and hyper's client against hyper's server.

use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result};
use xtask::engine::Engine::{Native, Wasio, Wasip2, Wasmedge};
use xtask::process::Running;
use xtask::{processor, workspace};

use super::field::{Entry, Field};
use super::measured::Measured;
use super::programs::Program;
use super::standing::stand;
use super::tools::{Started, found};
use super::{Scale, turns};

const GROUP: &str = "http";
const LIMIT: Duration = Duration::from_secs(60);
const CONNECTIONS: u64 = 64;
/// Turns of a server, each a second of wrk's.
const RUNS: usize = 12;

/// Everybody with one of the programs.
pub(super) const fn entries(bin: &'static str) -> [Entry; 5] {
    [
        Entry::new(Native, "tokio", Program::native("apps", bin).with("http")),
        Entry::new(Wasio, "wasio", Program::wasip1("apps-wasio", bin).with("http")),
        Entry::new(Wasmedge, "wasio", Program::wasip1("apps-wasio", bin).with("http")),
        Entry::new(Wasip2, "wasio", Program::wasip2("apps-wasio", bin).with("http")),
        Entry::new(Wasip2, "tokio", Program::wasip2("apps", bin).with("http").unstable()),
    ]
}

pub(super) fn measure(
    field: &mut Field<'_>,
    scale: &Scale,
    measured: &mut Measured,
) -> Result<String> {
    if found("wrk") {
        for (bench, bin) in [("http_server", "hyper-server"), ("http_server_axum", "axum-server")] {
            let mut servers = field.enter(GROUP, &entries(bin))?;
            let step = format!("http: {bin}, {CONNECTIONS} connections");
            let params = serde_json::json!({ "connections": CONNECTIONS });
            let mut standing = stand(field, GROUP, &step, &mut servers, |_| Ok(()))?;
            let runs = servers_runs(scale);
            turns(field, GROUP, &step, runs, &mut standing, measured, |server, measured| {
                let rate = server.turn(|address, ()| under_load(address))?;
                measured.add(GROUP, bench, &params, "req/s", server.as_ref(), rate);
                Ok(())
            })?;
        }
    } else {
        field.skip("the http servers: wrk not found".into());
    }
    let server = entries("hyper-server")[0].program;
    let server = field.steps.run("build the server", "build", |progress| {
        Ok((field.programs.get(server, progress)?, String::new()))
    })?;
    let mut clients = field.enter(GROUP, &entries("hyper-client"))?;
    let _inside = field.network.enter();
    let port = workspace::free_port()?;
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(server);
    command.arg(&address);
    let _server = Started::new(command, port)?;
    let (runs, milliseconds) = scale.short_turns();
    let arguments = [address, milliseconds.to_string()];
    let step = "http: hyper's client";
    turns(field, GROUP, step, runs, &mut clients, measured, |who, measured| {
        let launch = who.runner.launch(&who.program).args(arguments.clone());
        let client = launch.spawn(who.entry.runtime)?;
        processor::keep(client.id(), processor::CLIENTS);
        let done = client.finish(LIMIT)?.success()?;
        let (bench, rate) = done.stdout.trim().split_once(' ').context("a name and a value")?;
        measured.add(GROUP, bench, &serde_json::json!({}), "req/s", who, rate.parse()?);
        Ok(())
    })?;
    Ok(format!(
        "servers {} runs of a second, clients {}",
        servers_runs(scale),
        scale.short_turns_described()
    ))
}

/// How many turns each server has: wrk knows whole seconds.
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

/// The rate, when nothing went wrong.
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
