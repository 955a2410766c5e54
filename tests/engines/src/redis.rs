//! Redis: guests as clients of real servers, and real clients of a guest.

use std::process::Command;

use anyhow::Result;
use xtask::guests::{self, Tokio};
use xtask::process::Running;
use xtask::{cargo, workspace};

use crate::world::{LIMIT, World};
use crate::{ALL, Case};

pub(crate) const CASES: &[Case] = &[
    Case { name: "clients_of_redis_server", needs: &["redis-server"], on: ALL, run: of_redis },
    Case { name: "clients_of_native_mini_redis", needs: &[], on: ALL, run: of_mini_redis },
    Case { name: "redis_cli_of_a_guest", needs: &["redis-cli"], on: ALL, run: redis_cli },
];

fn of_redis(world: &World) -> Result<()> {
    let port = workspace::free_port()?;
    let mut command = Command::new("redis-server");
    command.args(["--port", &port.to_string(), "--save", "", "--appendonly", "no"]);
    let mut server = Running::spawn("redis-server", &mut command)?;
    server.listens(port, LIMIT)?;
    guests_as_clients(world, port, "PONG")?;
    server.stop()?;
    Ok(())
}

fn of_mini_redis(world: &World) -> Result<()> {
    let built = guests::mini_redis(None, Tokio::Upstream, &|_| {})?;
    let port = workspace::free_port()?;
    let mut command = Command::new(cargo::find(&built, "mini-redis-server")?);
    command.args(["--port", &port.to_string()]);
    let mut server = Running::spawn("native mini-redis-server", &mut command)?;
    server.listens(port, LIMIT)?;
    guests_as_clients(world, port, "ERR unknown command 'ping'")?;
    server.stop()?;
    Ok(())
}

/// mini-redis' command and its client library as guests.
fn guests_as_clients(world: &World, port: u16, pong: &str) -> Result<()> {
    let address = format!("127.0.0.1:{port}");
    let port = port.to_string();
    let cli = |args: &[&str]| -> Result<_> {
        let launch = world.launch("mini-redis-cli")?.args(["--port", &port]).args(args);
        Ok(launch.spawn("mini-redis-cli")?.finish(LIMIT)?)
    };
    cli(&["set", "key", "a value"])?.prints("OK")?;
    cli(&["get", "key"])?.prints("\"a value\"")?;
    cli(&["get", "no-such-key"])?.prints("(nil)")?;
    let peer = |args: &[&str]| -> Result<_> {
        Ok(world.launch("redis")?.arg(&address).args(args).spawn("redis")?)
    };
    peer(&["ping"])?.finish(LIMIT)?.prints(pong)?;
    let subscriber = peer(&["subscribe", "news"])?;
    subscriber.line("subscribed", LIMIT)?;
    peer(&["publish", "news", "hello"])?.finish(LIMIT)?.prints("1 received it")?;
    subscriber.line("news: hello", LIMIT)?;
    subscriber.finish(LIMIT)?.success()?;
    Ok(())
}

fn redis_cli(world: &World) -> Result<()> {
    let port = workspace::free_port()?.to_string();
    let launch = world.launch("mini-redis-server")?;
    let mut server = launch.args(["--port", &port]).spawn("mini-redis-server")?;
    server.listens(port.parse()?, LIMIT)?;
    let cli = |args: &[&str]| {
        let mut command = Command::new("redis-cli");
        command.args(["-p", &port]).args(args);
        Running::spawn("redis-cli", &mut command)?.finish(LIMIT)
    };
    cli(&["set", "key", "a value"])?.prints("OK")?;
    cli(&["get", "key"])?.prints("a value")?;
    cli(&["set", "brief", "here", "px", "100"])?.prints("OK")?;
    std::thread::sleep(std::time::Duration::from_millis(300));
    cli(&["get", "brief"])?.prints("")?;
    cli(&["publish", "nobody", "listens"])?.prints("0")?;
    let large = "x".repeat(100_000);
    cli(&["set", "large", &large])?.prints("OK")?;
    cli(&["get", "large"])?.prints(&large)?;
    server.stop()?;
    Ok(())
}
