//! What `ci/counts.sh` counts the instructions of: `counts NAME ROUNDS`.
//!
//! Two runs that differ in their rounds alone differ by the rounds' instructions.

use std::pin::Pin;
use std::task::{Context, Waker};

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpStream};
use wasio::sync::mpsc;
use wasio::task::yield_now;
use wasio::time::{Duration, Instant, sleep_until};

#[wasio::main(flavor = "current_thread")]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let [_, name, rounds] = &args[..] else { panic!("usage: counts NAME ROUNDS") };
    let rounds = rounds.parse().expect("a number of rounds");
    match &name[..] {
        "spawn_join" => spawn_join(rounds).await,
        "wake" => wasio::spawn(wake(rounds)).await.expect("no panic"),
        "mpsc" => wasio::spawn(ping_pong(rounds)).await.expect("no panic"),
        "timers" => wasio::spawn(timers(rounds)).await.expect("no panic"),
        "echo" => wasio::spawn(echo(rounds)).await.expect("no panic"),
        other => panic!("nothing is called {other}"),
    }
}

/// Spawn a task that does nothing, and wait for it.
async fn spawn_join(rounds: u32) {
    for _ in 0..rounds {
        wasio::spawn(async {}).await.expect("no panic");
    }
}

/// A task wakes itself and is polled again.
async fn wake(rounds: u32) {
    for _ in 0..rounds {
        yield_now().await;
    }
}

/// There and back between two tasks, over channels of one place.
async fn ping_pong(rounds: u32) {
    let (ping, mut pings) = mpsc::channel(1);
    let (pong, mut pongs) = mpsc::channel(1);
    wasio::spawn(async move {
        while let Some(n) = pings.recv().await {
            pong.send(n).await.expect("the other side waits");
        }
    });
    for n in 0..rounds {
        ping.send(n).await.expect("the other side listens");
        assert_eq!(pongs.recv().await, Some(n));
    }
}

/// Arm a timer and cancel it again, as one of a thousand.
async fn timers(rounds: u32) {
    let start = Instant::now();
    let mut armed = Vec::with_capacity(1000);
    for n in 0..rounds {
        let mut timer =
            Box::pin(sleep_until(start + Duration::from_millis(u64::from(n) + 3_600_000)));
        let mut cx = Context::from_waker(Waker::noop());
        assert!(Pin::new(&mut timer).poll(&mut cx).is_pending());
        armed.push(timer);
        if armed.len() == 1000 {
            armed.clear();
        }
    }
}

/// 64 bytes to a server in another task, and back.
async fn echo(rounds: u32) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let addr = listener.local_addr().expect("its address");
    wasio::spawn(async move {
        let (mut stream, _) = listener.accept().await.expect("accept");
        let mut buffer = [0; 64];
        while stream.read_exact(&mut buffer).await.is_ok() {
            stream.write_all(&buffer).await.expect("the client reads");
        }
    });
    let mut stream = TcpStream::connect(addr).await.expect("connect");
    let mut buffer = [7; 64];
    for _ in 0..rounds {
        stream.write_all(&buffer).await.expect("the server reads");
        stream.read_exact(&mut buffer).await.expect("the server answers");
    }
}
