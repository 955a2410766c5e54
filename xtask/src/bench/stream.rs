//! One gigabyte through one connection: the server writes it in pieces of 64 KiB, then reads as much.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use xtask::engine::Engine::{Native, Wasio, Wasip2, Wasmedge};
use xtask::processor::{self, CLIENTS};

use super::field::{Entry, Field};
use super::measured::Measured;
use super::programs::Program;
use super::standing::stand;
use super::{Scale, turns};

const GROUP: &str = "stream";
const LIMIT: Duration = Duration::from_secs(120);
const GIGABYTE: u64 = 1_000_000_000;
const QUICK: u64 = GIGABYTE / 20;
/// Of the client's reads and writes.
const PIECE: usize = 64 * 1024;

const SERVERS: [Entry; 11] = [
    Entry::new(Native, "tokio", Program::native("tokio", "stream").with("net")),
    Entry::new(Wasio, "wasio", Program::wasip1("wasio", "stream")),
    Entry::new(Wasio, "tokio", Program::wasip1("tokio", "stream").with("given").unstable()),
    Entry::new(Wasio, "bare", Program::wasip1("bare", "stream")),
    Entry::new(Wasmedge, "wasio", Program::wasip1("wasio", "stream")),
    Entry::new(Wasmedge, "tokio_wasi", Program::wasip1("tokio-wasi", "stream")),
    Entry::new(Wasmedge, "bare", Program::wasip1("bare", "stream")),
    Entry::new(Wasip2, "wasio", Program::wasip2("wasio", "stream")),
    Entry::new(Wasip2, "tokio", Program::wasip2("tokio", "stream").with("net").unstable()),
    Entry::new(Wasip2, "wstd", Program::wasip2("wstd", "stream")),
    Entry::new(Wasip2, "bare", Program::wasip2("bare", "stream")),
];

pub(super) fn measure(field: &mut Field<'_>, scale: &Scale, measured: &mut Measured) -> Result<()> {
    let mut servers = field.enter(GROUP, &SERVERS)?;
    let bytes = if scale.quick { QUICK } else { GIGABYTE };
    let params = serde_json::json!({ "bytes": bytes });
    let step = format!("stream: {} MB there and back", bytes / 1_000_000);
    let mut standing = stand(field, GROUP, &step, &mut servers, |_| Ok(()))?;
    // Hosts and peers differ by little here: it takes many turns to tell by how much.
    let runs = 2 * scale.short_turns().0;
    turns(field, GROUP, &step, runs, &mut standing, measured, |server, measured| {
        let exchange = |address: &str| processor::on(CLIENTS, || exchange(address, bytes));
        let [from_guest, to_guest] = server.turn(|address, ()| Ok(exchange(address)?))?;
        let rate = |took: Duration| bytes as f64 / 1e6 / took.as_secs_f64();
        let who = server.as_ref();
        measured.add(GROUP, "stream", &params, "MB/s", who, rate(from_guest));
        measured.add(GROUP, "stream_received", &params, "MB/s", who, rate(to_guest));
        Ok(())
    })
}

/// How long it took from the server, and to it.
fn exchange(address: &str, bytes: u64) -> std::io::Result<[Duration; 2]> {
    let mut stream = TcpStream::connect(address)?;
    // Else the last piece may wait for the peer's delayed acknowledgement, a fifth of a gigabyte's time.
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    let mut buffer = vec![b'x'; PIECE];
    let from = Instant::now();
    stream.write_all(&bytes.to_le_bytes())?;
    let mut left = bytes;
    while left > 0 {
        match stream.read(&mut buffer)? as u64 {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    let got = from.elapsed();
    let from = Instant::now();
    let mut left = bytes;
    while left > 0 {
        let n = left.min(PIECE as u64);
        stream.write_all(&buffer[..n as usize])?;
        left -= n;
    }
    stream.read_exact(&mut [0])?;
    Ok([got, from.elapsed()])
}
