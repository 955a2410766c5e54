//! Sockets that are opened and closed between two waits, in any number.

use crate::sync_support;

use sync_support::probe;
use wasio::net::{TcpListener, TcpStream, UdpSocket};
use wasio::time::{Duration, timeout};

const LOOPBACK: &str = "127.0.0.1:0";

/// A message reaches a socket that waited for it before.
async fn hears(socket: &UdpSocket) {
    let other = UdpSocket::bind(LOOPBACK).await.unwrap();
    other.send_to(b"hello", socket.local_addr().unwrap()).await.unwrap();
    let mut buf = [0; 8];
    let received = timeout(Duration::from_secs(20), socket.recv(&mut buf)).await;
    assert_eq!(received.expect("it hears").unwrap(), 5);
}

/// More changes than a host takes in one call.
#[wasio::test]
async fn one_after_the_other_without_a_wait() {
    let kept = UdpSocket::bind(LOOPBACK).await.unwrap();
    let mut buf = [0; 8];
    // The variable is set for interpreted guests, in which a round takes nearly a millisecond.
    let rounds = if std::env::var("WASIO_TEST_BYTES").is_ok() { 5_000 } else { 70_000 };
    for round in 0..rounds {
        let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
        assert!(probe(socket.recv(&mut buf)).is_pending());
        if round == 1000 {
            assert!(probe(kept.recv(&mut buf)).is_pending());
        }
    }
    hears(&kept).await;
}

/// All sockets that the host knew are closed, and as many opened, before the host learns of either.
#[wasio::test]
async fn many_at_a_time() {
    const COUNT: usize = 400;
    let mut buf = [0; 8];
    let mut sockets = Vec::new();
    for round in 0..4 {
        let mut fresh = Vec::new();
        for _ in 0..COUNT {
            let socket = UdpSocket::bind(LOOPBACK).await.unwrap();
            assert!(probe(socket.recv(&mut buf)).is_pending());
            // Some waits are dropped in between.
            if fresh.len() % 3 == 0 {
                let other = UdpSocket::bind(LOOPBACK).await.unwrap();
                assert!(probe(other.recv(&mut buf)).is_pending());
            }
            fresh.push(socket);
        }
        // The old ones all stayed until now, and are all dropped here.
        sockets = fresh;
        if round != 1 {
            wasio::time::sleep(Duration::from_millis(1)).await;
        }
    }
    for socket in [&sockets[0], &sockets[COUNT / 2], &sockets[COUNT - 1]] {
        hears(socket).await;
    }
}

/// A socket is waited for, moved to another registration, and waited for again, all at once.
#[wasio::test]
async fn a_socket_changes_hands_without_a_wait() {
    let mut buf = [0; 8];
    let mut socket = UdpSocket::bind(LOOPBACK).await.unwrap();
    for _ in 0..200 {
        assert!(probe(socket.recv(&mut buf)).is_pending());
        let Ok(std) = socket.into_std() else { return };
        match UdpSocket::from_std(std) {
            Ok(again) => socket = again,
            // WASI 0.2 cannot move it back.
            Err(_) => return,
        }
    }
    assert!(probe(socket.recv(&mut buf)).is_pending());
    hears(&socket).await;
}

/// However many peers are gone before they are accepted, other tasks run in between.
#[wasio::test]
async fn peers_that_are_gone_take_no_more_than_a_turn() {
    let listener = TcpListener::bind(LOOPBACK).await.unwrap();
    let addr = listener.local_addr().unwrap();
    for _ in 0..100 {
        let stream = TcpStream::connect(addr).await.unwrap();
        if stream.set_zero_linger().is_err() {
            // Nothing else causes a reset: WASI 0.2.
            return;
        }
    }
    let alive = TcpStream::connect(addr).await.unwrap();
    // Natively, connections whose peer is gone are accepted.
    assert!(
        probe(listener.accept()).is_pending() || cfg!(unix),
        "it has skipped all of them at once"
    );
    loop {
        let accepted = timeout(Duration::from_secs(20), listener.accept()).await;
        if accepted.expect("it comes").unwrap().1 == alive.local_addr().unwrap() {
            break;
        }
    }
}
