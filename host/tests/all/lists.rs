//! Lists that a guest hands over: the host looks at long ones in turns with others, and they burn fuel; some are refused.

use std::io::{Read as _, Write as _};

use wasio_host::{Engine, Error, Guest, Program, Snapshot};

use crate::support::*;

const COUNT: u32 = 130_000;

/// A guest that polls [`COUNT`] subscriptions, which are like the one that `first` makes at 64. Its events come behind
/// them.
fn polls(first: &str, check: &str) -> String {
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (memory (export "memory") 200)
            (func $events (result i32) (i32.const {events}))
            (func (export "_start") (local $n i32)
                {first}
                (loop $copy
                    (memory.copy
                        (i32.add (i32.const 112) (i32.mul (local.get $n) (i32.const 48)))
                        (i32.const 64) (i32.const 48))
                    (br_if $copy (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const {COUNT}))))
                {check}))"#,
        events = 112 + COUNT * 48,
    )
}

/// All of them are ready, so all have an event.
fn all_ready(first: &str) -> String {
    let check = format!(
        "(if (call $poll (i32.const 64) (call $events) (i32.const {COUNT}) (i32.const 0)) (then unreachable))
         (if (i32.ne (i32.load (i32.const 0)) (i32.const {COUNT})) (then unreachable))"
    );
    polls(first, &check)
}

/// A subscription about a clock that has gone off, about the standard output, about an open socket, about nothing.
const KINDS: [&str; 4] = [
    "(i32.store (i32.const 80) (i32.const 1))",
    "(i32.store8 (i32.const 72) (i32.const 2)) (i32.store (i32.const 80) (i32.const 1))",
    "(drop (call $open (i32.const 1) (i32.const 2) (i32.const 80))) (i32.store8 (i32.const 72) (i32.const 2))",
    "(i32.store8 (i32.const 72) (i32.const 1)) (i32.store (i32.const 80) (i32.const -7))",
];

fn stats_of(program: &Program) -> Snapshot {
    // As many as a guest may have where the system allows it.
    let guest = Guest::builder(program).max_sockets(65_536).timeout(LIMIT);
    let guest = guest.network(wasio_host::Policy::all()).build().unwrap();
    let stats = guest.stats();
    assert_eq!(runtime().block_on(guest.run()).unwrap().code(), 0);
    stats.snapshot()
}

#[test]
fn a_long_poll_takes_turns() {
    for first in KINDS {
        let stats = stats_of(&wat(&all_ready(first)));
        assert!(stats.suspensions >= 200, "{first}: {stats:?}");
    }
}

#[test]
fn a_long_poll_burns_fuel() {
    let engine = Engine::builder().no_cache().meter_fuel().build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(all_ready(KINDS[0])).unwrap()).unwrap();
    let run = |fuel| run(Guest::builder(&program).max_sockets(65_536).fuel(fuel));
    // To write them takes as much again.
    assert_eq!(run(30_000_000).unwrap().code(), 0);
    assert!(matches!(run(9_000_000), Err(Error::OutOfFuel)));
}

/// Changes of an extended poll, all of which fail.
#[test]
fn many_changes_take_turns() {
    // The queue's descriptor, and room for one event.
    let queue = "(i64.store (i32.const 64) (i64.const 1)) (i32.store8 (i32.const 72) (i32.const 1))
        (i32.store (i32.const 80) (i32.const 0xd04f4c01))";
    let closed =
        "(i64.store (i32.const 64) (i64.const 9)) (i32.store8 (i32.const 72) (i32.const 1))
        (i32.store (i32.const 80) (i32.const 0x7fffffff))";
    let check = format!(
        "{queue}
         (if (call $poll (i32.const 64) (call $events) (i32.const {COUNT}) (i32.const 0)) (then unreachable))
         (if (i32.ne (i32.load (i32.const 0)) (i32.const 1)) (then unreachable))"
    );
    let stats = stats_of(&wat(&polls(closed, &check)));
    assert!(stats.suspensions >= 100, "{stats:?}");
}

/// What becomes ready while the host looks at the rest of the list is found.
#[test]
fn a_long_poll_forgets_nothing() {
    let port = peer(|mut stream| {
        for n in 0.. {
            if stream.read(&mut [0]).unwrap_or(0) == 0 {
                return;
            }
            (0..n * 7919 % 300_000).for_each(|_| std::hint::spin_loop());
            stream.write_all(&[7]).unwrap();
        }
    });
    let guest = guest(&["long", &port]).build().unwrap();
    let several =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    assert_eq!(several.unwrap().block_on(guest.run()).unwrap().code(), 0);
}

#[test]
fn a_component_polls_what_can_be_looked_at_at_once() {
    succeeds(component(&["polls", "30000"]));
    let error = run(component(&["polls", "1000000"])).unwrap_err().to_string();
    assert!(error.contains("a poll of 1000000 pollables at once: at most 32768"), "{error}");
}

#[test]
fn a_component_writes_what_a_stream_permits() {
    for (how, permit) in [("at-once", "1048576"), ("blocking", "4096")] {
        for len in ["100000000", "200000000"] {
            let error = run(component(&["writes", len, how])).unwrap_err().to_string();
            let permits =
                format!("{len} bytes were written to a stream at once: it permits {permit}");
            assert!(error.contains(&permits), "{error}");
        }
    }
    succeeds(
        component(&["writes", "4096", "blocking"]).on_stdout(|bytes| assert_eq!(bytes.len(), 4096)),
    );
}

#[test]
fn a_component_looks_up_no_long_names() {
    for len in ["1025", "100000000", "200000000"] {
        succeeds(component(&["long-name", len]));
    }
}
