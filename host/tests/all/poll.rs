//! `poll_oneoff`, one program of the guest each.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use wasio_host::stdio::AsyncStdinStream;

use crate::support::*;

#[test]
fn clocks() {
    passes(&["clocks"]);
}

#[test]
fn a_component_may_have_timers_that_never_go_off() {
    succeeds(component(&["far-clocks"]));
}

#[test]
fn no_subscriptions_are_no_events() {
    passes(&["nothing"]);
}

#[test]
fn a_bad_subscription_hurts_no_other() {
    passes(&["bad-subscriptions"]);
}

#[test]
fn files_are_always_ready() {
    let dir = tempfile::tempdir().unwrap();
    succeeds(guest(&["files"]).dir(dir.path(), "/dir"));
}

#[test]
fn thousands_of_subscriptions() {
    passes(&["many"]);
}

#[test]
fn readiness_is_a_level_not_an_edge() {
    let port = peer(|mut stream| {
        stream.write_all(b"0123456789").unwrap();
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(b"again").unwrap();
        let _ = stream.read(&mut [0]);
    });
    passes(&["level", &port]);
}

#[test]
fn a_poll_promises_nothing_that_would_block() {
    let port = peer(|mut stream| {
        stream.write_all(b"0123").unwrap();
        stream.read_exact(&mut [0]).unwrap();
        stream.write_all(b"4").unwrap();
        let _ = stream.read(&mut [0]);
    });
    passes(&["exact-read", &port]);
}

#[test]
fn a_poll_that_does_not_wait_sees_fresh_events() {
    let port = peer(|mut stream| {
        let mut byte = [0];
        while let Ok(1) = stream.read(&mut byte) {
            stream.write_all(&byte).unwrap();
        }
    });
    passes(&["fresh", &port]);
}

#[test]
fn a_peer_that_closed_is_reported() {
    passes(&["hang-up", &peer(|mut stream| stream.write_all(b"last").unwrap())]);
}

#[test]
fn stdin_is_waited_for_with_the_rest() {
    let output = Output::new();
    let (input, mut writer) = tokio::io::simplex(64);
    let guest = guest(&["stdin"]).stdin(AsyncStdinStream::new(input)).stdout(output.pipe());
    runtime().block_on(async {
        let guest = tokio::spawn(guest.build().unwrap().run());
        assert_eq!(output.line(0).await, "waiting");
        tokio::time::sleep(Duration::from_millis(20)).await;
        writer.write_all(b"line").await.unwrap();
        tokio::time::sleep(Duration::from_millis(20)).await;
        writer.shutdown().await.unwrap();
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
}

/// A server with 100 silent connections asks nothing of the host.
#[test]
fn an_idle_guest_makes_no_host_calls() {
    let output = Output::new();
    let guest = guest(&["idle-server", "100"]).stdout(output.pipe()).build().unwrap();
    let stats = guest.stats();
    runtime().block_on(async {
        let guest = tokio::spawn(guest.run());
        let port = output.line(0).await;
        let connect = |_| TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
        let mut connections: Vec<_> = (0..100).map(connect).collect();
        assert_eq!(output.line(1).await, "idle");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before = stats.snapshot();
        tokio::time::sleep(Duration::from_secs(2)).await;
        let after = stats.snapshot();
        assert_eq!(before, after, "neither calls nor wake-ups");
        assert!(before.calls["sock_accept"] >= 100);
        connections[42].write_all(b"x").unwrap();
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
    assert_eq!(stats.snapshot().calls["poll_oneoff"], 1);
}
