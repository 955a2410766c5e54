//! `wasio run` from the outside: exit codes, messages, options, signals.

#[cfg(unix)]
mod signals;

use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// A folder of guests, and `wasio run` with a cache of its own in there.
struct Bench {
    folder: TempDir,
}

impl Bench {
    fn new() -> Bench {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::write(&path, content).unwrap();
        path
    }

    /// A guest in the text format, as a .wasm file.
    fn guest(&self, text: &str) -> PathBuf {
        let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
        self.file("guest.wasm", wasm)
    }

    fn wasio(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasio"));
        command.env("WASIO_CACHE_DIR", self.path().join("cache"));
        command.env_remove("WASIO_NET").env_remove("WASIO_DIR").stdin(Stdio::null());
        command
    }

    fn run(&self, options: &[&str], guest: &Path, args: &[&str]) -> Output {
        self.wasio().arg("run").args(options).arg(guest).args(args).output().unwrap()
    }
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// Exits with the code that its statements leave on the stack.
fn exiting(statements: &str) -> String {
    format!(
        r#"(module
        (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_get" (func $args (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "args_sizes_get" (func $args_sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_get" (func $env (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "environ_sizes_get" (func $env_sizes (param i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (data (i32.const 512) "\7f\00\00\01")
        (func $_start (export "_start") (call $exit {statements})))"#
    )
}

/// Writes its arguments, or its environment, each ended by a NUL.
fn printing(what: &str) -> String {
    exiting(&format!(
        "(drop (call ${what}_sizes (i32.const 0) (i32.const 4)))
         (drop (call ${what} (i32.const 1024) (i32.const 4096)))
         (i32.store (i32.const 16) (i32.const 4096))
         (i32.store (i32.const 20) (i32.load (i32.const 4)))
         (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24))"
    ))
}

/// Connects to a port of loopback and exits with the error number.
fn connecting(port: u16) -> String {
    exiting(&format!(
        "(drop (call $open (i32.const 1) (i32.const 2) (i32.const 8)))
         (i32.store (i32.const 16) (i32.const 512))
         (i32.store (i32.const 20) (i32.const 4))
         (call $connect (i32.load (i32.const 8)) (i32.const 16) (i32.const {port}))"
    ))
}

const SPIN: &str = r#"(module (func (export "_start") (loop br 0)))"#;

/// Waits for a minute.
const WAIT: &str = r#"(module
    (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (i32.store (i32.const 16) (i32.const 1))
        (i64.store (i32.const 24) (i64.const 60000000000))
        (drop (call $poll (i32.const 0) (i32.const 128) (i32.const 1) (i32.const 256)))))"#;

#[test]
fn files_that_are_no_modules() {
    let bench = Bench::new();
    for (content, said) in [
        (&b"not wasm at all"[..], "is text"),
        (b"", "is empty"),
        (b"\x7fELF\x02\x01\x01", "native program"),
        (b"(module)", "text format"),
        (b"\0asm\x01\0\0\0\xff", "cannot compile"),
    ] {
        let output = bench.run(&[], &bench.file("file", content), &[]);
        assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
        assert!(stderr(&output).contains(said), "{}", stderr(&output));
        assert!(!stderr(&output).contains("panicked"), "{}", stderr(&output));
    }
    let output = bench.run(&[], &bench.path().join("missing.wasm"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("missing.wasm"), "{}", stderr(&output));
}

/// A file, and why it cannot be opened, are named once.
#[test]
fn a_file_that_cannot_be_opened_is_reported_once() {
    let bench = Bench::new();
    for verb in [&["run"][..], &["fleet", "-n", "1"]] {
        for file in ["missing.wasm", "."] {
            let mut command = bench.wasio();
            let output = command.current_dir(bench.path()).args(verb).arg(file).output().unwrap();
            assert_eq!(output.status.code(), Some(2));
            let said = stderr(&output);
            assert_eq!(said.matches("os error").count(), 1, "{said}");
            assert!(said.starts_with(&format!("wasio: cannot open {file}: ")), "{said}");
        }
    }
}

#[test]
fn a_mistyped_subcommand_gets_a_suggestion() {
    let bench = Bench::new();
    for (typed, meant) in
        [("rnu", "run"), ("runn", "run"), ("fleat", "fleet"), ("completion", "completions")]
    {
        let output = bench.wasio().arg(typed).output().unwrap();
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(&format!("'{meant}'")), "{typed}: {}", stderr(&output));
    }
    let output = bench.wasio().arg("quux").output().unwrap();
    assert!(!stderr(&output).contains("similar"), "{}", stderr(&output));
}

#[test]
fn completions_know_the_options() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = bench.wasio().args(["completions", shell]).output().unwrap();
        assert!(output.status.success(), "{shell}");
        assert!(stdout(&output).contains("stats-file"), "{shell}");
    }
    assert_eq!(
        bench.wasio().args(["completions", "tcsh"]).output().unwrap().status.code(),
        Some(2)
    );
}

const LIBRARY: &str = r#"(module
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (global (export "number") i32 (i32.const 1))
    (func (export "add") (param i32 i32) (result i32) (i32.add (local.get 0) (local.get 1)))
    (func (export "swap") (param i64 f64) (result f64 i64) (local.get 1) (local.get 0))
    (func (export "half") (param f32) (result f32) (f32.div (local.get 0) (f32.const 2)))
    (func (export "refer") (param v128))
    (func (export "nothing"))
    (func (export "trap") unreachable)
    (func (export "exit") (param i32) (call $exit (local.get 0)))
    (func (export "spin") (loop br 0)))"#;

