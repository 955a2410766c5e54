//! A closed-loop load generator: every connection sends a message, waits for its echo, and sends
//! the next. `load ADDRESS CONNECTIONS IDLE SECONDS` prints echoes per second.
//!
//! It sits directly on readiness events, so that it is not what is measured.

use std::io::{self, Read, Write};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::net::TcpStream;
use mio::{Events, Interest, Poll, Token};

const MESSAGE: [u8; 64] = [b'x'; 64];
/// Time to reach a steady state, not counted.
const WARM_UP: Duration = Duration::from_millis(500);

fn main() -> io::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let [_, address, active, idle, seconds] = &args[..] else {
        return Err(io::Error::other("usage: load ADDRESS CONNECTIONS IDLE SECONDS"));
    };
    let number = |text: &String| text.parse::<usize>().map_err(io::Error::other);
    let address: SocketAddr = address.parse().map_err(io::Error::other)?;
    let idle = (0..number(idle)?)
        .map(|_| std::net::TcpStream::connect(address))
        .collect::<io::Result<Vec<_>>>()?;

    let mut poll = Poll::new()?;
    let mut connections = Vec::new();
    for n in 0..number(active)? {
        connections.push(Connection::open(address, n, &poll)?);
    }
    let measure = Duration::from_secs(number(seconds)? as u64);
    let rate = run(&mut poll, &mut connections, measure)?;
    println!("{rate:.0}");
    drop(idle);
    Ok(())
}

/// Echoes per second.
fn run(poll: &mut Poll, connections: &mut [Connection], measure: Duration) -> io::Result<f64> {
    let mut events = Events::with_capacity(1024);
    for connection in &mut *connections {
        connection.send()?;
    }
    let mut echoes = 0_u64;
    let mut counted_from: Option<Instant> = None;
    let began = Instant::now();
    loop {
        poll.poll(&mut events, Some(Duration::from_secs(5)))?;
        if events.is_empty() {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "no echo for 5 s"));
        }
        for event in &events {
            echoes += connections[event.token().0].receive()?;
        }
        match counted_from {
            None if began.elapsed() >= WARM_UP => {
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
        let stream = std::net::TcpStream::connect(address)?;
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
