//! What leaves a guest: its standard output, and the bytes of its sockets as the host counts them.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use xtask::platform::Platform;
use xtask::workspace;

use crate::world::{LIMIT, World};
use crate::{Case, On, WASIO};

/// Where waiting for the standard output suspends only the task that writes.
const PATIENT_OUTPUT: On = |on| matches!(on, Platform::Native | Platform::Wasip2);

pub(crate) const CASES: &[Case] = &[
    Case { name: "an_output_that_nobody_reads", needs: &[], on: PATIENT_OUTPUT, run: unread },
    Case { name: "the_host_counts_bytes", needs: &[], on: WASIO, run: counted },
];

/// The other tasks go on while the output is full, and nothing of it is lost.
fn unread(world: &World) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let port = listener.local_addr()?.port();
    let mut command = world.launch("output")?.arg(port.to_string()).command();
    let mut guest = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn()?;
    let talked = talk(&listener);
    let mut output = Vec::new();
    guest.stdout.take().context("piped above")?.read_to_end(&mut output)?;
    let status = guest.wait()?;
    talked?;
    ensure!(status.success(), "it ended with {status}");
    ensure!(output.len() == 1024 * 1024, "{} bytes came out", output.len());
    ensure!(output.chunks(1024).all(|line| line.ends_with(b"x\n")), "the lines are mixed up");
    Ok(())
}

/// The connection is given up when this returns, and the guest then writes the rest.
fn talk(listener: &TcpListener) -> Result<()> {
    let (mut peer, _) = listener.accept()?;
    peer.set_read_timeout(Some(Duration::from_secs(10)))?;
    // A pipe takes 64 KiB.
    std::thread::sleep(Duration::from_millis(300));
    for _ in 0..10 {
        peer.write_all(b"?")?;
        peer.read_exact(&mut [0]).context("no answer: the output holds the guest up")?;
    }
    Ok(())
}

fn counted(world: &World) -> Result<()> {
    let stats = workspace::scratch("engine-tests")?.join(format!("bytes-{}", std::process::id()));
    let launch = world.launch("echo")?.arg("127.0.0.1:0").option("--stats-file").option(&stats);
    let server = launch.spawn("echo")?;
    let mut client = TcpStream::connect(server.line("listening on", LIMIT)?)?;
    client.write_all(&[1; 10_000])?;
    client.read_exact(&mut [0; 10_000])?;
    let asked = Instant::now();
    // The file is rewritten now and then.
    loop {
        let text = std::fs::read_to_string(&stats).unwrap_or_default();
        let counts: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
        let bytes = (counts["bytes_in"].as_u64(), counts["bytes_out"].as_u64());
        if bytes == (Some(10_000), Some(10_000)) {
            break;
        }
        ensure!(asked.elapsed() < Duration::from_secs(10), "the host counts {bytes:?}");
        std::thread::sleep(Duration::from_millis(50));
    }
    server.stop()?;
    let _ = std::fs::remove_file(&stats);
    Ok(())
}
