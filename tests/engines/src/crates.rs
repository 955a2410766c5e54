//! The crates people build on tokio, unmodified, as guests: the programs of `examples/crates`.

use std::os::unix::fs::MetadataExt as _;
use std::process::Command;

use anyhow::{Context as _, Result, ensure};
use xtask::engine::Engine;
use xtask::process::Running;
use xtask::workspace;

use crate::Case;
use crate::http::pages;
use crate::world::{LIMIT, World};

/// Where they are tested; they take long to build.
const ON: &[Engine] = &[Engine::Wasio, Engine::Wasip2, Engine::Stock];
/// tokio-postgres in the version that compiles for wasip2 does not run on wasip1 (examples/crates/Cargo.toml).
const WASIP2: &[Engine] = &[Engine::Wasip2, Engine::Stock];

pub(crate) const CASES: &[Case] = &[
    Case { name: "crates_axum_server", needs: &["curl"], on: ON, run: axum },
    Case { name: "crates_hyper_util_and_reqwest_clients", needs: &[], on: ON, run: http },
    Case { name: "crates_redis_client", needs: &["redis-server"], on: ON, run: redis },
    Case {
        name: "crates_postgres_client",
        needs: &["postgres", "initdb"],
        on: WASIP2,
        run: postgres,
    },
    Case { name: "crates_websockets", needs: &[], on: ON, run: websockets },
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
    let url = format!("http://localhost:{}/page", peer.address.port());
    let done = world.launch_crate("http-client")?.arg(url).spawn("http-client")?.finish(LIMIT)?;
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
    done.prints("hello 42 50\nnews: extra\nreceivers: 1")?;
    server.stop()?;
    Ok(())
}

fn postgres(world: &World) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("wasio-postgres-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir(&folder)?;
    // PostgreSQL refuses to run as root.
    let root = std::fs::metadata(&folder)?.uid() == 0;
    if root {
        let owned = Command::new("chown").arg("postgres").arg(&folder).status()?;
        ensure!(owned.success(), "there is no user `postgres`");
    }
    let as_postgres = |program: &str| {
        let mut command = Command::new(if root { "runuser" } else { program });
        if root {
            command.args(["-u", "postgres", "--", program]);
        }
        command.current_dir(&folder);
        command
    };
    let data = folder.join("data");
    let mut command = as_postgres("initdb");
    command.args(["--auth=trust", "--username=tester", "--no-sync", "-D"]).arg(&data);
    Running::spawn("initdb", &mut command)?.finish(LIMIT)?.success().context("initdb")?;
    let port = workspace::free_port()?;
    let mut command = as_postgres("postgres");
    command.args(["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="]);
    command.args(["-p", &port.to_string(), "-D"]).arg(&data);
    let mut server = Running::spawn("postgres", &mut command)?;
    server.listens(port, LIMIT)?;
    let address = format!("127.0.0.1:{port}");
    let guest = world.launch_crate("postgres-client")?.args([&address, "tester", "postgres"]);
    let done = guest.spawn("postgres-client")?.finish(LIMIT)?;
    done.prints("plum 5\npear 4\napple 3")?;
    server.stop()?;
    let _ = std::fs::remove_dir_all(&folder);
    Ok(())
}

fn websockets(world: &World) -> Result<()> {
    let server =
        world.launch_crate("websocket")?.args(["server", "127.0.0.1:0"]).spawn("server")?;
    let address = server.line("listening on", LIMIT)?;
    let client = world.launch_crate("websocket")?.args(["client", &address]).spawn("client")?;
    client.finish(LIMIT)?.prints("one\ntwo\nthree")?;
    server.stop()?;
    Ok(())
}

fn grpc(world: &World) -> Result<()> {
    let server = world.launch_crate("grpc")?.args(["server", "127.0.0.1:0"]).spawn("server")?;
    let address = server.line("listening on", LIMIT)?;
    let client = world.launch_crate("grpc")?.args(["client", &address, "you"]).spawn("client")?;
    client.finish(LIMIT)?.prints("Hello, you!")?;
    server.stop()?;
    Ok(())
}
