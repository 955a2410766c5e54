//! Short guests one after the other, by the million: memory stays what it was.
//!
//! `cargo test` runs some thousands, `ci/soak.sh` a million; the figures are printed.
#![cfg(target_os = "linux")]

use std::time::{Duration, Instant};

use wasio_host::pipe::MemoryOutputPipe;
use wasio_host::{Engine, Error, Guest, GuestBuilder, Policy, Program};

use crate::pool::{alone, resident};
use crate::support::runtime;

/// Opens a socket, writes a line, waits for the socket or a moment, and ends as its argument count says: well, in a trap, or never.
const GUEST: &str = r#"(module
    (import "wasi_snapshot_preview1" "args_sizes_get" (func $args (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (data (i32.const 64) "soaked\n")
    (func (export "_start")
        (drop (call $args (i32.const 0) (i32.const 4)))
        (if (call $open (i32.const 1) (i32.const 1) (i32.const 8)) (then unreachable))
        (i32.store (i32.const 16) (i32.const 64)) (i32.store (i32.const 20) (i32.const 7))
        (if (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)) (then unreachable))
        ;; An extended poll with room for one event: the socket is armed.
        (i64.store (i32.const 128) (i64.const 1))
        (i32.store8 (i32.const 136) (i32.const 1)) (i32.store (i32.const 144) (i32.const 0xd04f4c01))
        (i32.store8 (i32.const 184) (i32.const 1)) (i32.store (i32.const 192) (i32.load (i32.const 8)))
        ;; A clock: at once, or in an hour.
        (i32.store (i32.const 240) (i32.const 1))
        (if (i32.eq (i32.load (i32.const 0)) (i32.const 3))
            (then (i64.store (i32.const 248) (i64.const 3600000000000))))
        (if (call $poll (i32.const 128) (i32.const 512) (i32.const 3) (i32.const 24)) (then unreachable))
        (if (i32.eq (i32.load (i32.const 0)) (i32.const 2)) (then unreachable))
        (call $exit (i32.const 7))))"#;

#[test]
fn short_guests_leave_nothing_behind() {
    match std::env::var("WASIO_SOAK_GUESTS") {
        Ok(guests) => soak(guests.parse().unwrap()),
        Err(_) => alone("soak::short_guests_leave_nothing_behind", || soak(5_000)),
    }
}

fn soak(guests: usize) {
    let engine = Engine::builder().no_cache().pool(4).build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(GUEST).unwrap()).unwrap();
    let runtime = runtime();
    let (begun, mut first) = (Instant::now(), 0);
    for tenth in 1..=10 {
        runtime.block_on(async {
            for i in 0..guests / 10 {
                one(&program, i).await;
            }
        });
        let (now, files) = (resident(), std::fs::read_dir("/proc/self/fd").unwrap().count());
        println!(
            "{:9} guests, {:6.1?}: {now} KiB, {files} files",
            guests / 10 * tenth,
            begun.elapsed()
        );
        match tenth {
            // Allocators and pools have what they need by now.
            2 => first = now,
            3.. => {
                assert!(now - first <= 2048, "{} KiB more than after the first guests", now - first)
            }
            _ => {}
        }
        assert!(files < 50, "{files} files are open");
    }
    println!("{:.1?} for each guest", begun.elapsed() / guests as u32);
}

/// Most end well; of twenty one traps, and one is dropped while it waits.
async fn one(program: &Program, i: usize) {
    let output = MemoryOutputPipe::new(64);
    let guest = |args: &[&str]| -> GuestBuilder {
        Guest::builder(program).args(args).network(Policy::all()).stdout(output.clone())
    };
    match i % 20 {
        0 => {
            let trapped = guest(&["a", "b"]).build().unwrap().run().await;
            assert!(matches!(trapped, Err(Error::Trap(_))));
        }
        10 => {
            let waits = guest(&["a", "b", "c"]).build().unwrap().run();
            assert!(tokio::time::timeout(Duration::ZERO, waits).await.is_err());
        }
        _ => assert_eq!(guest(&["a"]).build().unwrap().run().await.unwrap().code(), 7),
    }
    assert_eq!(output.contents(), "soaked\n");
}
