//! `wasio fleet` from the outside: numbers, exits, errors, limits, Ctrl-C.

use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// Leaves the guest's number, read from its environment, in `$n`.
const HEAD: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (data (i32.const 512) "hello\0aagain")
    (func $say (param $fd i32)
        (i32.store (i32.const 0) (i32.const 512))
        (i32.store (i32.const 4) (i32.const 11))
        (drop (call $write (local.get $fd) (i32.const 0) (i32.const 1) (i32.const 8))))
    (func $sleep (param $ms i64)
        (i32.store (i32.const 256) (i32.const 0))
        (i32.store8 (i32.const 264) (i32.const 0))
        (i32.store (i32.const 272) (i32.const 1))
        (i64.store (i32.const 280) (i64.mul (local.get $ms) (i64.const 1000000)))
        (drop (call $poll (i32.const 256) (i32.const 384) (i32.const 1) (i32.const 448))))
    ;; The digits behind the 18 bytes WASIO_FLEET_INDEX=, which is the first variable.
    (func $number (result i32) (local $n i32) (local $at i32) (local $digit i32)
        (drop (call $env (i32.const 1024) (i32.const 4096)))
        (local.set $at (i32.add (i32.load (i32.const 1024)) (i32.const 18)))
        (loop $next
            (local.set $digit (i32.load8_u (local.get $at)))
            (if (local.get $digit) (then
                (local.set $n (i32.add (i32.mul (local.get $n) (i32.const 10))
                    (i32.sub (local.get $digit) (i32.const 48))))
                (local.set $at (i32.add (local.get $at) (i32.const 1)))
                (br $next))))
        (local.get $n))
    (func $_start (export "_start") (local $n i32)
        (local.set $n (call $number))
"#;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    /// `wasio fleet` of a guest that runs these statements.
    fn fleet(&self, options: &[&str], statements: &str) -> Command {
        let wasm = wat::parse_str(format!("{HEAD} {statements}))")).unwrap();
        let guest: PathBuf = self.folder.path().join("guest.wasm");
        std::fs::write(&guest, wasm).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasio"));
        command.env("WASIO_CACHE_DIR", self.folder.path().join("cache"));
        command.env_remove("WASIO_NET").env_remove("WASIO_DIR").stdin(Stdio::null());
        command.arg("fleet").args(options).arg(guest);
        command
    }
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|e| panic!("{e}: {}", said(output)))
}

#[test]
fn two_hundred_guests_sleep_at_once() {
    let bench = Bench::new();
    let begun = Instant::now();
    let output = bench.fleet(&["-n", "200", "--json"], "(call $sleep (i64.const 300))").output();
    let (output, took) = (output.unwrap(), begun.elapsed());
    assert_eq!(output.status.code(), Some(0), "{}", said(&output));
    let summary = json(&output);
    assert_eq!((&summary["count"], &summary["started"]), (&200.into(), &200.into()));
    assert_eq!(summary["exited"]["0"], 200);
    assert_eq!(summary["calls"]["poll_oneoff"], 200);
    assert_eq!(summary["host_calls"], 400);
    assert!(summary["suspensions"].as_u64().unwrap() >= 200);
    assert!(summary["suspended_ns"].as_u64().unwrap() >= 200 * 290_000_000, "{summary}");
    let (half, most) = (&summary["start_ns"]["p50"], &summary["start_ns"]["p99"]);
    assert!(half.as_u64().unwrap() > 0 && half.as_u64() <= most.as_u64(), "{summary}");
    // One after the other they would take a minute.
    assert!(took < Duration::from_secs(20), "{took:?}");
    assert_eq!(summary["peak_memory"].is_u64(), cfg!(target_os = "linux"));
}

