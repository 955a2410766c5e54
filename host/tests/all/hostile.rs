//! Guests that do what they should not, by their numbers among the cases that a host must survive. Number 15,
//! pointers, has a file of its own.

use std::io::Read as _;
use std::time::Duration;

use socket2::SockRef;
use wasio_host::stdio::AsyncStdoutStream;
use wasio_host::{Error, Guest};

use crate::support::*;

#[test]
fn case_14_the_descriptor_is_closed() {
    passes(&["poll-closed"]);
}

#[test]
fn case_14_the_peer_resets() {
    let port = peer(|mut stream| {
        stream.read_exact(&mut [0]).unwrap();
        // The guest is suspended by then.
        std::thread::sleep(Duration::from_millis(50));
        SockRef::from(&stream).set_linger(Some(Duration::ZERO)).unwrap();
    });
    passes(&["poll-reset", &port]);
}

#[test]
fn case_16_it_opens_sockets_until_refused() {
    succeeds(guest(&["socket-limit", "200"]).max_sockets(200));
}

/// Grows by a page until refused, and exits with the pages it had.
const GROW: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (loop $again (br_if $again (i32.ne (memory.grow (i32.const 1)) (i32.const -1))))
        (call $exit (memory.size))))"#;

#[test]
fn case_16_it_allocates_until_refused() {
    let program = wat(GROW);
    let guest = Guest::builder(&program).max_memory(10 << 16).build().unwrap();
    let stats = guest.stats();
    let exit = runtime().block_on(guest.run()).unwrap();
    assert_eq!(exit.code(), 10);
    assert_eq!(stats.snapshot().peak_memory, 10 << 16);
    // Less than it starts with.
    let error = run(Guest::builder(&program).max_memory(100)).unwrap_err();
    assert!(matches!(error, Error::Start(_)), "{error}");
}

/// Takes the exit code from how far it gets with all its memories, or tables, a unit at a time in turn.
fn grow_in_turns(kind: &str, unit: u32) -> String {
    let (first, second) = match kind {
        "memory" => ("(memory (export \"memory\") 1)", "(memory $second 1)"),
        _ => {
            ("(memory (export \"memory\") 1) (table $first 0 funcref)", "(table $second 0 funcref)")
        }
    };
    let grow = |which: &str| match kind {
        "memory" => format!("(memory.grow {which} (i32.const {unit}))"),
        _ => format!("(table.grow {which} (ref.null func) (i32.const {unit}))"),
    };
    let (a, b) = (grow(if kind == "memory" { "0" } else { "$first" }), grow("$second"));
    format!(
        r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            {first} {second}
            (func (export "_start") (local $n i32)
                (loop $more
                    (if (i32.eq {a} (i32.const -1)) (then (call $exit (local.get $n))))
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (if (i32.eq {b} (i32.const -1)) (then (call $exit (local.get $n))))
                    (local.set $n (i32.add (local.get $n) (i32.const 1)))
                    (br $more))))"#
    )
}

#[test]
fn case_16_it_allocates_in_several_places() {
    // Two memories of a page to begin with.
    let program = wat(&grow_in_turns("memory", 1));
    let exit = run(Guest::builder(&program).max_memory(20 << 16)).unwrap();
    assert_eq!(exit.code(), 18);
    let program = wat(&grow_in_turns("table", 10_000));
    let exit = run(Guest::builder(&program).max_table_elements(150_000)).unwrap();
    assert_eq!(exit.code(), 15);
    assert_eq!(run(Guest::builder(&program)).unwrap().code(), 100);
}

#[test]
fn case_16_it_never_yields() {
    let program = wat(r#"(module (func (export "_start") (loop br 0)))"#);
    runtime().block_on(async {
        let spinning = tokio::spawn(Guest::builder(&program).build().unwrap().run());
        let other = guest(&["clocks"]).build().unwrap().run().await;
        assert_eq!(other.unwrap().code(), 0);
        spinning.abort();
        assert!(spinning.await.unwrap_err().is_cancelled());
    });
}

/// Writes all its memory, a thousand times in each call, for ever.
const FLOOD: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 16)
    (func (export "_start") (local $i i32)
        (loop $fill
            (i32.store (i32.add (local.get $i) (i32.const 4)) (i32.const 0x100000))
            (local.set $i (i32.add (local.get $i) (i32.const 8)))
            (br_if $fill (i32.lt_u (local.get $i) (i32.const 8000))))
        (loop $again
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1000) (i32.const 8192)))
            (br $again))))"#;

/// Nobody reads: the guest waits, and what the host keeps for it is what the stream was told to keep.
#[test]
fn case_16_it_floods_stdout() {
    const KEPT: usize = 64 * 1024;
    let program = wat(FLOOD);
    let (reader, writer) = tokio::io::simplex(64);
    let guest = Guest::builder(&program)
        .stdout(AsyncStdoutStream::new(KEPT, writer))
        .timeout(Duration::from_millis(500))
        .build()
        .unwrap();
    let stats = guest.stats();
    let before = resident();
    let error = runtime().block_on(guest.run()).unwrap_err();
    assert!(matches!(error, Error::TimedOut(_)), "{error}");
    let stats = stats.snapshot();
    assert!(stats.calls["fd_write"] <= 2, "{stats:?}");
    assert!(stats.suspended > 10 * stats.running, "{stats:?}");
    // Other tests run beside this one; a flood would be gigabytes.
    if let (Some(before), Some(after)) = (before, resident()) {
        assert!(after.saturating_sub(before) < 256 << 20, "{before} bytes, then {after}");
    }
    drop(reader);
}

/// This process's resident memory, where there is /proc.
fn resident() -> Option<usize> {
    let statm = std::fs::read_to_string("/proc/self/statm").ok()?;
    Some(statm.split_whitespace().nth(1)?.parse::<usize>().ok()? * 4096)
}
