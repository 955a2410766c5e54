//! When a listener is told of a signal: in a process of its own, since any runtime tells them all.
#![cfg(unix)]

use std::process::{Command, id};
use std::time::Duration;

use wasio::signal::unix::{SignalKind, signal};

fn send(name: &str) {
    let sent = Command::new("kill").args(["-s", name, &id().to_string()]).status();
    assert!(sent.expect("there is a kill command").success());
    // Time enough for the process to have it.
    std::thread::sleep(Duration::from_millis(50));
}

/// Between two waits of the runtime nothing changes: a listener that is made after the signal came, but
/// before the runtime had a look, receives it.
#[test]
fn listeners_are_told_by_the_runtime() {
    let runtime = wasio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        for _ in 0..3 {
            drop(signal(SignalKind::window_change()).unwrap());
            send("WINCH");
            let mut late = signal(SignalKind::window_change()).unwrap();
            assert_eq!(late.recv().await, Some(()));
        }
    });
    // A wait that was given up loses nothing.
    runtime.block_on(async {
        let mut listener = signal(SignalKind::window_change()).unwrap();
        let wait = wasio::time::timeout(Duration::from_millis(5), listener.recv());
        assert!(wait.await.is_err());
        send("WINCH");
        assert_eq!(listener.recv().await, Some(()));
    });
    // A listener waits on another runtime than the one it was made on, which nobody drives any more.
    let mut moved = runtime.block_on(async { signal(SignalKind::window_change()).unwrap() });
    let other = wasio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waiting = std::thread::spawn(move || other.block_on(async move { moved.recv().await }));
    send("WINCH");
    assert_eq!(waiting.join().unwrap(), Some(()));
}
