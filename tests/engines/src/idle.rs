//! An idle server does nothing: 100 connections are open and silent.

use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use xtask::workspace;

use crate::world::{LIMIT, World};
use crate::{ALL, Case};

pub(crate) const CASES: &[Case] =
    &[Case { name: "an_idle_server_does_nothing", needs: &[], on: ALL, run: idle }];

/// How long the server is watched.
const WATCHED: Duration = Duration::from_secs(10);

fn idle(world: &World) -> Result<()> {
    let stats = workspace::scratch("engine-tests")?.join(format!("idle-{}", std::process::id()));
    let mut launch = world.launch("echo")?.arg("127.0.0.1:0");
    if world.engine().is_ours() {
        launch = launch.option("--stats-file").option(&stats);
    }
    let server = launch.spawn("echo")?;
    let address = server.line("listening on", LIMIT)?;
    let connections =
        (0..100).map(|_| TcpStream::connect(&address)).collect::<std::io::Result<Vec<_>>>()?;
    // Until the last connection is accepted and the numbers are written.
    std::thread::sleep(Duration::from_secs(2));

    let cpu_before = cpu_ticks(server.id());
    let calls_before = world.engine().is_ours().then(|| host_calls(&stats)).transpose()?;
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

/// The host's own count of the calls that the guest made.
pub(crate) fn host_calls(stats: &Path) -> Result<u64> {
    let text = std::fs::read_to_string(stats).context("read the host's numbers")?;
    let stats: serde_json::Value = serde_json::from_str(&text)?;
    stats["host_calls"].as_u64().context("the host counts its calls")
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