#[test]
fn each_knows_its_number_and_each_error_is_told_once() {
    let bench = Bench::new();
    let statements = "
        (if (i32.eq (local.get $n) (i32.const 7)) (then unreachable))
        (if (i32.ge_u (local.get $n) (i32.const 150)) (then (call $say (i32.const 2)) unreachable))
        (call $exit (i32.rem_u (local.get $n) (i32.const 3)))";
    let output = bench.fleet(&["-n", "200", "-c", "50", "--json"], statements).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let summary = json(&output);
    // 0 to 149 without 7, which leaves 1.
    assert_eq!(summary["exited"], serde_json::json!({ "0": 50, "1": 49, "2": 50 }));
    assert_eq!(summary["failed"], 51);
    let errors = summary["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 4, "{summary}");
    let count = |with: &str| -> u64 {
        let of = |e: &&Value| e["error"].as_str().unwrap().contains(with);
        errors.iter().filter(of).map(|e| e["guests"].as_u64().unwrap()).sum()
    };
    assert_eq!((count("unreachable"), count("exited with 2")), (51, 50));
    assert!(errors.iter().any(|e| e["said"] == "hello\nagain"), "{summary}");

    let output = bench.fleet(&["-n", "200"], statements).output().unwrap();
    let text = said(&output);
    assert!(text.contains("149 exited (50 with 0, 49 with 1, 50 with 2), 51 failed"), "{text}");
    assert!(output.stdout.is_empty());
}

#[test]
fn output_is_passed_on_line_by_line() {
    let bench = Bench::new();
    let output = bench.fleet(&["-n", "20", "--output"], "(call $say (i32.const 1))").output();
    let output = output.unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for n in 0..20 {
        for line in ["hello", "again"] {
            let line = format!("{n}| {line}");
            assert_eq!(text.lines().filter(|l| *l == line).count(), 1, "{line}\n{text}");
        }
    }
    assert_eq!(text.lines().count(), 40);
}

#[test]
fn no_more_than_allowed_run_at_a_time() {
    let bench = Bench::new();
    for options in [
        &["-n", "12", "-c", "4", "--json"][..],
        &["-n", "12", "-c", "4", "--threads", "2", "--json"],
    ] {
        let begun = Instant::now();
        let output = bench.fleet(options, "(call $sleep (i64.const 100))").output().unwrap();
        assert_eq!(json(&output)["exited"]["0"], 12, "{}", said(&output));
        assert!(begun.elapsed() >= Duration::from_millis(300), "{:?}", begun.elapsed());
    }
}

#[test]
fn what_run_grants_is_granted() {
    let bench = Bench::new();
    let options = ["-n", "30", "--timeout", "100ms", "--json"];
    let output = bench.fleet(&options, "(call $sleep (i64.const 60000))").output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let summary = json(&output);
    assert_eq!((&summary["failed"], &summary["errors"][0]["guests"]), (&30.into(), &30.into()));

    let output = bench.fleet(&["-n", "3", "--dir", "/no/such/folder", "--json"], "").output();
    let summary = json(&output.unwrap());
    assert_eq!((&summary["failed"], &summary["errors"][0]["guests"]), (&3.into(), &3.into()));
    assert!(summary["errors"][0]["error"].as_str().unwrap().contains("/no/such/folder"));

    for options in [&["-n", "0"][..], &["--json", "--output"], &["--no-such-option"]] {
        let output = bench.fleet(options, "").output().unwrap();
        assert_eq!(output.status.code(), Some(2), "{options:?}: {}", said(&output));
    }
}

#[cfg(unix)]
#[test]
fn a_signal_ends_all_and_the_summary_is_printed() {
    let bench = Bench::new();
    let mut command = bench.fleet(
        &["-n", "300", "-c", "200", "--output"],
        "(call $say (i32.const 1)) (call $sleep (i64.const 60000))",
    );
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // All that run at a time have started when each has said a line.
    let lines = std::io::BufReader::new(child.stdout.take().unwrap());
    let hello = std::io::BufRead::lines(lines).map(Result::unwrap).filter(|l| l.ends_with("hello"));
    assert_eq!(hello.take(200).count(), 200);
    let begun = Instant::now();
    let pid = child.id().to_string();
    assert!(Command::new("kill").args(["-s", "INT", &pid]).status().unwrap().success());
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    let text = said(&output);
    assert!(text.contains("200 guests started, 0 exited, 0 failed"), "{text}");
    assert!(text.contains("200 guests were ended early, 100 never started"), "{text}");
    assert!(begun.elapsed() < Duration::from_secs(10), "{:?}", begun.elapsed());
}
