//! Many of everything: connections, bytes, tasks, timers.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::peers::Peer;
use crate::world::{LIMIT, World};
use crate::{ALL, Case};

pub(crate) const CASES: &[Case] = &[
    Case { name: "thousand_connections_from_a_guest", needs: &[], on: ALL, run: from_a_guest },
    Case { name: "thousand_connections_to_a_guest", needs: &[], on: ALL, run: to_a_guest },
    Case { name: "hundred_megabytes_both_ways", needs: &[], on: ALL, run: transfer },
    Case { name: "hundred_megabytes_both_ways_served", needs: &[], on: ALL, run: transfer_served },
    Case { name: "ten_thousand_tasks", needs: &[], on: ALL, run: tasks },
    Case { name: "timers_in_order_under_load", needs: &[], on: ALL, run: timers },
];

const CHUNK: usize = 64 * 1024;
/// 100 MB in whole chunks.
const LENGTH: usize = 100_000_000 / CHUNK * CHUNK;

fn from_a_guest(world: &World) -> Result<()> {
    let peer = Peer::echo()?;
    let address = peer.address.to_string();
    let guest = world.launch("load")?.args(["connections", &address, "1000"]);
    guest.spawn("connections")?.finish(LIMIT)?.prints("ok 1000")?;
    Ok(())
}

fn to_a_guest(world: &World) -> Result<()> {
    let server = world.launch("echo")?.arg("127.0.0.1:0").spawn("echo")?;
    let address = server.line("listening on", LIMIT)?;
    let mut open = Vec::new();
    for _ in 0..1000 {
        let stream = TcpStream::connect(&address).context("connect")?;
        stream.set_read_timeout(Some(LIMIT))?;
        open.push(stream);
    }
    for round in 0..3 {
        for (n, stream) in open.iter_mut().enumerate() {
            writeln!(stream, "{round} {n:>8}").context("write")?;
        }
        for (n, stream) in open.iter_mut().enumerate() {
            let mut line = [0; 11];
            stream.read_exact(&mut line).context("read")?;
            ensure!(line == format!("{round} {n:>8}\n").as_bytes(), "a wrong echo");
        }
    }
    server.stop()?;
    Ok(())
}

fn transfer(world: &World) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0")?;
    let address = listener.local_addr()?.to_string();
    let length = LENGTH.to_string();
    let guest = world.launch("load")?.args(["transfer", &address, &length]).spawn("transfer")?;
    let (stream, _) = listener.accept()?;
    exchange(stream)?;
    guest.finish(LIMIT)?.prints(&format!("ok {LENGTH}"))?;
    Ok(())
}

fn transfer_served(world: &World) -> Result<()> {
    let length = LENGTH.to_string();
    let guest = world.launch("load")?.args(["transfer-served", &length]).spawn("transfer")?;
    let address = guest.line("listening on", LIMIT)?;
    exchange(TcpStream::connect(address)?)?;
    guest.line(&format!("ok {LENGTH}"), LIMIT)?;
    guest.finish(LIMIT)?.success()?;
    Ok(())
}

/// Our side of the transfer: both directions at once, then the checksums.
fn exchange(mut stream: TcpStream) -> Result<()> {
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut writer = stream.try_clone()?;
    let sending = std::thread::spawn(move || -> std::io::Result<u64> {
        let (mut bytes, mut sent) = (vec![0; CHUNK], Stream::new(1));
        for _ in 0..LENGTH / CHUNK {
            sent.fill(&mut bytes);
            sent.add(&bytes);
            writer.write_all(&bytes)?;
        }
        Ok(sent.sum)
    });
    let (mut bytes, mut received) = (vec![0; CHUNK], Stream::new(2));
    for _ in 0..LENGTH / CHUNK {
        stream.read_exact(&mut bytes).context("read")?;
        received.add(&bytes);
    }
    let sent = sending.join().expect("it does not panic").context("write")?;
    stream.write_all(&sent.to_le_bytes())?;
    let mut theirs = [0; 8];
    stream.read_exact(&mut theirs).context("read the checksum")?;
    ensure!(received.sum == u64::from_le_bytes(theirs), "the bytes differ");
    Ok(())
}

/// Pseudo-random bytes with a checksum, as the guest's library has them: xorshift64 and FNV-1a
/// over words.
struct Stream {
    state: u64,
    sum: u64,
}

impl Stream {
    fn new(seed: u64) -> Stream {
        Stream { state: seed, sum: 0xcbf2_9ce4_8422_2325 }
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for word in bytes.chunks_exact_mut(8) {
            self.state ^= self.state << 13;
            self.state ^= self.state >> 7;
            self.state ^= self.state << 17;
            word.copy_from_slice(&self.state.to_le_bytes());
        }
    }

    fn add(&mut self, bytes: &[u8]) {
        for word in bytes.chunks_exact(8) {
            let word = u64::from_le_bytes(word.try_into().expect("8 bytes"));
            self.sum = (self.sum ^ word).wrapping_mul(0x100_0000_01b3);
        }
    }
}

fn tasks(world: &World) -> Result<()> {
    let guest = world.launch("load")?.args(["tasks", "10000"]).spawn("tasks")?;
    guest.finish(LIMIT)?.prints("ok 10000")?;
    Ok(())
}

fn timers(world: &World) -> Result<()> {
    let guest = world.launch("load")?.args(["timers", "2000"]).spawn("timers")?;
    let done = guest.finish(LIMIT)?.prints("ok 2000")?;
    // The last deadline is 2.1 s after the start.
    ensure!(done.took >= Duration::from_secs(2), "done after {:?} already", done.took);
    Ok(())
}
