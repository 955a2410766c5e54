//! What guests can make `wasio` print, and what their own output meets: full pipes, none, and readers that stopped.
#![cfg(unix)]

use std::io::{PipeReader, Read as _};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

/// The time limit of guests that do not end, and what the rest may take on a busy machine.
const LIMIT: &str = "2s";
const SOON: Duration = Duration::from_secs(8);

/// Names, and how to look them up, write and exit.
const HEAD: &str = r#"
    (import "wasi_snapshot_preview1" "sock_getaddrinfo" (func $look (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "random_get" (func $random (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 4)
    (data (i32.const 64) "80")
    (data (i32.const 130) "\00\01")
    (func $ask (param $at i32) (param $n i32) (result i32)
        (call $look (local.get $at) (local.get $n) (i32.const 64) (i32.const 2) (i32.const 128) (i32.const 256) (i32.const 4) (i32.const 512)))
    ;; As many different names, each a thousand letters of which twenty are random.
    (func $names (param $count i32) (local $k i32)
        (memory.fill (i32.const 4096) (i32.const 97) (i32.const 1000))
        (loop $more
            (drop (call $random (i32.const 4096) (i32.const 20)))
            (local.set $k (i32.const 0))
            (loop $letters
                (i32.store8 (i32.add (i32.const 4096) (local.get $k)) (i32.add (i32.const 97)
                    (i32.rem_u (i32.load8_u (i32.add (i32.const 4096) (local.get $k))) (i32.const 26))))
                (br_if $letters (i32.lt_u (local.tee $k (i32.add (local.get $k) (i32.const 1))) (i32.const 20))))
            (drop (call $ask (i32.const 4096) (i32.const 1000)))
            (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1))))))
    ;; Writes so many times 64 KiB of one letter to standard output; the first error.
    (func $print (param $count i32) (param $letter i32) (result i32) (local $error i32)
        (memory.fill (i32.const 65536) (local.get $letter) (i32.const 65536))
        (i32.store (i32.const 16) (i32.const 65536))
        (i32.store (i32.const 20) (i32.const 65536))
        (loop $more
            (local.set $error (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))
            (if (local.get $error) (then (return (local.get $error))))
            (if (i32.ne (i32.load (i32.const 24)) (i32.const 65536)) (then (return (i32.const 99))))
            (br_if $more (local.tee $count (i32.sub (local.get $count) (i32.const 1)))))
        (i32.const 0))
"#;

struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    /// `wasio` with these arguments and the guest that runs these statements.
    fn guest(&self, args: &[&str], statements: &str) -> Command {
        self.module(args, &format!("(module {HEAD} (func (export \"_start\") {statements}))"))
    }

    fn module(&self, args: &[&str], text: &str) -> Command {
        let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        let guest: PathBuf = self.folder.path().join("guest.wasm");
        std::fs::write(&guest, wasm).unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasio"));
        command.env("WASIO_CACHE_DIR", self.folder.path().join("cache"));
        command.env_remove("WASIO_NET").env_remove("WASIO_DIR").stdin(Stdio::null());
        command.args(args).arg(guest);
        command
    }
}

/// What was said on standard error, all of it printable: nothing but text and ends of lines.
fn said(output: &Output) -> String {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    let bad = |c: char| c != '\n' && (c.is_control() || "\u{202e}\u{2028}\u{2066}".contains(c));
    assert!(!text.contains(bad), "{text:?}");
    text
}

const EVIL: &str =
    r"\1b]0;owned\07\1b[31mred\0d\0awasio: all is well\0a\c2\9b31m\e2\80\ae\e2\80\a8\7f";

#[test]
fn names_in_refusals_are_text() {
    let bench = Bench::new();
    let statements = format!(
        "(call $exit (call $ask (i32.const 1024) (i32.const 58)))) (data (i32.const 1024) \"{EVIL}\") (func"
    );
    let output = bench.guest(&["run"], &statements).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "EACCES");
    let text = said(&output);
    assert!(text.contains(r"denied: look up \u{1b}]0;owned"), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    assert!(!text.contains("--net"), "there is no such rule: {text}");
}

