//! mini-redis: its own server and client as two guests, every answer checked.

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;
use xtask::cargo::{self, Built};
use xtask::engine::Runner;
use xtask::guests::{self, MINI_REDIS, Tokio};
use xtask::process::{Failure, Finished, Running};
use xtask::report::Steps;
use xtask::workspace;

const LIMIT: Duration = Duration::from_secs(120);

struct Guests<'a> {
    runner: &'a Runner,
    /// mini-redis-server, the published binary.
    server: PathBuf,
    /// mini-redis-cli, the published binary. It knows `get` and `set`.
    cli: PathBuf,
    /// `examples/redis`: the rest of mini-redis' client library on the command line.
    peer: PathBuf,
    port: u16,
}

pub(super) fn demo(steps: &mut Steps, runner: &Runner, examples: &[Built]) -> Result<()> {
    let on = runner.platform().name();
    let target = runner.platform().triple();
    let published = steps.run(&format!("build mini-redis {MINI_REDIS}"), "build", |progress| {
        let built = guests::mini_redis(target, Tokio::Ours, progress)?;
        let prepared = (
            runner.prepare(cargo::find(&built, "mini-redis-server")?)?,
            runner.prepare(cargo::find(&built, "mini-redis-cli")?)?,
        );
        Ok((prepared, "unchanged, as published".into()))
    })?;
    let peer = runner.prepare(cargo::find(examples, "redis")?)?;
    let (server, cli) = published;
    let guests = Guests { runner, server, cli, peer, port: workspace::free_port()? };

    let server = steps.run("mini-redis-server starts", on, |_| Ok(guests.start_server()?))?;
    steps.run("mini-redis: ping", on, |_| checked(&server, guests.ping()))?;
    steps.run("mini-redis-cli: set", on, |_| checked(&server, guests.set()))?;
    steps.run("mini-redis-cli: get", on, |_| checked(&server, guests.get()))?;
    steps.run("mini-redis-cli: set with expiry", on, |_| checked(&server, guests.expiry()))?;
    steps.run("mini-redis: publish, subscribe", on, |_| checked(&server, guests.pubsub()))?;
    steps.run("mini-redis-server is still well, and stops", on, |_| {
        Ok((server.stop()?, "killed by us".to_owned()))
    })?;
    Ok(())
}

/// Adds the server's output to a step's failure, because it often has the cause.
fn checked<T>(server: &Running, result: Result<(T, String), Failure>) -> Result<(T, String)> {
    result.map_err(|mut failure| {
        let said = server.stderr();
        failure.stderr += &format!("\n--- the server's stderr ---\n{}", said.trim_end());
        failure.into()
    })
}

impl Guests<'_> {
    fn start_server(&self) -> Result<(Running, String), Failure> {
        let launch = self.runner.launch(&self.server);
        let mut server =
            launch.args(["--port".to_owned(), self.port.to_string()]).spawn("mini-redis-server")?;
        server.listens(self.port, LIMIT)?;
        Ok((server, format!("127.0.0.1:{}", self.port)))
    }

    fn cli(&self, args: &[&str]) -> Result<Finished, Failure> {
        let launch = self.runner.launch(&self.cli);
        let port = self.port.to_string();
        launch.args(["--port", &port]).args(args).spawn("mini-redis-cli")?.finish(LIMIT)
    }

    fn peer(&self, args: &[&str]) -> Result<Running, Failure> {
        let address = format!("127.0.0.1:{}", self.port);
        self.runner.launch(&self.peer).arg(address).args(args).spawn("redis")
    }

    /// mini-redis 0.4.1 has no PING. The expected answer is the native one.
    fn ping(&self) -> Result<((), String), Failure> {
        let expected = "ERR unknown command 'ping'";
        self.peer(&["ping"])?.finish(LIMIT)?.prints(expected)?;
        Ok(((), format!("answered: {expected} ({MINI_REDIS} has no PING)")))
    }

    fn set(&self) -> Result<((), String), Failure> {
        self.cli(&["set", "greeting", "hello"])?.prints("OK")?;
        Ok(((), "OK".into()))
    }

    fn get(&self) -> Result<((), String), Failure> {
        self.cli(&["get", "greeting"])?.prints("\"hello\"")?;
        self.cli(&["get", "nothing"])?.prints("(nil)")?;
        Ok(((), "\"hello\"; (nil) for a key that is not there".into()))
    }

    fn expiry(&self) -> Result<((), String), Failure> {
        self.cli(&["set", "brief", "here", "1500"])?.prints("OK")?;
        self.cli(&["get", "brief"])?.prints("\"here\"")?;
        std::thread::sleep(Duration::from_millis(1700));
        self.cli(&["get", "brief"])?.prints("(nil)")?;
        Ok(((), "there, and gone after its 1.5 s".into()))
    }

    fn pubsub(&self) -> Result<((), String), Failure> {
        let subscriber = self.peer(&["subscribe", "news"])?;
        subscriber.line("subscribed", LIMIT)?;
        self.peer(&["publish", "news", "it works"])?.finish(LIMIT)?.prints("1 received it")?;
        let got = subscriber.line("news:", LIMIT)?;
        if got != "it works" {
            return Err(subscriber.failure(format!("got {got:?} instead of \"it works\"")));
        }
        subscriber.finish(LIMIT)?.success()?;
        Ok(((), "one message, received".into()))
    }
}
