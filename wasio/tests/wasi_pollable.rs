//! Awaiting the host's own pollables. WASI 0.2 only.
#![cfg(all(target_os = "wasi", target_env = "p2"))]

use std::future::{Future, poll_fn};
use std::io;
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use wasio::io::AsyncWriteExt;
use wasio::net::TcpListener;
use wasio::runtime::Builder;
use wasio::task::LocalSet;
use wasio::time::{sleep, timeout};
use wasio::wasi::AsyncPollable;
use wasip2::clocks::monotonic_clock::{subscribe_duration, subscribe_instant};
use wasip2::io::streams::{InputStream, StreamError};
use wasip2::sockets::instance_network::instance_network;
use wasip2::sockets::network::{ErrorCode, IpAddressFamily, IpSocketAddress, Ipv4SocketAddress};
use wasip2::sockets::tcp_create_socket::create_tcp_socket;

const LONG: Duration = Duration::from_secs(20);

fn clock(after: Duration) -> AsyncPollable {
    AsyncPollable::new(subscribe_duration(after.as_nanos() as u64)).unwrap()
}

fn poll_once(future: impl Future<Output = io::Result<()>>) -> Poll<()> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop())).map(Result::unwrap)
}

#[wasio::test]
async fn a_clock() {
    let started = Instant::now();
    let pollable = clock(Duration::from_millis(20));
    assert!(poll_once(pollable.ready()).is_pending());
    pollable.ready().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(20));
    assert!(pollable.get_ref().ready());
    // It stays ready, and the host is asked again.
    pollable.ready().await.unwrap();
}

#[wasio::test]
async fn one_that_is_ready_already() {
    AsyncPollable::new(subscribe_instant(0)).unwrap().ready().await.unwrap();
}

#[wasio::test]
async fn the_first_of_several() {
    let started = Instant::now();
    let (slow, fast, slower) =
        (clock(LONG), clock(Duration::from_millis(10)), clock(Duration::from_secs(30)));
    let first = wasio::select! {
        result = slow.ready() => result.map(|()| "slow"),
        result = fast.ready() => result.map(|()| "fast"),
        result = slower.ready() => result.map(|()| "slower"),
        () = sleep(LONG) => Ok("timer"),
    };
    assert_eq!(first.unwrap(), "fast");
    assert!(started.elapsed() < LONG);
}

#[wasio::test]
async fn beside_timers_and_sockets() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let waiting = wasio::spawn(async move { listener.accept().await.map(drop) });
    let far = clock(LONG);
    assert!(timeout(Duration::from_millis(10), far.ready()).await.is_err());
    waiting.abort();
    assert!(waiting.await.unwrap_err().is_cancelled());
}

#[wasio::test]
async fn several_tasks_wait_for_one() {
    LocalSet::new()
        .run_until(async {
            let pollable = Rc::new(clock(Duration::from_millis(10)));
            let tasks = [(); 3].map(|()| {
                let pollable = pollable.clone();
                wasio::task::spawn_local(async move { pollable.ready().await })
            });
            for task in tasks {
                timeout(LONG, task).await.expect("a waiter was forgotten").unwrap().unwrap();
            }
        })
        .await;
}

/// A pollable that is dropped while a task waits for it is not polled any more. Polling a handle that is gone traps.
#[wasio::test]
async fn dropped_in_mid_wait() {
    for _ in 0..3 {
        let far = clock(LONG);
        let task = wasio::spawn(async move { far.ready().await });
        sleep(Duration::from_millis(1)).await;
        task.abort();
        assert!(task.await.unwrap_err().is_cancelled());
        // The next poll of the host happens without it, with a new pollable in its place.
        clock(Duration::from_millis(1)).ready().await.unwrap();
    }
    let kept = clock(Duration::from_millis(5));
    assert!(poll_once(kept.ready()).is_pending());
    // The dropped wait costs nothing.
    kept.ready().await.unwrap();
}

#[allow(unsafe_code)] // `from_handle` is an unsafe function.
#[wasio::test]
async fn by_hand_and_by_handle() {
    let handle = subscribe_duration(1_000_000).take_handle();
    // SAFETY: the handle was just taken from its owner.
    let pollable = unsafe { AsyncPollable::from_handle(handle) }.unwrap();
    assert_eq!(pollable.get_ref().handle(), handle);
    assert!(format!("{pollable:?}").contains("AsyncPollable"));
    poll_fn(|cx| pollable.poll_ready(cx)).await.unwrap();
}

#[test]
fn the_end_of_the_runtime_is_an_error() {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    let pollable = runtime.block_on(async { clock(LONG) });
    drop(runtime);
    let other = Builder::new_current_thread().enable_all().build().unwrap();
    assert!(other.block_on(pollable.ready()).is_err());
}

/// The example of the documentation: a stream of any interface.
async fn read_to_end(stream: InputStream) -> io::Result<Vec<u8>> {
    let mut all = Vec::new();
    let readable = AsyncPollable::new(stream.subscribe())?;
    loop {
        readable.ready().await?;
        match stream.read(4096) {
            Ok(bytes) => all.extend(bytes),
            Err(StreamError::Closed) => break,
            Err(error) => return Err(io::Error::other(error)),
        }
    }
    drop(readable);
    Ok(all)
}

/// A whole interface driven by its own functions: `wasi:sockets`, without this crate's sockets.
#[wasio::test]
async fn an_interface_of_the_host() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = wasio::spawn(async move {
        let (mut peer, _) = listener.accept().await.unwrap();
        for part in ["hello", " ", "pollable"] {
            peer.write_all(part.as_bytes()).await.unwrap();
            sleep(Duration::from_millis(2)).await;
        }
    });

    let socket = create_tcp_socket(IpAddressFamily::Ipv4).unwrap();
    let address = IpSocketAddress::Ipv4(Ipv4SocketAddress { port, address: (127, 0, 0, 1) });
    socket.start_connect(&instance_network(), address).unwrap();
    let connected = AsyncPollable::new(socket.subscribe()).unwrap();
    let (input, _output) = loop {
        match socket.finish_connect() {
            Err(ErrorCode::WouldBlock) => connected.ready().await.unwrap(),
            result => break result.unwrap(),
        }
    };
    assert_eq!(read_to_end(input).await.unwrap(), b"hello pollable");
    server.await.unwrap();
}
