//! A guest that never waits lets others have their turn: one that blocks and need not, and one that tries in vain.

use std::io::{Read as _, Write as _};

use wasio_host::{Guest, Policy, Program, Snapshot, Stats};

use crate::support::{LIMIT, peer, run, wat};

/// A guest that connects to `port`, and then executes `body` with the socket in `$fd` and its imports `sock_recv`,
/// `sock_send` and `poll_oneoff` as `$recv`, `$send` and `$poll`. It has local variables `$left` and `$tries`, and a
/// buffer of one byte at 600 as the piece at 32.
fn connected(port: &str, body: &str) -> Program {
    wat(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_recv" (func $recv (param i32 i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 512) "\7f\00\00\01")
        (func (export "_start") (local $left i32) (local $tries i32) (local $fd i32)
            (drop (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
            (local.set $fd (i32.load (i32.const 8)))
            (i32.store (i32.const 16) (i32.const 512))
            (i32.store (i32.const 20) (i32.const 4))
            (drop (call $connect (local.get $fd) (i32.const 16) (i32.const {port})))
            (i32.store (i32.const 32) (i32.const 600))
            (i32.store (i32.const 36) (i32.const 1))
            {body}))"#
    ))
}

/// Its host's numbers when it has ended well.
fn stats_of(program: &Program) -> Snapshot {
    let stats = Stats::new();
    let guest = Guest::builder(program).network(Policy::all()).stats(&stats).timeout(LIMIT);
    assert_eq!(run(guest).unwrap().code(), 0);
    stats.snapshot()
}

#[test]
fn operations_that_need_not_wait_use_the_turn_up() {
    const BYTES: usize = 50_000;
    let port = peer(|mut stream| {
        stream.write_all(&[7; BYTES]).unwrap();
        // Until the guest has read them all.
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    });
    let stats = stats_of(&connected(
        &port,
        &format!(
            r#"(local.set $left (i32.const {BYTES}))
            (loop $next
                (if (call $recv (local.get $fd) (i32.const 32) (i32.const 1) (i32.const 0)
                    (i32.const 40) (i32.const 44)) (then unreachable))
                (if (i32.ne (i32.load8_u (i32.const 600)) (i32.const 7)) (then unreachable))
                (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"#
        ),
    ));
    assert_eq!((stats.bytes_in, stats.calls["sock_recv"]), (BYTES as u64, BYTES as u64));
    // Ticks, and waits for the peer, are a few more.
    assert!(stats.suspensions >= BYTES as u64 / 128, "{stats:?}");
}

/// Guests with a runtime try for a while before they wait. Others on the thread must not wait for them meanwhile.
#[test]
fn attempts_in_vain_use_the_turn_up() {
    const ATTEMPTS: usize = 4000;
    let port = peer(|mut stream| {
        // Until the guest is done.
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    });
    let stats = stats_of(&connected(
        &port,
        &format!(
            r#"(local.set $left (i32.const {ATTEMPTS}))
            (if (call $flags (local.get $fd) (i32.const 4)) (then unreachable))
            (loop $next
                (if (i32.ne (i32.const 6) (call $recv (local.get $fd) (i32.const 32) (i32.const 1)
                    (i32.const 0) (i32.const 40) (i32.const 44))) (then unreachable))
                (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))"#
        ),
    ));
    assert_eq!(stats.calls["sock_recv"], ATTEMPTS as u64);
    assert!(stats.suspensions >= ATTEMPTS as u64 / 9, "{stats:?}");
}

/// After an attempt in vain the next ones of the same turn do not ask tokio, whose driver may run meanwhile: here it is on
/// another thread. What comes between an attempt and the poll that ends the turn is not forgotten.
#[test]
fn what_comes_between_an_attempt_and_a_poll_is_found() {
    const BYTES: usize = 30_000;
    let port = peer(|mut stream| {
        for n in 0..BYTES {
            (0..n % 2_000).for_each(|_| std::hint::spin_loop());
            stream.write_all(&[7]).unwrap();
            stream.read_exact(&mut [0]).unwrap();
        }
        // Until the guest has read them all.
        assert_eq!(stream.read(&mut [0]).unwrap_or(0), 0);
    });
    // A subscription about reading stands at 64; its event comes to 128, the number of events to 192.
    let program = connected(
        &port,
        &format!(
            r#"(local.set $left (i32.const {BYTES}))
            (if (call $flags (local.get $fd) (i32.const 4)) (then unreachable))
            (i32.store8 (i32.const 72) (i32.const 1))
            (i32.store (i32.const 80) (local.get $fd))
            (loop $turn
                (local.set $tries (i32.const 3))
                (loop $try
                    (if (i32.eqz (call $recv (local.get $fd) (i32.const 32) (i32.const 1) (i32.const 0)
                        (i32.const 40) (i32.const 44)))
                        (then
                            (if (call $send (local.get $fd) (i32.const 32) (i32.const 1) (i32.const 0)
                                (i32.const 40)) (then unreachable))
                            (local.set $left (i32.sub (local.get $left) (i32.const 1))))
                        (else (local.set $tries (i32.sub (local.get $tries) (i32.const 1)))))
                    (if (i32.eqz (local.get $left)) (then return))
                    (br_if $try (local.get $tries)))
                (if (call $poll (i32.const 64) (i32.const 128) (i32.const 1) (i32.const 192)) (then unreachable))
                (br $turn))"#
        ),
    );
    let stats = Stats::new();
    let guest = Guest::builder(&program).network(Policy::all()).stats(&stats).timeout(LIMIT);
    let several =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = several.unwrap().block_on(guest.build().unwrap().run());
    assert_eq!(outcome.unwrap().code(), 0);
    let stats = stats.snapshot();
    assert_eq!(stats.bytes_in, BYTES as u64);
    assert!(stats.polls() > 0 && stats.calls["sock_recv"] > BYTES as u64, "{stats:?}");
}

/// One guest at a time counts without locked additions. Others that share its counters lose nothing by it.
#[test]
fn guests_that_share_counters_count_each_call() {
    const CALLS: u64 = 200_000;
    let program = wat(&format!(
        r#"(module
        (import "wasi_snapshot_preview1" "clock_time_get" (func $time (param i32 i64 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start") (local $left i32)
            (local.set $left (i32.const {CALLS}))
            (loop $next
                (drop (call $time (i32.const 1) (i64.const 0) (i32.const 8)))
                (br_if $next (local.tee $left (i32.sub (local.get $left) (i32.const 1)))))))"#
    ));
    let stats = Stats::new();
    let go = || run(Guest::builder(&program).stats(&stats).timeout(LIMIT)).unwrap();
    // Three at the same time, and then one after another.
    std::thread::scope(|scope| (0..3).for_each(|_| _ = scope.spawn(go)));
    (0..2).for_each(|_| _ = go());
    assert_eq!(stats.snapshot().calls["clock_time_get"], 5 * CALLS);
}

/// A host of WASI 0.2 makes an error of what only would block. With wasmtime's feature `backtrace`, and
/// `RUST_BACKTRACE=1`, each walked the stack: a third of a millisecond the first time.
#[cfg(target_os = "linux")]
#[test]
fn errors_walk_no_stack() {
    crate::pool::alone_with("turns::errors_walk_no_stack", "1", || {
        let error = format!("{:?}", wasmtime::Error::msg("would block"));
        assert!(!error.contains("backtrace"), "{error}");
    });
}
