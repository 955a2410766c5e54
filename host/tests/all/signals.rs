//! Signals, as `SIGNALS.md` has them. That async guests hear of them is tested with whole programs
//! (`tests/engines`).

use std::time::Duration;

use wasio_host::{Guest, Signal};

use crate::support::*;

#[test]
fn a_guest_that_asks_is_told_once() {
    let output = Output::new();
    let guest = guest(&["signals"]).stdout(output.pipe()).build().unwrap();
    let (signals, stats) = (guest.signals(), guest.stats());
    runtime().block_on(async {
        let guest = tokio::spawn(guest.run());
        assert!(!signals.send(Signal::Interrupt), "nobody asked yet");
        for (line, sent) in [
            ("asked", &[Signal::Interrupt][..]),
            ("both", &[Signal::Interrupt]),
            ("computing", &[Signal::Interrupt, Signal::Terminate]),
            ("again", &[Signal::Interrupt, Signal::Terminate]),
        ] {
            let n = ["asked", "both", "computing", "again"].iter().position(|l| *l == line);
            assert_eq!(output.line(n.unwrap()).await, line);
            for signal in sent {
                assert!(signals.is_wanted(*signal));
                assert!(signals.send(*signal));
            }
        }
        assert_eq!(output.line(4).await, "waiting");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let before = stats.snapshot();
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert_eq!(before, stats.snapshot(), "neither calls nor wake-ups");
        // From another thread, as a handler of signals would.
        let sender = signals.clone();
        std::thread::spawn(move || sender.send(Signal::Terminate)).join().unwrap();
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
    assert!(!signals.send(Signal::Interrupt), "it has ended");
}

#[test]
fn a_guest_that_never_asks_is_not_told() {
    let program = wat(r#"(module (func (export "_start")))"#);
    let guest = Guest::builder(&program).build().unwrap();
    let signals = guest.signals();
    assert!(!signals.is_wanted(Signal::Interrupt));
    drop(guest);
    assert!(!signals.send(Signal::Terminate));
}