#[test]
fn an_export_is_called_with_numbers() {
    let bench = Bench::new();
    let guest = bench.guest(LIBRARY);
    for (line, printed) in [
        (&["add", "40", "2"][..], "42\n"),
        (&["add", "-1", "-2"], "-3\n"),
        (&["add", "4294967295", "0x10"], "15\n"),
        (&["swap", "-9223372036854775808", "1.5"], "1.5\n-9223372036854775808\n"),
        (&["swap", "18446744073709551615", "-inf"], "-inf\n-1\n"),
        (&["half", "3"], "1.5\n"),
        (&["nothing"], ""),
    ] {
        let output = bench.run(&["--invoke", line[0]], &guest, &line[1..]);
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), printed, "{line:?}");
    }
    for (line, code, said) in [
        (&["add", "1"][..], 2, "takes 2 arguments, and 1 was given"),
        (&["add", "1", "x"], 2, "`x` is not of type i32"),
        (&["add", "1", "4294967296"], 2, "`4294967296` is not of type i32"),
        (&["add", "1", "--2"], 2, "`--2` is not of type i32"),
        (&["refer", "1"], 2, "only numbers can"),
        (&["missing"], 2, "exports no function `missing`"),
        (&["number"], 2, "it is no function"),
        (&["trap"], 134, "unreachable"),
        (&["exit", "7"], 7, ""),
    ] {
        let output = bench.run(&["--invoke", line[0]], &guest, &line[1..]);
        assert_eq!(output.status.code(), Some(code), "{line:?}: {}", stderr(&output));
        assert!(stderr(&output).contains(said), "{line:?}: {}", stderr(&output));
    }
    let output = bench.run(&["--invoke", "spin", "--timeout", "200ms"], &guest, &[]);
    assert_eq!(output.status.code(), Some(124), "{}", stderr(&output));
    let output = bench.run(&["--invoke", "run"], &bench.guest("(component)"), &[]);
    assert_eq!(output.status.code(), Some(2), "{}", stderr(&output));
}

#[test]
fn a_component_that_is_no_program() {
    let bench = Bench::new();
    let output = bench.run(&[], &bench.guest("(component)"), &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("component"), "{}", stderr(&output));
    assert!(stderr(&output).contains("wasi:cli/run"), "{}", stderr(&output));
}

#[test]
fn an_interface_nobody_provides() {
    let bench = Bench::new();
    let guest = bench.guest(
        r#"(component (import "space:travel/launch@1.0.0" (instance
        (export "go" (func)))))"#,
    );
    let output = bench.run(&[], &guest, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("space:travel/launch"), "{}", stderr(&output));
}

