//! Names are looked up by our own resolver, from the server that `DNS_SERVER` names.

use std::time::Instant;

use anyhow::{Result, bail, ensure};
use tokio::io::AsyncWriteExt;
use xtask::engine::Launch;
use xtask::platform::Platform;
use xtask::process::Finished;
use xtask::targets::Target;

use crate::dns::NameServer;
use crate::peers::Peer;
use crate::world::{LIMIT, World};
use crate::{Case, On};

/// Where our own resolver is: not on WASI 0.2, whose hosts look names up without blocking.
const OWN_RESOLVER: On = |on| on.target() != Some(Target::P2);
/// Of these, where a guest has an `/etc` of its own.
const GUESTS: On = |on| OWN_RESOLVER(on) && on.is_guest();
/// Of these, where the network can be denied.
const DENIES_NETWORK: On = |on| GUESTS(on) && on.denies_network();

pub(crate) const CASES: &[Case] = &[
    Case { name: "names_of_a_server", needs: &[], on: OWN_RESOLVER, run: names },
    Case { name: "names_that_cannot_be_had", needs: &[], on: OWN_RESOLVER, run: failures },
    Case { name: "a_name_server_that_is_gone", needs: &[], on: OWN_RESOLVER, run: another_server },
    Case { name: "names_without_network", needs: &[], on: DENIES_NETWORK, run: denied },
    Case { name: "files_that_know_names", needs: &[], on: GUESTS, run: files },
    Case { name: "every_address_of_a_name_is_tried", needs: &[], on: OWN_RESOLVER, run: addresses },
];

/// The guest with a server to ask, each time for a second at most.
fn guest<'a>(world: &'a World, servers: &str, args: &[&str]) -> Result<Launch<'a>> {
    let guest = world.launch("names")?.args(args);
    Ok(guest.env("DNS_SERVER", servers).env("RES_OPTIONS", "timeout:1 attempts:2"))
}

fn run(guest: &Launch<'_>) -> Result<Finished> {
    Ok(guest.spawn("names")?.finish(LIMIT)?.success()?)
}

fn says(done: Finished, lines: &[&str]) -> Result<Finished> {
    for line in lines {
        if !done.stdout.lines().any(|printed| printed.trim_end() == *line) {
            bail!(done.failure(format!("it does not say {line:?}")));
        }
    }
    Ok(done)
}

/// Somewhere in what it prints.
fn prints(done: Finished, text: &str) -> Result<Finished> {
    if !done.stdout.contains(text) {
        bail!(done.failure(format!("it does not say {text:?}")));
    }
    Ok(done)
}

fn names(world: &World) -> Result<()> {
    let server = NameServer::start()?;
    let asked = [
        "plain.test",
        "alias.test",
        "long.test",
        "v6.test",
        "forged.test",
        "slow.test",
        "garbage.test",
        "10.9.8.7",
        "a.localhost",
    ];
    let asked = if world.platform() == Platform::Native { &asked[..8] } else { &asked[..] };
    let done = run(&guest(world, &server.address.to_string(), asked)?)?;
    let long: Vec<_> = (0..40).map(|n| format!("10.0.1.{n}")).collect();
    let done = says(
        done,
        &[
            "plain.test = 10.0.0.1 10.0.0.2 fd00::1",
            "alias.test = 10.0.0.1",
            &format!("long.test = {}", long.join(" ")),
            "v6.test = fd00::6",
            "forged.test = 10.0.0.1 10.0.0.2 fd00::1",
            "slow.test = 10.0.0.1 10.0.0.2 fd00::1",
            "10.9.8.7 = 10.9.8.7",
        ],
    )?;
    // Garbage may look like a failure; what counts is that the guest is still there.
    let done = prints(done, "garbage.test ")?;
    if world.platform() != Platform::Native {
        says(done, &["a.localhost = 127.0.0.1 ::1"])?;
    }
    Ok(())
}

