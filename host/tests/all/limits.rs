//! What ends a guest, and what it may use up.

use std::time::{Duration, Instant};

use wasio_host::{Error, Guest};

use crate::support::*;

const SPIN: &str = r#"(module (func (export "_start") (loop br 0)))"#;

#[test]
fn sockets_are_limited() {
    succeeds(guest(&["socket-limit", "5"]).max_sockets(5));
}

#[test]
fn a_guest_that_never_yields_is_timed_out() {
    let start = Instant::now();
    let program = wat(SPIN);
    let guest = Guest::builder(&program).timeout(Duration::from_millis(100));
    match run(guest) {
        Err(Error::TimedOut(limit)) => assert_eq!(limit, Duration::from_millis(100)),
        other => panic!("{other:?}"),
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn a_guest_that_never_yields_leaves_room_for_others() {
    let program = wat(SPIN);
    runtime().block_on(async {
        let spinning = tokio::spawn(Guest::builder(&program).build().unwrap().run());
        let other = guest(&["clocks"]).build().unwrap().run().await;
        assert_eq!(other.unwrap().code(), 0);
        spinning.abort();
        assert!(spinning.await.unwrap_err().is_cancelled());
    });
}

#[test]
fn dropping_a_waiting_guest_closes_its_sockets() {
    let port = peer(|mut stream| {
        use std::io::Read as _;
        // The end, or a reset: closed either way.
        assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)));
    });
    let guest = guest(&["timeouts", &port]).timeout(Duration::from_millis(20));
    assert!(matches!(run(guest), Err(Error::TimedOut(_))));
}

/// Grows by a page until refused, and exits with the pages it had.
const GROW: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (call $exit (memory.size))))"#;

#[test]
fn memory_beyond_the_limit_is_refused() {
    let program = wat(GROW);
    let exit = run(Guest::builder(&program).max_memory(10 << 16)).unwrap();
    assert_eq!(exit.code(), 10);
    // Less than it starts with.
    let error = run(Guest::builder(&program).max_memory(100)).unwrap_err();
    assert!(matches!(error, Error::Start(_)), "{error}");
}

#[test]
fn exit_codes_are_passed_through() {
    for code in [0, 1, 42, 126, 255, -1] {
        let program = wat(&format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {code})) unreachable))"#
        ));
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), code);
    }
}

#[test]
fn a_trap_names_the_functions() {
    let program = wat(r#"(module
            (func $_ZN4core9panicking5panic17h0123456789abcdefE (drop (i32.load (i32.const -1))))
            (func $caller (call $_ZN4core9panicking5panic17h0123456789abcdefE))
            (memory 1)
            (func $_start (export "_start") (call $caller)))"#);
    let Err(Error::Trap(trap)) = run(Guest::builder(&program)) else { panic!("no trap") };
    assert_eq!(trap.frames(), ["core::panicking::panic", "caller", "_start"]);
    assert!(trap.reason().contains("out of bounds memory access"), "{trap}");
}

#[test]
fn endless_recursion_is_a_trap() {
    let program = wat(r#"(module (func $f (export "_start") (call $f) (call $f)))"#);
    let Err(Error::Trap(trap)) = run(Guest::builder(&program)) else { panic!("no trap") };
    assert!(trap.reason().contains("stack"), "{trap}");
}

#[test]
fn a_trap_while_starting_is_a_trap() {
    let program =
        wat(r#"(module (func $init unreachable) (start $init) (func (export "_start")))"#);
    assert!(matches!(run(Guest::builder(&program)), Err(Error::Trap(_))));
}
