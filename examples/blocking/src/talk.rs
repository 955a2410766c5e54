//! A conversation in blocking style: std alone, without an async runtime.
//!
//! ```text
//! talk serve 127.0.0.1:7000   answers what callers say, one caller at a time, until one says "bye"
//! talk ask localhost:7000     says each line of the standard input, and prints the answers
//! ```
//!
//! Every call here that waits (`accept`, `connect`, `read`, a name, `sleep`, the standard input) would hold a thread.
//! On wasio's host it suspends this guest's stack instead, and the thread runs other guests meanwhile.

use std::io::{BufRead, BufReader, Error, ErrorKind, Result, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
use std::net::{TcpListener, TcpStream};
#[cfg(all(target_os = "wasi", target_env = "p1"))]
use wasmedge_wasi_socket::{TcpListener, TcpStream};

/// How long the server thinks about each line.
const THOUGHT: Duration = Duration::from_millis(10);

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match args.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["serve", address] => serve(address),
        ["ask", address] => ask(address),
        _ => Err(Error::new(ErrorKind::InvalidInput, "usage: talk serve|ask ADDRESS")),
    }
}

fn serve(address: &str) -> Result<()> {
    let listener = listen(address)?;
    println!("listening on port {}", listener.local_addr()?.port());
    loop {
        let caller = match accept(&listener) {
            Ok(caller) => caller,
            Err(e) => {
                // Most often no descriptor is free: the caller waits until one is.
                eprintln!("accept: {e}");
                sleep(Duration::from_millis(100));
                continue;
            }
        };
        match converse(caller) {
            Ok(is_bye) if is_bye => return Ok(()),
            Ok(_) => {}
            Err(e) => eprintln!("connection lost: {e}"),
        }
    }
}

/// Answers one caller; whether it said "bye".
fn converse(caller: TcpStream) -> Result<bool> {
    let mut caller = BufReader::new(caller);
    let mut line = String::new();
    while caller.read_line(&mut line)? > 0 {
        sleep(THOUGHT);
        caller.get_mut().write_all(line.to_uppercase().as_bytes())?;
        if line.trim_end() == "bye" {
            return Ok(true);
        }
        line.clear();
    }
    Ok(false)
}

fn ask(address: &str) -> Result<()> {
    let mut server = BufReader::new(TcpStream::connect(address)?);
    let (begun, mut lines) = (Instant::now(), 0);
    for line in std::io::stdin().lines() {
        server.get_mut().write_all(format!("{}\n", line?).as_bytes())?;
        let mut answer = String::new();
        if server.read_line(&mut answer)? == 0 {
            return Err(ErrorKind::UnexpectedEof.into());
        }
        print!("{answer}");
        lines += 1;
    }
    eprintln!("{lines} answers in {:.0?}", begun.elapsed());
    Ok(())
}

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
fn listen(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address)
}

#[cfg(all(target_os = "wasi", target_env = "p1"))]
fn listen(address: &str) -> Result<TcpListener> {
    TcpListener::bind(address, false)
}

fn accept(listener: &TcpListener) -> Result<TcpStream> {
    #[cfg(all(target_os = "wasi", target_env = "p1"))]
    let (stream, _) = listener.accept(false)?;
    #[cfg(not(all(target_os = "wasi", target_env = "p1")))]
    let (stream, _) = listener.accept()?;
    Ok(stream)
}
