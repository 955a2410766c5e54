//! A closed-loop load generator: every connection sends a message, waits for its echo, and sends
//! the next. `load ADDRESS CONNECTIONS IDLE` prints `ready` when all are open. Then each line of its standard input
//! says for how many milliseconds to load the server, and is answered with a line: its number from 0 on, and echoes
//! per second.
//!
//! It sits directly on readiness events, so that it is not what is measured. Idle connections had one echo,
//! so the server has taken them, and then nothing. The others keep their echoes outstanding between two lines.

use std::io::{self, BufRead, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const MESSAGE: [u8; 64] = [b'x'; 64];
/// Time to reach a steady state, not counted, as a part of the measured time.
const WARM_UP_PART: u32 = 4;
/// So many idle connections are made at a time: more would overflow the server's queue.
const AT_ONCE: usize = 64;
/// A server that answers nobody for so long does not work.
const PATIENCE: Duration = Duration::from_secs(10);

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, address, active, idle] = &args[..] else {
        return Err(io::Error::other("usage: load ADDRESS CONNECTIONS IDLE"));
    };
    let number = |text: &str| text.parse::<usize>().map_err(io::Error::other);
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let idle = idle_connections(address, number(idle)?)?;

    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for n in 0..number(active)? {
        connections.push(Connection::open(address, n, &poll)?);
    }
    println!("ready");
    for connection in &mut connections {
        connection.send()?;
    }
    for (n, line) in io::stdin().lock().lines().enumerate() {
        let measure = Duration::from_millis(number(line?.trim())? as u64);
        println!("{n} {:.0}", run(&mut poll, &mut connections, measure)?);
    }
    drop(idle);
    Ok(())
}

/// Connections that are open and do nothing any more.
fn idle_connections(address: SocketAddr, count: usize) -> io::Result<Vec<std::net::TcpStream>> {
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        let from = all.len();
        for _ in from..count.min(from + AT_ONCE) {
            let mut stream = std::net::TcpStream::connect_timeout(&address, PATIENCE)?;
            stream.set_read_timeout(Some(PATIENCE))?;
            stream.write_all(&MESSAGE)?;
            all.push(stream);
        }
        for (n, stream) in all.iter_mut().enumerate().skip(from) {
            let told = |e| io::Error::other(format!("idle connection {n} of {count}: {e}"));
            stream.read_exact(&mut [0; MESSAGE.len()]).map_err(told)?;
        }
    }
    Ok(all)
}

/// Echoes per second.
fn run(poll: &mut Poll, connections: &mut [Connection], measure: Duration) -> io::Result<f64> {
    let mut events = Events::with_capacity(1024);
    let mut echoes = 0_u64;
    let mut counted_from: Option<Instant> = None;
    let began = Instant::now();
    let warm_up = measure / WARM_UP_PART;
    loop {
        poll.poll(&mut events, Some(PATIENCE))?;
        if events.is_empty() {
            let message = format!("no echo for {PATIENCE:?}");
            return Err(io::Error::new(io::ErrorKind::TimedOut, message));
        }
        for event in &events {
            echoes += connections[event.token().0].receive()?;
        }
        match counted_from {
            None if began.elapsed() >= warm_up => {
                (counted_from, echoes) = (Some(Instant::now()), 0)
            }
            Some(from) if from.elapsed() >= measure => {
                return Ok(echoes as f64 / from.elapsed().as_secs_f64());
            }
            _ => {}
        }
    }
}

struct Connection {
    stream: TcpStream,
    /// How much of the current echo has arrived.
    got: usize,
}

impl Connection {
    fn open(address: SocketAddr, n: usize, poll: &Poll) -> io::Result<Connection> {
        let stream = std::net::TcpStream::connect_timeout(&address, PATIENCE)?;
        stream.set_nodelay(true)?;
        stream.set_nonblocking(true)?;
        let mut stream = TcpStream::from_std(stream);
        poll.registry().register(&mut stream, Token(n), Interest::READABLE)?;
        Ok(Connection { stream, got: 0 })
    }

    /// A message fits any socket's buffer while no other is under way.
    fn send(&mut self) -> io::Result<()> {
        self.stream.write_all(&MESSAGE)
    }

    /// Reads what is there; returns how many echoes it completed.
    fn receive(&mut self) -> io::Result<u64> {
        let mut completed = 0;
        let mut buffer = [0; 4096];
        loop {
            match self.stream.read(&mut buffer) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    self.got += n;
                    if self.got >= MESSAGE.len() {
                        self.got -= MESSAGE.len();
                        completed += 1;
                        self.send()?;
                    }
                }
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(completed),
                Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                Err(e) => return Err(e),
            }
        }
    }
}
