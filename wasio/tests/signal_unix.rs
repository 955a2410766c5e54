//! Signals of Unix, natively.
#![cfg(unix)]

use std::process::{Command, id};

use wasio::signal::ctrl_c;
use wasio::signal::unix::{SignalKind, signal};

fn send(name: &str) {
    let sent = Command::new("kill").args(["-s", name, &id().to_string()]).status();
    assert!(sent.expect("there is a kill command").success());
}

#[wasio::test]
async fn every_listener_hears_every_signal_of_its_kind() {
    let mut one = signal(SignalKind::user_defined1()).unwrap();
    let mut other = signal(SignalKind::from(SignalKind::user_defined1().as_raw_value())).unwrap();
    let mut another_kind = signal(SignalKind::user_defined2()).unwrap();
    for _ in 0..2 {
        send("USR1");
        assert_eq!(wasio::join!(one.recv(), other.recv()), (Some(()), Some(())));
    }
    wasio::select! {
        biased;
        _ = another_kind.recv() => panic!("not sent"),
        _ = one.recv() => panic!("already received"),
        () = wasio::task::yield_now() => {}
    }
    send("USR2");
    assert_eq!(another_kind.recv().await, Some(()));
}

#[wasio::test]
async fn ctrl_c_is_sigint() {
    let waiting = wasio::spawn(ctrl_c());
    wasio::task::yield_now().await;
    send("INT");
    waiting.await.unwrap().unwrap();
}

#[wasio::test]
async fn a_signal_that_cannot_be_handled_is_refused() {
    for raw in [-1, 0, 9, 1000] {
        assert!(signal(SignalKind::from_raw(raw)).is_err(), "{raw}");
    }
}

#[test]
#[should_panic(expected = "there is no reactor running")]
fn outside_of_a_runtime() {
    let _ = signal(SignalKind::hangup());
}