#[test]
fn an_import_nobody_provides() {
    let bench = Bench::new();
    let guest = bench.guest(
        r#"(module (import "env" "launch" (func (param i32) (result i64))) (func (export "_start")))"#,
    );
    let output = bench.run(&[], &guest, &[]);
    assert_eq!(output.status.code(), Some(2));
    assert!(stderr(&output).contains("`env.launch`"), "{}", stderr(&output));
}

#[test]
fn wrong_usage() {
    let bench = Bench::new();
    let guest = bench.guest(SPIN);
    for options in [
        &["--net", "example.com"][..],
        &["--net", "10.0.0.0/40"],
        &["--timeout", "soon"],
        &["--listen", "nowhere"],
        // Nobody's address.
        &["--listen", "192.0.2.1:1"],
        &["--max-memory", "much"],
        &["--no-such-option"],
        &["--dir", "/no/such/folder"],
    ] {
        let output = bench.run(options, &guest, &[]);
        assert_eq!(output.status.code(), Some(2), "{options:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty());
    }
    for args in [&["--version"][..], &["--help"], &["run", "--help"]] {
        assert!(bench.wasio().args(args).output().unwrap().status.success(), "{args:?}");
    }
}

#[test]
fn exit_codes_are_passed_through() {
    let bench = Bench::new();
    for code in [0, 1, 77, 255] {
        let output = bench.run(&[], &bench.guest(&exiting(&format!("(i32.const {code})"))), &[]);
        assert_eq!(output.status.code(), Some(code));
    }
}

#[test]
fn a_trap_exits_134_and_shows_the_functions() {
    let bench = Bench::new();
    let guest = bench.guest(
        r#"(module
            (func $_ZN3app5inner17h0123456789abcdefE unreachable)
            (func $_start (export "_start") (call $_ZN3app5inner17h0123456789abcdefE)))"#,
    );
    let output = bench.run(&[], &guest, &[]);
    assert_eq!(output.status.code(), Some(134));
    let said = stderr(&output);
    assert!(said.contains("unreachable"), "{said}");
    let (inner, start) = (said.find("app::inner").unwrap(), said.find("_start").unwrap());
    assert!(inner < start, "{said}");
}

#[test]
fn the_command_line_is_taken_apart_in_every_order() {
    let bench = Bench::new();
    let guest = bench.guest(&printing("args"));
    let guest = guest.to_str().unwrap();
    for (line, args) in [
        (&["run", guest][..], ""),
        (&["run", guest, "a", "b"], "a\0b\0"),
        (&["run", guest, "--", "a", "--b"], "a\0--b\0"),
        (&["run", "--", guest, "a", "--b"], "a\0--b\0"),
        (&["run", "--net", "all", "--dir", ".", "--", guest, "--net", "x"], "--net\0x\0"),
        (&["run", guest, "--stats", "--timeout", "1ms"], "--stats\0--timeout\x001ms\0"),
        (&["run", "--stats", guest, "a"], "a\0"),
        (&["run", "--", guest, "--", "a"], "--\0a\0"),
        (&["run", guest, "--", "--", "a"], "--\0a\0"),
    ] {
        let output = bench.wasio().args(line).output().unwrap();
        assert_eq!(output.status.code(), Some(0), "{line:?}: {}", stderr(&output));
        assert_eq!(stdout(&output), format!("guest.wasm\0{args}"), "{line:?}");
    }
}

#[test]
fn the_environment_is_what_is_granted() {
    let bench = Bench::new();
    let guest = bench.guest(&printing("env"));
    let output = bench
        .wasio()
        .env("PASSED", "on")
        .env("SECRET", "kept")
        .args(["run", "--env", "PASSED", "--env", "SET=a=b", "--env", "ABSENT"])
        .arg(&guest)
        .output()
        .unwrap();
    assert_eq!(stdout(&output), "PASSED=on\0SET=a=b\0");
}

