//! Guests whose standard input is a terminal.
#![cfg(target_os = "linux")]

use std::io::Write as _;
use std::process::{Command, Stdio};

/// Waits for its standard input, and for 20 seconds; writes what it reads until there is no more. Exits with 1 if the
/// input is no terminal, with 2 if the time is over, with 3 if an import fails.
const GUEST: &str = r#"(module
    (import "wasi_snapshot_preview1" "fd_fdstat_get" (func $stat (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func $good (param $errno i32) (if (local.get $errno) (then (call $exit (i32.const 3)))))
    (func (export "_start")
        (call $good (call $stat (i32.const 0) (i32.const 0)))
        (if (i32.ne (i32.load8_u (i32.const 0)) (i32.const 2)) (then (call $exit (i32.const 1))))
        ;; Two subscriptions at 64: the input, and the monotonic clock.
        (i32.store8 (i32.const 72) (i32.const 1))
        (i64.store (i32.const 112) (i64.const 1))
        (i32.store (i32.const 128) (i32.const 1))
        (i64.store (i32.const 136) (i64.const 20000000000))
        (loop $more
            (call $good (call $poll (i32.const 64) (i32.const 256) (i32.const 2) (i32.const 32)))
            (if (i64.ne (i64.load (i32.const 256)) (i64.const 0)) (then (call $exit (i32.const 2))))
            (i32.store (i32.const 0) (i32.const 1024))
            (i32.store (i32.const 4) (i32.const 512))
            (call $good (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
            (call $good (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))
            (br_if $more (i32.load (i32.const 4))))))"#;

#[test]
fn a_guest_reads_a_terminal() {
    let folder = tempfile::tempdir().unwrap();
    let guest = folder.path().join("guest.wasm");
    std::fs::write(&guest, wat::parse_str(GUEST).unwrap()).unwrap();
    let run = format!("{} run --timeout 40s {}", env!("CARGO_BIN_EXE_wasio"), guest.display());
    // It gives the command a terminal of its own, and passes on its exit code.
    let mut script = Command::new("script")
        .args(["--quiet", "--return", "--echo", "never", "--command", &run, "/dev/null"])
        .env("WASIO_CACHE_DIR", folder.path().join("cache"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("script, of util-linux, runs");
    let mut terminal = script.stdin.take().unwrap();
    terminal.write_all(b"first line\nsecond\n").unwrap();
    // The end of the input, as Ctrl-D is.
    terminal.write_all(&[4]).unwrap();
    let output = script.wait_with_output().unwrap();
    drop(terminal);
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert_eq!(text.replace('\r', ""), "first line\nsecond\n");
}
