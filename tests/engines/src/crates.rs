//! The crates people build on tokio, unmodified, as guests: the programs of `examples/crates`.

use std::process::Command;

use anyhow::{Result, ensure};
use xtask::platform::Platform;
use xtask::process::Running;
use xtask::workspace;

use crate::dns::NameServer;
use crate::http::pages;
use crate::world::{LIMIT, World};
use crate::{Case, On, WASM};

/// Where they are tested; they take long to build.
const ON: On = WASM;
pub(crate) const CASES: &[Case] = &[
    Case { name: "crates_axum_server", needs: &["curl"], on: ON, run: axum },
    Case { name: "crates_hyper_util_and_reqwest_clients", needs: &[], on: ON, run: http },
    Case { name: "crates_redis_client", needs: &["redis-server"], on: ON, run: redis },
    Case { name: "crates_websockets", needs: &[], on: ON, run: websockets },
    Case { name: "crates_axum_under_wrk", needs: &["wrk"], on: ON, run: wrk },
    Case { name: "crates_tower_codec_and_streams", needs: &[], on: ON, run: service },
    Case { name: "crates_h2", needs: &[], on: ON, run: h2 },
    Case { name: "crates_tracing", needs: &[], on: ON, run: tracing },
    Case { name: "crates_grpc", needs: &[], on: ON, run: grpc },
];

fn axum(world: &World) -> Result<()> {
    let server = world.launch_crate("axum-server")?.arg("127.0.0.1:0").spawn("axum-server")?;
    let address = server.line("listening on", LIMIT)?;
    let curl = |args: &[&str]| {
        let mut command = Command::new("curl");
        command.args(["--silent", "--show-error", "--fail", "--noproxy", "*"]).args(args);
        Running::spawn("curl", &mut command)?.finish(LIMIT)
    };
    curl(&[&format!("http://{address}/hello/you")])?.prints("Hello, you!")?;
    curl(&["--http2-prior-knowledge", &format!("http://{address}/hello/h2")])?
        .prints("Hello, h2!")?;
    let json = r#"{"numbers": [1, 2, 39]}"#;
    let header = "content-type: application/json";
    curl(&["--header", header, "--data", json, &format!("http://{address}/sum")])?
        .prints(r#"{"sum":42}"#)?;
    server.stop()?;
    Ok(())
}

fn http(world: &World) -> Result<()> {
    let peer = pages()?;
    let (names, port) = (NameServer::start()?, peer.address.port());
    let mut guest = world.launch_crate("http-client")?;
    // On WASI 0.2 names are the host's: it knows this one.
    guest = match world.platform() {
        Platform::Wasio => {
            guest = guest.env("DNS_SERVER", &names.address.to_string());
            guest.arg(format!("http://local.test:{port}/page"))
        }
        _ => guest.arg(format!("http://localhost:{port}/page")),
    };
    let done = guest.spawn("http-client")?.finish(LIMIT)?;
    let length = "/page\n".len() + crate::http::PAGE;
    done.prints(&format!("hyper-util: 200 OK, {length} bytes\nreqwest: 200 OK, {length} bytes"))?;
    Ok(())
}

fn redis(world: &World) -> Result<()> {
    let port = workspace::free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    let mut server = Running::spawn("redis-server", &mut command)?;
    server.listens(port, LIMIT)?;
    let guest = world.launch_crate("redis-client")?.arg(format!("127.0.0.1:{port}"));
    let done = guest.spawn("redis-client")?.finish(LIMIT)?;
    done.prints("hello 42 50\nconnected anew: true\nnews: extra\nreceivers: 1")?;
    server.stop()?;
    Ok(())
}

fn websockets(world: &World) -> Result<()> {
    both(world, "websocket", "one\ntwo\nthree")
}

fn grpc(world: &World) -> Result<()> {
    let server = world.launch_crate("grpc")?.args(["server", "127.0.0.1:0"]).spawn("server")?;
    let address = server.line("listening on", LIMIT)?;
    let client = world.launch_crate("grpc")?.args(["client", &address, "you"]).spawn("client")?;
    client.finish(LIMIT)?.prints("Hello, you!")?;
    server.stop()?;
    Ok(())
}

fn wrk(world: &World) -> Result<()> {
    let server = world.launch_crate("axum-server")?.arg("127.0.0.1:0").spawn("axum-server")?;
    let address = server.line("listening on", LIMIT)?;
    let mut command = Command::new("wrk");
    command.args(["--threads", "1", "--connections", "50", "--duration", "2s"]);
    command.arg(format!("http://{address}/hello/wrk"));
    let done = Running::spawn("wrk", &mut command)?.finish(LIMIT)?.success()?;
    let good = done.stdout.contains("Requests/sec:")
        && !done.stdout.contains("Requests/sec:      0.00")
        && !done.stdout.contains("Socket errors")
        && !done.stdout.contains("Non-2xx");
    ensure!(good, done.failure("not every request was answered"));
    server.stop()?;
    Ok(())
}

/// A client of a server, both guests of one program.
fn both(world: &World, program: &str, expected: &str) -> Result<()> {
    let server = world.launch_crate(program)?.args(["server", "127.0.0.1:0"]).spawn("server")?;
    let address = server.line("listening on", LIMIT)?;
    let client = world.launch_crate(program)?.args(["client", &address]).spawn("client")?;
    client.finish(LIMIT)?.prints(expected)?;
    server.stop()?;
    Ok(())
}

fn service(world: &World) -> Result<()> {
    let expected = "42\nerror: invalid digit found in string\nerror: request timed out\n21\n22";
    both(world, "service", expected)
}

fn h2(world: &World) -> Result<()> {
    both(world, "h2", "200 OK 1\n200 OK 10000\n200 OK 60000")
}

fn tracing(world: &World) -> Result<()> {
    let run = |level: &str| {
        let guest = world.launch_crate("tracing")?.env("RUST_LOG", level);
        anyhow::Ok(guest.spawn("tracing")?.finish(LIMIT)?.success()?)
    };
    let done = run("info")?;
    for (number, result) in [(1, 2), (2, 4)] {
        let line = format!(" INFO pair:double{{number={number}}}: tracing: done result={result}\n");
        ensure!(done.stdout.contains(&line), done.failure(format!("no {line:?}")));
    }
    ensure!(!done.stdout.contains("DEBUG"), done.failure("RUST_LOG was not heeded"));
    let done = run("debug")?;
    let line = "DEBUG pair:double{number=1}: tracing: asleep\n";
    ensure!(done.stdout.contains(line), done.failure(format!("no {line:?}")));
    Ok(())
}