#[test]
fn names_in_errors_and_backtraces_are_text() {
    let bench = Bench::new();
    let long = "f".repeat(50_000);
    let traps = format!(
        r#"(module (func $long (@name "{long}") unreachable) (func $evil (@name "{EVIL}") (call $long))
            (func (export "_start") (call $evil)))"#
    );
    let imports = |import: &str| format!(r#"(module (import {import}) (func (export "_start")))"#);
    for (text, lines, code) in [
        (&*traps, 5, 134),
        (&imports(&format!(r#""{EVIL}" "{EVIL}" (func)"#)), 1, 2),
        (&imports(&format!(r#""wasi_snapshot_preview1" "{EVIL}" (func)"#)), 1, 2),
        (&imports(&format!(r#""{long}" "{long}" (func)"#)), 1, 2),
        (&format!(r#"(component (import "a:b/c" (instance (export "{long}" (func)))))"#), 1, 2),
    ] {
        let output = bench.module(&["run"], text).output().unwrap();
        let text = said(&output);
        assert_eq!(output.status.code(), Some(code), "{text}");
        assert_eq!(text.lines().count(), lines, "{text}");
        assert!(text.len() < 3000, "{text}");
    }
    let output = bench.module(&["run"], &traps).output().unwrap();
    let text = said(&output);
    assert!(text.contains("f… (49744 more bytes)\n   1: \\u{1b}]0;owned"), "{text}");
}

#[test]
fn what_guests_said_last_is_text() {
    let bench = Bench::new();
    let text = format!(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 0) "\40\00\00\00\38\00\00\00") (data (i32.const 64) "{EVIL}")
        (func (export "_start")
            (drop (call $write (i32.const 2) (i32.const 0) (i32.const 1) (i32.const 16))) unreachable))"#
    );
    let text_of = |args: &[&str]| said(&bench.module(args, &text).output().unwrap());
    assert!(text_of(&["fleet", "-n", "3"]).contains(r"owned\u{7}\u{1b}[31mred"));
    assert!(text_of(&["fleet", "-n", "3", "--output"]).contains(r"2| \u{1b}]0;owned\u{7}"));
    let output = bench.module(&["fleet", "-n", "3", "--json"], &text).output().unwrap();
    let json = String::from_utf8(output.stdout).unwrap();
    assert!(!json.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'), "{json:?}");
    let json: Value = serde_json::from_str(&json).unwrap();
    let kept = json["errors"][0]["said"].as_str().unwrap();
    assert!(kept.contains("\u{1b}[31mred\r\nwasio: all is well\n\u{9b}31m\u{202e}"), "{kept:?}");
}

#[test]
fn refusals_are_listed_up_to_a_number_and_counted_beyond() {
    let bench = Bench::new();
    let output = bench.guest(&["run"], "(call $names (i32.const 300))").output().unwrap();
    let text = said(&output);
    assert!(text.len() < 256 * 1024, "{}", text.len());
    assert_eq!(text.matches("look up").count(), 256, "{text}");
    assert!(text.contains("denied 44 more times"), "{text}");

    let begun = Instant::now();
    let args = ["fleet", "-n", "100", "--json"];
    let output = bench.guest(&args, "(call $names (i32.const 256))").output().unwrap();
    let text = said(&output);
    assert_eq!(text.matches("look up").count(), 256, "{text}");
    assert!(text.contains("denied 25344 more times"), "{text}");
    assert!(text.len() < 256 * 1024, "{} in {:?}", text.len(), begun.elapsed());
}

#[test]
fn a_reader_that_stopped_stretches_no_time_limit() {
    let bench = Bench::new();
    for (args, statements) in [
        // More than a pipe takes.
        (&["run", "--stats"][..], "(call $names (i32.const 256)) (loop $for_ever (br $for_ever))"),
        (
            &["fleet", "-n", "3", "--output"],
            "(loop $l (drop (call $print (i32.const 9) (i32.const 97))) (br $l))",
        ),
        (&["run"], "(loop $l (drop (call $print (i32.const 9) (i32.const 97))) (br $l))"),
    ] {
        let args = [args, &["--timeout", LIMIT]].concat();
        let mut command = bench.guest(&args, statements);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = child.try_wait().unwrap() {
                break status;
            }
            if begun.elapsed() > SOON {
                child.kill().unwrap();
                panic!("{args:?} runs for {:?}", begun.elapsed());
            }
            std::thread::sleep(Duration::from_millis(20));
        };
        assert_eq!(status.code(), Some(if args[0] == "run" { 124 } else { 1 }), "{args:?}");
    }
}

/// Reads now and then, and counts the letters.
fn read_slowly(mut pipe: PipeReader, at_once: usize) -> usize {
    let (mut count, mut buffer) = (0, vec![0; at_once]);
    loop {
        std::thread::sleep(Duration::from_millis(2));
        let n = pipe.read(&mut buffer).unwrap();
        if n == 0 {
            return count;
        }
        count += buffer[..n].iter().filter(|byte| **byte == b'a').count();
    }
}

const MIB: usize = 1 << 20;

/// Writes 128 KiB as a component does: it asks for a permit, and writes so much.
const COMPONENT: &str = r#"
    use std::io::Write as _;
    fn main() {
        std::io::stdout().write_all(&[b'a'; 128 * 1024]).unwrap();
        std::io::stdout().flush().unwrap();
    }
"#;

/// As soon as there is room, somebody else has filled it.
fn many_share_a_pipe_that_is_full(mut command: Command) {
    const PROCESSES: usize = 12;
    let (reader, writer) = std::io::pipe().unwrap();
    let mut children: Vec<_> = (0..PROCESSES)
        .map(|_| command.stdout(writer.try_clone().unwrap()).spawn().unwrap())
        .collect();
    drop((writer, command));
    assert_eq!(read_slowly(reader, 4096), PROCESSES * 128 * 1024);
    for child in &mut children {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn many_modules_share_a_pipe_that_is_full() {
    let bench = Bench::new();
    let statements = "(call $exit (call $print (i32.const 2) (i32.const 97)))";
    many_share_a_pipe_that_is_full(bench.guest(&["run", "--timeout", "60s"], statements));
}

#[test]
fn many_components_share_a_pipe_that_is_full() {
    let bench = Bench::new();
    let (source, wasm) = (bench.folder.path().join("a.rs"), bench.folder.path().join("a.wasm"));
    std::fs::write(&source, COMPONENT).unwrap();
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let mut compile = Command::new(rustc);
    compile.args(["--edition=2024", "--target=wasm32-wasip2", "-o"]).arg(&wasm).arg(&source);
    assert!(compile.status().unwrap().success(), "is the target wasm32-wasip2 there?");
    let command = bench.guest(&["run", "--timeout", "60s"], "");
    std::fs::rename(wasm, bench.folder.path().join("guest.wasm")).unwrap();
    many_share_a_pipe_that_is_full(command);
}

/// A pipe that was made not to block, by somebody who shares it.
#[test]
fn a_pipe_that_does_not_block() {
    let bench = Bench::new();
    let (reader, writer) = std::io::pipe().unwrap();
    rustix::io::ioctl_fionbio(&writer, true).unwrap();
    let mut command = bench.guest(
        &["run", "--timeout", "60s"],
        "(call $exit (call $print (i32.const 16) (i32.const 97)))",
    );
    let mut child = command.stdout(writer).spawn().unwrap();
    drop(command);
    assert_eq!(read_slowly(reader, 32 * 1024), MIB);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

/// The guest takes all descriptors first: nothing is left to wait with.
#[test]
fn a_full_pipe_without_descriptors() {
    let bench = Bench::new();
    let statements = "
        (loop $more (br_if $more (i32.eqz (call $open (i32.const 1) (i32.const 2) (i32.const 8)))))
        (call $exit (call $print (i32.const 16) (i32.const 97)))";
    let guest = bench.guest(&["run", "--net", "all", "--timeout", "60s"], statements);
    let (reader, writer) = std::io::pipe().unwrap();
    let mut limited = Command::new("sh");
    limited
        .args(["-c", "ulimit -n 64; exec \"$@\"", "sh"])
        .arg(guest.get_program())
        .args(guest.get_args());
    limited.env("WASIO_CACHE_DIR", bench.folder.path().join("cache")).stdin(Stdio::null());
    let mut child = limited.stdout(writer).spawn().unwrap();
    drop(limited);
    assert_eq!(read_slowly(reader, 32 * 1024), MIB);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn a_socket_as_standard_output() {
    let bench = Bench::new();
    let (mut reader, writer) = std::os::unix::net::UnixStream::pair().unwrap();
    let mut command = bench.guest(
        &["run", "--timeout", "60s"],
        "(call $exit (call $print (i32.const 16) (i32.const 97)))",
    );
    let mut child = command.stdout(std::os::fd::OwnedFd::from(writer)).spawn().unwrap();
    drop(command);
    std::thread::sleep(Duration::from_millis(300));
    let mut all = Vec::new();
    reader.read_to_end(&mut all).unwrap();
    assert_eq!(all.len(), MIB);
    assert_eq!(child.wait().unwrap().code(), Some(0));
}

#[test]
fn no_reader_is_an_error_and_no_output_is_none() {
    let bench = Bench::new();
    let statements = "(call $exit (call $print (i32.const 16) (i32.const 97)))";
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = bench.guest(&["run"], statements).stdout(writer).output().unwrap();
    assert_eq!(output.status.code(), Some(64), "EPIPE: {}", said(&output));

    let guest = bench.guest(&["run"], statements);
    let mut closed = Command::new("sh");
    closed
        .args(["-c", "exec \"$@\" >&- 2>&-", "sh"])
        .arg(guest.get_program())
        .args(guest.get_args());
    closed.env("WASIO_CACHE_DIR", bench.folder.path().join("cache")).stdin(Stdio::null());
    // As for a native program: std opens /dev/null in its place.
    assert_eq!(closed.status().unwrap().code(), Some(0));
}
