//! Many of everything: `load CASE [ARGS]`. Prints `ok` and what it counted.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use guests::{Stream, with_neighbour};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

const CHUNK: usize = 64 * 1024;

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let number = |n: usize| args[n].parse::<usize>().expect("a number");
    match args[1].as_str() {
        "connections" => with_neighbour(connections(&args[2], number(3))).await,
        "transfer" => {
            let stream = TcpStream::connect(&args[2]).await.expect("connect");
            with_neighbour(transfer(stream, number(3))).await;
        }
        "transfer-served" => {
            let listener = TcpListener::bind("127.0.0.1:0").await.expect("bind");
            println!("listening on {}", listener.local_addr().expect("an address"));
            let (stream, _) = listener.accept().await.expect("accept");
            with_neighbour(transfer(stream, number(2))).await;
        }
        "tasks" => tasks(number(2)).await,
        "timers" => timers(number(2)).await,
        other => panic!("no case {other}"),
    }
}

/// That many connections, open at the same time, each answered.
async fn connections(address: &str, count: usize) {
    let mut open = JoinSet::new();
    let everyone = Arc::new(tokio::sync::Barrier::new(count));
    // Listeners have a backlog: not all at once.
    let connecting = Arc::new(Semaphore::new(100));
    for n in 0..count {
        let (address, everyone) = (address.to_owned(), Arc::clone(&everyone));
        let connecting = Arc::clone(&connecting);
        open.spawn(async move {
            let permit = connecting.acquire().await.expect("never closed");
            let mut stream = TcpStream::connect(address).await.expect("connect");
            drop(permit);
            everyone.wait().await;
            let message = format!("connection {n:>8}");
            let mut answer = vec![0; message.len()];
            for _ in 0..3 {
                stream.write_all(message.as_bytes()).await.expect("write");
                stream.read_exact(&mut answer).await.expect("read");
                assert_eq!(answer, message.as_bytes());
            }
        });
    }
    let mut answered = 0;
    while let Some(done) = open.join_next().await {
        done.expect("no panic");
        answered += 1;
    }
    println!("ok {answered}");
}

/// `length` bytes in both directions at once; then both sides compare checksums.
async fn transfer(mut stream: TcpStream, length: usize) {
    let (mut reader, mut writer) = stream.split();
    let send = async {
        let mut bytes = vec![0; CHUNK];
        let mut sent = Stream::new(2);
        for _ in 0..length / CHUNK {
            sent.fill(&mut bytes);
            sent.add(&bytes);
            writer.write_all(&bytes).await.expect("write");
        }
        sent.sum()
    };
    let receive = async {
        let mut bytes = vec![0; CHUNK];
        let mut received = Stream::new(1);
        for _ in 0..length / CHUNK {
            reader.read_exact(&mut bytes).await.expect("read");
            received.add(&bytes);
        }
        received.sum()
    };
    let (sent, received) = tokio::join!(send, receive);
    stream.write_all(&sent.to_le_bytes()).await.expect("write the checksum");
    let theirs = stream.read_u64_le().await.expect("read the checksum");
    assert_eq!(received, theirs, "the bytes differ");
    println!("ok {length}");
}

/// That many tasks at once, which all talk to one.
async fn tasks(count: usize) {
    let (sender, mut receiver) = mpsc::channel(16);
    let mut set = JoinSet::new();
    for n in 0..count {
        let sender = sender.clone();
        set.spawn(async move {
            tokio::task::yield_now().await;
            sender.send(n).await.expect("the receiver waits");
            n
        });
    }
    drop(sender);
    let mut sum = 0;
    while let Some(n) = receiver.recv().await {
        sum += n;
    }
    assert_eq!(sum, count * (count - 1) / 2);
    assert_eq!(set.len(), count);
    assert_eq!(set.join_all().await.into_iter().sum::<usize>(), sum);
    println!("ok {count}");
}

/// That many timers, armed in a scrambled order, while other tasks keep the executor busy. They
/// fire in the order of their deadlines, and none fires early.
async fn timers(count: usize) {
    let busy = Arc::new(AtomicU64::new(0));
    let mut load = JoinSet::new();
    for _ in 0..4 {
        let busy = Arc::clone(&busy);
        load.spawn(async move {
            loop {
                busy.fetch_add(1, Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
    }
    let start = Instant::now() + Duration::from_millis(100);
    let (fired, mut order) = mpsc::unbounded_channel();
    for n in 0..count {
        // A step of 7919 visits every place once, as 7919 is prime and no factor of the count.
        let place = n * 7919 % count;
        let fired = fired.clone();
        tokio::spawn(async move {
            let deadline = start + Duration::from_millis(place as u64);
            sleep_until(deadline).await;
            assert!(Instant::now() >= deadline, "it fired early");
            fired.send(place).expect("the receiver waits");
        });
    }
    drop(fired);
    for expected in 0..count {
        assert_eq!(order.recv().await, Some(expected), "out of order");
    }
    assert!(busy.load(Ordering::Relaxed) > 100, "the load did not run");
    println!("ok {count}");
}
