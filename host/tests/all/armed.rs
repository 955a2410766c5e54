//! Extended polls, as `POLL_EXTENSION.md` has them, one program of the guest each.

use std::io::{Read as _, Write as _};
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::time::Duration;

use crate::support::*;

#[test]
fn a_guest_finds_out() {
    passes(&["armed-discovery"]);
}

#[test]
fn each_arm_is_one_event() {
    passes(&["armed-once"]);
}

#[test]
fn changes_take_effect_or_are_refused() {
    passes(&["armed-changes"]);
}

#[test]
fn arms_belong_to_the_socket() {
    passes(&["armed-closed"]);
}

#[test]
fn nobody_is_lost_in_a_crowd() {
    passes(&["armed-crowded"]);
}

#[test]
fn ordinary_polls_and_blocking_reads_do_not_disturb() {
    let port = peer(|mut stream| {
        let mut bytes = [0; 4];
        while stream.read_exact(&mut bytes).is_ok() {
            std::thread::sleep(Duration::from_millis(5));
            stream.write_all(&bytes).unwrap();
        }
    });
    passes(&["armed-mixed", &port]);
}

#[test]
fn a_read_that_leaves_nothing_says_so() {
    let port = peer(|mut stream| {
        for _ in 0..3 {
            stream.read_exact(&mut [0]).unwrap();
            stream.write_all(&[7; 8]).unwrap();
        }
    });
    passes(&["armed-drained", &port]);
}

/// After many such reads the host no longer looks, until the guest waits for more.
#[test]
fn a_read_that_was_taken_to_leave_nothing_loses_nothing() {
    let port = peer(|mut stream| {
        while stream.read_exact(&mut [0]).is_ok() {
            stream.write_all(&[7; 8]).unwrap();
        }
    });
    passes(&["armed-trusted", &port]);
}

#[test]
fn connections_and_listeners() {
    let (_reserved, port) = closed_port();
    passes(&["armed-connecting", &port]);
}

/// What is armed and idle costs nothing.
#[test]
fn idle_sockets_are_free() {
    let output = Output::new();
    succeeds(guest(&["armed-idle"]).stdout(output.pipe()));
    let line = runtime().block_on(output.line(0));
    let [sockets, few, many] =
        line.split(' ').map(|n| n.parse::<u64>().unwrap()).collect::<Vec<_>>()[..]
    else {
        panic!("{line}");
    };
    println!("a round with 10 idle sockets takes {few} ns, with {sockets} {many} ns");
    assert!(sockets >= 200);
    // Ordinary polls take some fifty times as long; this leaves room for a noisy machine.
    assert!(many < 2 * few, "{few} ns with 10 idle sockets, {many} ns with {sockets}");
}

#[test]
fn a_guest_that_is_dropped_leaves_nothing() {
    let (closed, ended) = channel();
    let port = peer(move |mut stream| closed.send(stream.read(&mut [0])).unwrap());
    let held = Arc::new(());
    let output = Output::new();
    let holds = held.clone();
    let guest = guest(&["armed-forever", &port]).stdout(output.pipe()).on_denied(move |_| {
        let _ = &holds;
    });
    runtime().block_on(async {
        let guest = guest.build().unwrap();
        let stats = guest.stats();
        let guest = tokio::spawn(guest.run());
        output.line(0).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before = stats.snapshot();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(before, stats.snapshot(), "neither calls nor wake-ups");
        assert!(Arc::strong_count(&held) > 1);
        guest.abort();
        assert!(guest.await.unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&held), 1, "its state is still there");
    });
    let read = ended.recv_timeout(LIMIT).unwrap();
    assert!(read.is_err() || read.unwrap() == 0, "its connection is closed");
}
