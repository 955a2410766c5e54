//! What goes wrong on a network: the right `io::ErrorKind`, and the other tasks unharmed.

use std::io::{Read as _, Write as _};
use std::net::UdpSocket;
use std::process::Command;
use std::time::Duration;

use anyhow::{Result, ensure};
use tokio::time::sleep;

use xtask::platform::Platform;
use xtask::process::Running;
use xtask::targets::Target;

use crate::peers::{Peer, reset};
use crate::world::{LIMIT, World};
use crate::{ALL, Case, DENIES_NETWORK, HOST_LOOKUP};

pub(crate) const CASES: &[Case] = &[
    Case { name: "connect_refused", needs: &[], on: ALL, run: refused },
    Case { name: "reset_mid_read", needs: &[], on: ALL, run: reset_mid_read },
    Case { name: "reset_mid_write", needs: &[], on: ALL, run: reset_mid_write },
    Case { name: "half_close", needs: &[], on: ALL, run: half_close },
    Case { name: "peer_gone_while_polling", needs: &[], on: ALL, run: peer_gone },
    Case { name: "unreachable_name", needs: &[], on: ALL, run: unreachable_name },
    Case { name: "invalid_address", needs: &[], on: ALL, run: invalid_address },
    Case { name: "denied_network", needs: &[], on: DENIES_NETWORK, run: denied },
    Case {
        name: "a_listener_is_given",
        needs: &[],
        on: |on| on == Platform::Wasio,
        run: given_listener,
    },
    Case {
        name: "a_listener_needs_descriptors",
        needs: &[],
        on: |on| on == Platform::Wasip2,
        run: no_listener,
    },
    Case { name: "a_lookup_holds_up_nobody", needs: &[], on: HOST_LOOKUP, run: lookup },
    Case {
        name: "a_slow_lookup_holds_up_nobody",
        needs: &["unshare"],
        on: HOST_LOOKUP,
        run: slow_lookup,
    },
    Case { name: "open_file_limit", needs: &[], on: ALL, run: open_file_limit },
];

/// Runs a case of the guest `network`, which checks for itself and prints `ok`.
fn network(world: &World, case: &str, address: &str) -> Result<()> {
    let guest = world.launch("network")?.args([case, address]).spawn(case)?;
    guest.finish(LIMIT)?.prints("ok")?;
    Ok(())
}

fn refused(world: &World) -> Result<()> {
    let nobody = xtask::workspace::free_port()?;
    network(world, "refused", &format!("127.0.0.1:{nobody}"))
}

/// The network is denied otherwise.
fn given_listener(world: &World) -> Result<()> {
    let launch =
        world.launch("network")?.without_network().option("--listen").option("127.0.0.1:0");
    let guest = launch.args(["given-listener", ""]).spawn("given-listener")?;
    let mut stream = std::net::TcpStream::connect(guest.line("listening on", LIMIT)?)?;
    stream.write_all(b"ping")?;
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes)?;
    ensure!(&bytes == b"ping", "{bytes:?} came back");
    guest.line("ok", LIMIT)?;
    guest.finish(LIMIT)?.success()?;
    Ok(())
}

fn no_listener(world: &World) -> Result<()> {
    let launch = world.launch("network")?.option("--listen").option("127.0.0.1:0");
    let done = launch.args(["given-listener", ""]).spawn("given-listener")?.finish(LIMIT)?;
    let refused = done.status.code() == Some(2) && done.stderr.contains("has no descriptors");
    ensure!(refused, done.failure("it was not refused"));
    Ok(())
}

fn reset_mid_read(world: &World) -> Result<()> {
    let peer = Peer::serve(async |stream| {
        sleep(Duration::from_millis(100)).await;
        reset(stream);
    })?;
    network(world, "reset-read", &peer.address.to_string())
}

fn reset_mid_write(world: &World) -> Result<()> {
    let peer = Peer::serve(async |stream| {
        sleep(Duration::from_millis(100)).await;
        reset(stream);
    })?;
    network(world, "reset-write", &peer.address.to_string())
}

fn half_close(world: &World) -> Result<()> {
    let peer = Peer::answers_at_the_end()?;
    network(world, "half-close", &peer.address.to_string())
}

fn peer_gone(world: &World) -> Result<()> {
    let peer = Peer::serve(async |stream| {
        sleep(Duration::from_millis(200)).await;
        drop(stream);
    })?;
    network(world, "peer-gone", &peer.address.to_string())
}

fn unreachable_name(world: &World) -> Result<()> {
    network(world, "unreachable-name", "-")
}

fn invalid_address(world: &World) -> Result<()> {
    network(world, "invalid-address", "-")
}

/// Without a grant everything is refused, and the message names the switch.
fn denied(world: &World) -> Result<()> {
    for (case, flag) in [
        ("denied-connect", "--net 127.0.0.1:9"),
        ("denied-bind", "--net listen:127.0.0.1:9"),
        ("denied-udp", "--net "),
        ("denied-lookup", "--net example.com"),
    ] {
        let guest = world.launch("network")?.without_network().args([case, "-"]).spawn(case)?;
        let done = guest.finish(LIMIT)?.success()?;
        ensure!(done.stdout.contains(flag), done.failure(format!("it does not say {flag:?}")));
        if world.platform().target() == Some(Target::P2) {
            let stock = match case {
                "denied-lookup" => "-S allow-ip-name-lookup",
                _ => "-S inherit-network",
            };
            ensure!(done.stdout.contains(stock), done.failure(format!("it does not say {stock}")));
        }
    }
    Ok(())
}

fn lookup(world: &World) -> Result<()> {
    network(world, "lookup", "-")
}

/// The name server does not answer; meanwhile the guest's other tasks run.
fn slow_lookup(world: &World) -> Result<()> {
    // Both need a privilege: the port, and another /etc/resolv.conf for the guest's host alone.
    let Ok(_silent) = UdpSocket::bind("127.0.0.53:53") else {
        eprintln!("skipped: a_slow_lookup_holds_up_nobody: may not be a name server");
        return Ok(());
    };
    let file = xtask::workspace::scratch("engine-tests")?.join("resolv.conf");
    std::fs::write(&file, "nameserver 127.0.0.53\noptions timeout:2 attempts:1\n")?;
    let guest = world.launch("network")?.args(["slow-lookup", "-"]).command();
    let mut command = Command::new("unshare");
    let script = "mount --bind \"$0\" /etc/resolv.conf && exec \"$@\"";
    command.args(["--mount", "sh", "-c", script]).arg(&file);
    command.arg(guest.get_program()).args(guest.get_args());
    Running::spawn("slow-lookup", &mut command)?.finish(LIMIT)?.prints("ok")?;
    Ok(())
}

/// The guest opens connections until it may not, and everything it opened is closed in the end.
fn open_file_limit(world: &World) -> Result<()> {
    let peer = Peer::echo()?;
    let address = peer.address.to_string();
    let guest = world.launch("network")?.args(["fd-limit", &address]).max_open_files(64);
    guest.spawn("fd-limit")?.finish(LIMIT)?.prints("ok")?;
    for _ in 0..100 {
        if peer.open() == 0 {
            return Ok(());
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    ensure!(peer.open() == 0, "{} connections are still open", peer.open());
    Ok(())
}
