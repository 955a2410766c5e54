//! One gigabyte through one connection: the server writes it in pieces of 64 KiB, and reads as much.
//!
//! The gigabyte is divided into slices, there and back. Candidates alternate after each slice. A whole gigabyte takes
//! so long that the speed of the machine changes: rates of gigabytes differed by 25 % for the same candidate, rates of
//! consecutive slices by little. Servers are restarted for each gigabyte, because the same program differs by one or
//! two percent from start to start.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::Result;
use xtask::processor::{self, CLIENTS};

use crate::bench::measure::results::Results;
use crate::bench::measure::rounds::interleave;
use crate::bench::measure::scale::Scale;
use crate::bench::measure::servers::{retain, start_servers, tcp_servers};
use crate::bench::measure::session::{Entry, Session};

const GROUP: &str = "stream";
const LIMIT: Duration = Duration::from_secs(120);
/// The slices of a gigabyte.
const SLICES: usize = 20;
const SLICE: u64 = 1_000_000_000 / SLICES as u64;
const GIGABYTES: usize = 40;
/// The size of the client's reads and writes.
const PIECE: usize = 64 * 1024;

const SERVERS: [Entry; 11] = tcp_servers("stream");

pub(crate) fn measure(
    session: &mut Session<'_>,
    scale: &Scale,
    results: &mut Results,
) -> Result<String> {
    let mut servers = session.enter(GROUP, &SERVERS)?;
    let gigabytes = if scale.quick { 1 } else { GIGABYTES };
    let params = serde_json::json!({ "bytes": SLICE * SLICES as u64 });
    for number in 1..=gigabytes {
        let step = format!("stream: a gigabyte there and back, {number} of {gigabytes}");
        let mut running_servers = start_servers(session, GROUP, &step, &mut servers, connect)?;
        interleave(
            session,
            GROUP,
            &step,
            SLICES,
            &mut running_servers,
            results,
            |server, results| {
                let [from_guest, to_guest] = server
                    .measure(|_, stream| Ok(processor::on(CLIENTS, || exchange(stream, SLICE))?))?;
                let rate = |took: Duration| SLICE as f64 / 1e6 / took.as_secs_f64();
                let who = server.as_ref();
                results.add(GROUP, "stream", &params, "MB/s", who, rate(from_guest));
                results.add(GROUP, "stream_received", &params, "MB/s", who, rate(to_guest));
                Ok(())
            },
        )?;
        retain(&mut servers, &running_servers);
    }
    let slice = SLICE / 1_000_000;
    Ok(format!("{gigabytes} servers with {SLICES} runs each, {slice} MB each"))
}

fn connect(address: &str) -> Result<TcpStream> {
    let stream = TcpStream::connect(address)?;
    // Otherwise the last piece may wait for the peer's delayed acknowledgement, which takes longer than all others
    // together.
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.set_write_timeout(Some(LIMIT))?;
    Ok(stream)
}

/// The time of receiving from the server, and of sending to it.
fn exchange(stream: &mut TcpStream, bytes: u64) -> std::io::Result<[Duration; 2]> {
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
