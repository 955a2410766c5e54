//! What goes wrong on a network, as a guest sees it: `network CASE ADDRESS`. Prints `ok`.

use std::io::ErrorKind;
use std::time::Duration;

use guests::with_neighbour;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream, UdpSocket, lookup_host};
use tokio::time::{sleep, timeout};

const LIMIT: Duration = Duration::from_secs(20);

#[tokio::main]
async fn main() {
    let args: Vec<String> = std::env::args().collect();
    let (case, address) = (args[1].as_str(), args[2].as_str());
    let work = async {
        match case {
            "refused" => refused(address).await,
            "reset-read" => reset_read(address).await,
            "reset-write" => reset_write(address).await,
            "half-close" => half_close(address).await,
            "peer-gone" => peer_gone(address).await,
            "unreachable-name" => unreachable_name().await,
            "invalid-address" => invalid_address().await,
            "fd-limit" => fd_limit(address).await,
            "denied-connect" => denied(TcpStream::connect("127.0.0.1:9").await.err()),
            "denied-bind" => denied(TcpListener::bind("127.0.0.1:9").await.err()),
            "denied-udp" => denied(send_datagram().await.err()),
            "denied-lookup" => denied(TcpStream::connect("example.com:80").await.err()),
            "given-listener" => given_listener().await,
            "lookup" => lookup().await,
            "slow-lookup" => slow_lookup().await,
            other => panic!("no case {other}"),
        }
    };
    timeout(LIMIT, with_neighbour(work)).await.expect("it hangs");
    println!("ok");
}

/// Whoever started the program gave it a listener, as systemd does.
async fn given_listener() {
    use std::os::fd::FromRawFd;
    assert_eq!(std::env::var("LISTEN_FDS").as_deref(), Ok("1"));
    // SAFETY: the variable says that the descriptor is this program's, and nobody has taken it.
    let listener = unsafe { std::net::TcpListener::from_raw_fd(3) };
    listener.set_nonblocking(true).expect("set_nonblocking");
    let listener = TcpListener::from_std(listener).expect("a listener");
    println!("listening on {}", listener.local_addr().expect("its address"));
    let (mut stream, _) = listener.accept().await.expect("accept");
    let mut bytes = [0; 4];
    stream.read_exact(&mut bytes).await.expect("read");
    stream.write_all(&bytes).await.expect("write");
}

async fn refused(address: &str) {
    let error = TcpStream::connect(address).await.expect_err("nobody listens there");
    assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
}

/// The peer resets while we wait for its bytes.
async fn reset_read(address: &str) {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    let mut buffer = [0; 16];
    let error = stream.read(&mut buffer).await.expect_err("a reset is an error");
    assert_eq!(error.kind(), ErrorKind::ConnectionReset, "{error}");
}

/// The peer resets while we write.
async fn reset_write(address: &str) {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    let error = loop {
        if let Err(error) = stream.write_all(&[7; 64 * 1024]).await {
            break error;
        }
    };
    let kinds = [ErrorKind::ConnectionReset, ErrorKind::BrokenPipe];
    assert!(kinds.contains(&error.kind()), "{:?}: {error}", error.kind());
}

/// We stop writing; the peer notices, and its answer still arrives.
async fn half_close(address: &str) {
    let mut stream = TcpStream::connect(address).await.expect("connect");
    stream.write_all(b"question").await.expect("write");
    stream.shutdown().await.expect("shutdown");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.expect("read");
    assert_eq!(answer, "answer to question");
    let error = stream.write_all(b"more").await.expect_err("we closed this direction");
    assert_eq!(error.kind(), ErrorKind::BrokenPipe, "{error}");
}

/// The peer goes while several tasks wait on sockets to it.
async fn peer_gone(address: &str) {
    let mut waiting = tokio::task::JoinSet::new();
    for _ in 0..10 {
        let mut stream = TcpStream::connect(address).await.expect("connect");
        waiting.spawn(async move {
            stream.readable().await.expect("ready, if only for the end");
            stream.read(&mut [0; 16]).await.expect("the end is no error")
        });
    }
    while let Some(read) = waiting.join_next().await {
        assert_eq!(read.expect("no panic"), 0);
    }
}

/// The host refused, and the error says how to permit it.
fn denied(error: Option<std::io::Error>) {
    let error = error.expect("the host permits nothing");
    assert_eq!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    println!("{error}");
}

async fn send_datagram() -> std::io::Result<usize> {
    UdpSocket::bind("127.0.0.1:0").await?.send_to(b"hello", "127.0.0.1:9").await
}

/// Other tasks run while a name is looked up: many names at once take no longer than the slowest, and a
/// task with a timer goes on ticking.
async fn lookup() {
    let ticks = tokio::spawn(async {
        for tick in 0.. {
            sleep(Duration::from_millis(1)).await;
            if tick == 5 {
                break;
            }
        }
    });
    let mut questions = tokio::task::JoinSet::new();
    for n in 0..20 {
        questions.spawn(async move {
            lookup_host((format!("no-such-host-{n}.invalid"), 80)).await.map(|_| ())
        });
    }
    while let Some(answer) = questions.join_next().await {
        let error = answer.expect("no panic").expect_err("no such name");
        assert_ne!(error.kind(), ErrorKind::PermissionDenied, "{error}");
    }
    ticks.await.expect("no panic");
    for addr in lookup_host("localhost:80").await.expect("localhost") {
        assert!(addr.ip().is_loopback());
    }
}

/// A name server that takes seconds costs only the task that asks it.
async fn slow_lookup() {
    let start = tokio::time::Instant::now();
    let question = tokio::spawn(lookup_host("slow.example.com:80"));
    let mut ticks = 0;
    while !question.is_finished() {
        sleep(Duration::from_millis(10)).await;
        ticks += 1;
    }
    assert!(question.await.expect("no panic").is_err(), "nobody answers");
    assert!(start.elapsed() > Duration::from_secs(1), "it did not ask");
    assert!(ticks > 20, "only {ticks} ticks in {:?}", start.elapsed());
}

async fn unreachable_name() {
    let error = TcpStream::connect("no-such-host.invalid:80").await.expect_err("no such name");
    assert!(!error.to_string().is_empty());
    assert_ne!(error.kind(), ErrorKind::WouldBlock, "{error}");
}

async fn invalid_address() {
    for wrong in ["", "127.0.0.1", "127.0.0.1:port", ":::::"] {
        let error = TcpStream::connect(wrong).await.expect_err("not an address");
        assert_eq!(error.kind(), ErrorKind::InvalidInput, "{wrong:?}: {error}");
    }
}

/// Connections until the process may open no more; once some are closed it goes on.
async fn fd_limit(address: &str) {
    let mut open = Vec::new();
    let error = loop {
        match TcpStream::connect(address).await {
            Ok(stream) => open.push(stream),
            Err(error) => break error,
        }
        assert!(open.len() < 1000, "the test sets a limit lower than this");
    };
    assert_ne!(error.kind(), ErrorKind::WouldBlock, "{error}");
    assert_ne!(error.kind(), ErrorKind::ConnectionRefused, "{error}");
    open.truncate(open.len() / 2);
    let mut stream = TcpStream::connect(address).await.expect("there is room again");
    stream.write_all(b"still here").await.expect("write");
    let mut echo = [0; 10];
    stream.read_exact(&mut echo).await.expect("read");
    assert_eq!(&echo, b"still here");
}
