//! What idle connections cost: an idle server does nothing, and a busy one goes on with its work.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use xtask::platform::Platform;
use xtask::workspace;

use crate::world::{LIMIT, World};
use crate::{ALL, Case};

pub(crate) const CASES: &[Case] = &[
    Case { name: "an_idle_server_does_nothing", needs: &[], on: ALL, run: idle },
    Case { name: "a_lone_connection_is_waited_for_asleep", needs: &[], on: ALL, run: lone },
    Case { name: "a_busy_server_seldom_looks_at_idle_ones", needs: &[], on: ALL, run: busy },
];

/// How long the server is watched.
const WATCHED: Duration = Duration::from_secs(10);

fn idle(world: &World) -> Result<()> {
    let stats = workspace::scratch("engine-tests")?.join(format!("idle-{}", std::process::id()));
    let mut launch = world.launch("echo")?.arg("127.0.0.1:0");
    if world.platform().is_wasio() {
        launch = launch.option("--stats-file").option(&stats);
    }
    let server = launch.spawn("echo")?;
    let address = server.line("listening on", LIMIT)?;
    let connections =
        (0..100).map(|_| TcpStream::connect(&address)).collect::<std::io::Result<Vec<_>>>()?;
    // Until the last connection is accepted and the numbers are written.
    std::thread::sleep(Duration::from_secs(2));

    let cpu_before = cpu_ticks(server.id());
    let calls_before = world.platform().is_wasio().then(|| host_calls(&stats)).transpose()?;
    std::thread::sleep(WATCHED);
    if let Some(before) = calls_before {
        let made = host_calls(&stats)? - before;
        ensure!(made == 0, "{made} host calls in {WATCHED:?}");
    }
    if let (Some(before), Some(after)) = (cpu_before, cpu_ticks(server.id())) {
        // A tick is 10 ms. The engine itself may wake now and then.
        ensure!(after - before <= 5, "{} ticks of CPU time in {WATCHED:?}", after - before);
    }
    drop(connections);
    server.stop()?;
    let _ = std::fs::remove_file(&stats);
    Ok(())
}

/// While a lone connection's messages come at once, the server tries again and again instead of sleeping. It must not
/// when they come seldom, nor when they end.
fn lone(world: &World) -> Result<()> {
    const MESSAGES: u32 = 100;
    let server = world.launch("echo")?.arg("127.0.0.1:0").spawn("echo")?;
    let address = server.line("listening on", LIMIT)?;
    let mut stream = TcpStream::connect(&address)?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    let mut exchange = || {
        stream.write_all(b"message")?;
        stream.read_exact(&mut [0; 7])
    };
    // So that it learns to wait for them.
    for _ in 0..5000 {
        exchange()?;
    }
    let Some(before) = cpu_ticks(server.id()) else { return Ok(()) };
    for _ in 0..MESSAGES {
        std::thread::sleep(Duration::from_millis(20));
        exchange()?;
    }
    std::thread::sleep(Duration::from_secs(2));
    let ticks = cpu_ticks(server.id()).context("it still runs")? - before;
    // In some four seconds, which are 400 ticks for who does not sleep.
    ensure!(ticks <= 40, "{ticks} ticks of CPU time for {MESSAGES} messages and silence");
    server.stop()?;
    Ok(())
}

/// Where a look costs as much as there is to look at, one after every 61 turns would be most of what a server does.
fn busy(world: &World) -> Result<()> {
    const CONNECTIONS: usize = 300;
    const TURNS: u64 = 100_000;
    let stats = workspace::scratch("engine-tests")?.join(format!("busy-{}", std::process::id()));
    let mut launch = world.launch("busy")?.arg(CONNECTIONS.to_string()).arg(TURNS.to_string());
    if world.platform().is_wasio() {
        launch = launch.option("--stats-file").option(&stats);
    }
    let server = launch.spawn("busy")?;
    let address = server.line("listening on", LIMIT)?;
    let mut connections = (0..CONNECTIONS)
        .map(|_| TcpStream::connect(&address))
        .collect::<std::io::Result<Vec<_>>>()?;
    connections[CONNECTIONS / 2].write_all(b"!")?;
    let said = server.line("heard", LIMIT)?;
    ensure!(said == "1", "{said} of the connections were heard, and one has sent something");
    server.finish(LIMIT)?.success()?;
    if world.platform() == Platform::Wasip2 {
        let polls = number(&stats, "polls")?;
        // Each of two tasks had so many turns; some polls are the connections' own.
        let most = 2 * TURNS / 61 / 4 + 2 * CONNECTIONS as u64;
        ensure!(polls < most, "{polls} polls in {} turns", 2 * TURNS);
    }
    let _ = std::fs::remove_file(&stats);
    Ok(())
}

/// The host's own count of the calls that the guest made.
pub(crate) fn host_calls(stats: &Path) -> Result<u64> {
    number(stats, "host_calls")
}

/// One of the host's numbers.
fn number(stats: &Path, name: &str) -> Result<u64> {
    let text = std::fs::read_to_string(stats).context("read the host's numbers")?;
    let stats: serde_json::Value = serde_json::from_str(&text)?;
    stats[name].as_u64().with_context(|| format!("the host's numbers have {name}"))
}

/// User and system time of a process, where there is /proc.
fn cpu_ticks(id: u32) -> Option<u64> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    // The program's name, in parentheses, may contain anything: count after it.
    let mut fields = stat[stat.rfind(')')? + 1..].split_whitespace().skip(11);
    let user: u64 = fields.next()?.parse().ok()?;
    let system: u64 = fields.next()?.parse().ok()?;
    Some(user + system)
}