fn failures(world: &World) -> Result<()> {
    let server = NameServer::start()?;
    let asked = ["nobody.test", "empty.test", "failing.test", "silent.test", "a..b"];
    // On WasmEdge this compiles the guest.
    let guest = guest(world, &server.address.to_string(), &asked)?;
    let started = Instant::now();
    let done = run(&guest)?;
    ensure!(started.elapsed() < LIMIT / 4, "it took {:?}", started.elapsed());
    let by = format!("name server {}", server.address);
    says(
        done,
        &[
            &format!(
                "nobody.test ! NotFound lookup nobody.test: {by}: there is no such name (NXDOMAIN)"
            ),
            &format!("empty.test ! NotFound lookup empty.test: {by}: the name has no address"),
            &format!("failing.test ! Other lookup failing.test: {by}: it failed (SERVFAIL)"),
            &format!(
                "silent.test ! TimedOut lookup silent.test: {by}: no answer within 1 s, asked up to 2 times"
            ),
            "a..b ! InvalidInput lookup a..b: this is not a name that a server could know",
        ],
    )?;
    Ok(())
}

fn another_server(world: &World) -> Result<()> {
    let server = NameServer::start()?;
    let gone = NameServer::start()?.address;
    let servers = format!("{gone}, {}", server.address);
    let done = run(&guest(world, &servers, &["plain.test", "failing.test"])?)?;
    let done = says(done, &["plain.test = 10.0.0.1 10.0.0.2 fd00::1"])?;
    let done = prints(done, &format!("lookup failing.test: name server {gone}: "))?;
    prints(done, &format!("; name server {}: it failed (SERVFAIL)", server.address))?;

    let wrong = run(&guest(world, "localhost:53", &["plain.test"])?)?;
    let what = "DNS_SERVER: `localhost:53` is not an address, with or without a port";
    says(wrong, &[&format!("plain.test ! InvalidInput lookup plain.test: {what}")])?;
    Ok(())
}

fn denied(world: &World) -> Result<()> {
    let guest = guest(world, "127.0.0.1:53", &["plain.test"])?.without_network();
    let who = "plain.test ! PermissionDenied lookup plain.test: name server 127.0.0.1:53:";
    let done = prints(run(&guest)?, who)?;
    prints(done, "wasio run --net 127.0.0.1:53")?;
    Ok(())
}

/// The guest's own `/etc`.
fn files(world: &World) -> Result<()> {
    let server = NameServer::start()?;
    let etc =
        xtask::workspace::scratch("engine-tests")?.join(format!("etc-{}", world.platform().name()));
    std::fs::create_dir_all(&etc)?;
    std::fs::write(etc.join("hosts"), "10.3.3.3 known.test known\n::7 known.test\n")?;
    std::fs::write(etc.join("resolv.conf"), "search none.test sub.test\nnameserver 127.0.0.1\n")?;
    let (etc, guest_etc) = (etc.display(), "/etc");
    let grant = match world.platform() {
        Platform::Wasmedge => format!("{guest_etc}:{etc}"),
        _ => format!("{etc}::{guest_etc}"),
    };
    let asked = ["known.test", "known", "near", "far"];
    let guest = guest(world, &server.address.to_string(), &asked)?;
    let done = run(&guest.option("--dir").option(grant))?;
    says(
        done,
        &[
            "known.test = 10.3.3.3 ::7",
            "known = 10.3.3.3",
            "near = 10.0.0.1 10.0.0.2 fd00::1",
            &format!(
                "far ! NotFound lookup far: name server {}: there is no such name (NXDOMAIN)",
                server.address
            ),
        ],
    )?;
    Ok(())
}

fn addresses(world: &World) -> Result<()> {
    let server = NameServer::start()?;
    let peer = Peer::serve(async |mut stream| {
        let _ = stream.write_all(b"hello").await;
    })?;
    let port = peer.address.port();
    let nobody = xtask::workspace::free_port()?;
    let (good, bad) = (format!("two.test:{port}"), format!("two.test:{nobody}"));
    let done = run(&guest(world, &server.address.to_string(), &["connect", &good, &bad])?)?;
    let done = says(done, &[&format!("{good} = hello")])?;
    let done = prints(done, &format!("{bad} ! ConnectionRefused connect 127.0.0.2:{nobody}: "))?;
    prints(done, &format!("; connect 127.0.0.1:{nobody}: "))?;
    Ok(())
}
