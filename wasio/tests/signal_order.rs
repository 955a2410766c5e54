//! When a listener learns of a signal. In a process of its own, because any runtime notifies all listeners.
#![cfg(unix)]

use std::process::{Command, id};
use std::time::Duration;

use wasio::signal::unix::{SignalKind, signal};

fn send(name: &str) {
    let sent = Command::new("kill").args(["-s", name, &id().to_string()]).status();
    assert!(sent.expect("there is a kill command").success());
    // Time enough for the process to receive it.
    std::thread::sleep(Duration::from_millis(50));
}

/// Nothing changes between two waits of the runtime: a listener that is created after the signal arrived, but before
/// the runtime looked, receives it.
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
    // Dropping a wait loses nothing.
    runtime.block_on(async {
        let mut listener = signal(SignalKind::window_change()).unwrap();
        let wait = wasio::time::timeout(Duration::from_millis(5), listener.recv());
        assert!(wait.await.is_err());
        send("WINCH");
        assert_eq!(listener.recv().await, Some(()));
    });
    // A listener waits on another runtime than the one on which it was created, which nothing drives any more.
    let mut moved = runtime.block_on(async { signal(SignalKind::window_change()).unwrap() });
    let other = wasio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let waiting = std::thread::spawn(move || other.block_on(async move { moved.recv().await }));
    send("WINCH");
    assert_eq!(waiting.join().unwrap(), Some(()));
}