#[test]
fn network_is_granted_by_option_or_variable() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let guest = bench.guest(&connecting(port));

    let output =
        bench.wasio().env("WASIO_NET", "").env("WASIO_DIR", "").arg("run").arg(&guest).output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(2), "EACCES");
    let said = stderr(&output);
    let rule = said.trim().rsplit("--net ").next().unwrap();
    assert_eq!(rule, format!("127.0.0.1:{port}"));

    for rule in [rule, "all", "127.0.0.0/8", "localhost:*"] {
        let output = bench.run(&["--net", rule], &guest, &[]);
        assert_eq!(output.status.code(), Some(0), "{rule}: {}", stderr(&output));
        let output = bench
            .wasio()
            .env("WASIO_NET", format!("1.2.3.4,{rule}"))
            .arg("run")
            .arg(&guest)
            .output();
        assert_eq!(output.unwrap().status.code(), Some(0), "{rule}");
    }
}

#[test]
fn a_timeout_exits_124() {
    let bench = Bench::new();
    for guest in [SPIN, WAIT] {
        let start = Instant::now();
        let output = bench.run(&["--timeout", "200ms"], &bench.guest(guest), &[]);
        assert_eq!(output.status.code(), Some(124), "{}", stderr(&output));
        assert!(stderr(&output).contains("200ms"), "{}", stderr(&output));
        assert!(start.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn stats_are_printed_and_written() {
    let bench = Bench::new();
    let file = bench.path().join("stats.json");
    let guest = bench.guest(&printing("args"));
    let output = bench.run(&["--stats=json", "--stats-file", file.to_str().unwrap()], &guest, &[]);
    let stats: serde_json::Value = serde_json::from_str(&stderr(&output)).unwrap();
    assert_eq!(stats["host_calls"], 4);
    assert_eq!(stats["calls"]["fd_write"], 1);
    assert_eq!(stats["polls"], 0);
    assert_eq!(stats["bytes_in"], 0);
    assert!(stats["suspended_ns"].is_u64());
    assert_eq!(stats["peak_memory"], 65536, "one page");
    let written: serde_json::Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    assert_eq!(written, stats);
    let text = stderr(&bench.run(&["--stats"], &guest, &[]));
    assert!(text.contains("host calls 4") && text.contains("fd_write"), "{text}");
    assert!(text.contains("memory 64.0 KiB") && text.contains("suspended"), "{text}");
}

#[test]
fn a_closed_stdout_hurts_nobody() {
    let bench = Bench::new();
    let guest = bench.guest(&printing("args"));
    let mut child = bench
        .wasio()
        .args(["run", "--stats"])
        .arg(&guest)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut said = String::new();
    child.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    // The guest exits with what fd_write returned: an error, unless it was
    // quicker than we were.
    let code = child.wait().unwrap().code().unwrap();
    assert!([0, 29, 64].contains(&code), "{code}: {said}");
    assert!(!said.contains("panicked"), "{said}");
}

#[test]
fn stdin_reaches_the_guest() {
    let bench = Bench::new();
    let guest = bench.guest(
        r#"(module
        (import "wasi_snapshot_preview1" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "_start")
            (i32.store (i32.const 0) (i32.const 64)) (i32.store (i32.const 4) (i32.const 64))
            (drop (call $read (i32.const 0) (i32.const 0) (i32.const 1) (i32.const 4)))
            (drop (call $write (i32.const 1) (i32.const 0) (i32.const 1) (i32.const 8)))))"#,
    );
    let mut child = bench
        .wasio()
        .arg("run")
        .arg(&guest)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    std::thread::sleep(Duration::from_millis(50));
    stdin.write_all(b"typed").unwrap();
    // Left open: the end must not wait for it.
    let output = child.wait_with_output().unwrap();
    drop(stdin);
    assert_eq!(stdout(&output), "typed");
}

#[test]
fn compiled_code_is_reused() {
    let bench = Bench::new();
    let guest = bench.guest(&exiting("(i32.const 5)"));
    let cached = || std::fs::read_dir(bench.path().join("cache")).map_or(0, Iterator::count);
    assert_eq!(bench.run(&["--no-cache"], &guest, &[]).status.code(), Some(5));
    assert_eq!(cached(), 0);
    for _ in 0..2 {
        assert_eq!(bench.run(&[], &guest, &[]).status.code(), Some(5));
        assert_eq!(cached(), 1);
    }
}
