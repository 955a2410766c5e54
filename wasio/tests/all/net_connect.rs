//! Connecting suspends at least once, as under tokio, even if the connection exists at once. Programs rely on it: code
//! that races connections, or counts pending ones, sees the other tasks run first.

use std::future::Future;
use std::pin::pin;
use std::task::{Context, Waker};

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpSocket, TcpStream};
use wasio::task::JoinSet;

/// Polls once.
fn is_ready<F: Future>(future: std::pin::Pin<&mut F>) -> bool {
    future.poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

async fn talks(listener: &TcpListener, mut client: TcpStream) {
    let (mut server, _) = listener.accept().await.unwrap();
    client.write_all(b"x").await.unwrap();
    assert_eq!(server.read_u8().await.unwrap(), b'x');
}

#[wasio::test]
async fn a_stream_is_pending_first() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connect = pin!(TcpStream::connect(listener.local_addr().unwrap()));
    assert!(!is_ready(connect.as_mut()));
    talks(&listener, connect.await.unwrap()).await;
}

#[wasio::test]
async fn a_socket_is_pending_first() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connect = pin!(TcpSocket::new_v4().unwrap().connect(listener.local_addr().unwrap()));
    assert!(!is_ready(connect.as_mut()));
    talks(&listener, connect.await.unwrap()).await;
}

/// hyper-util's client does this: a task that finds another one connecting waits for it, if connecting suspends at all.
#[wasio::test]
async fn others_run_before_a_connection_is_there() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let addr = listener.local_addr().unwrap();
    let begun = std::sync::Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let mut clients = JoinSet::new();
    for _ in 0..3 {
        let begun = begun.clone();
        clients.spawn(async move {
            begun.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
            let stream = TcpStream::connect(addr).await.unwrap();
            (stream, begun.load(std::sync::atomic::Ordering::Relaxed))
        });
    }
    while let Some(client) = clients.join_next().await {
        let (_, begun) = client.unwrap();
        assert_eq!(begun, 3, "tasks had begun to connect when one was connected");
    }
}

#[wasio::test]
async fn a_wake_ends_the_wait() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut connect = pin!(TcpStream::connect(listener.local_addr().unwrap()));
    let mut polls = 0;
    let stream = std::future::poll_fn(|cx| {
        polls += 1;
        connect.as_mut().poll(cx)
    });
    talks(&listener, stream.await.unwrap()).await;
    assert_eq!(polls, 2);
}
