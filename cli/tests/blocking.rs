//! Guests in blocking style (`examples/blocking`: Rust for both WASIs, and C) under `wasio run`, and side by side on one
//! thread, where a guest that held it while it waits for the other would wait for ever.
//!
//! Those in C are skipped, and say so, where clang has no C library for WASI (`ci/packages.sh`).

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use libtest_mimic::{Arguments, Failed, Trial};
use tokio::io::AsyncWriteExt as _;
use wasio_host::pipe::MemoryOutputPipe;
use wasio_host::stdio::AsyncStdinStream;
use wasio_host::{Engine, Guest, Policy, Program};

/// No conversation takes longer.
const LIMIT: Duration = Duration::from_secs(60);
const LINES: [&str; 3] = ["one\n", "two words\n", "bye\n"];
const ANSWERS: &str = "ONE\nTWO WORDS\nBYE\n";

/// The same program three times.
#[derive(Clone, Copy, PartialEq)]
enum Talk {
    Wasip1,
    Wasip2,
    C,
}

impl Talk {
    const ALL: [Talk; 3] = [Talk::Wasip1, Talk::Wasip2, Talk::C];

    fn name(self) -> &'static str {
        match self {
            Talk::Wasip1 => "wasip1",
            Talk::Wasip2 => "wasip2",
            Talk::C => "c",
        }
    }

    fn file(self) -> PathBuf {
        match self {
            Talk::C => Path::new(env!("CARGO_TARGET_TMPDIR")).join("talk-c.wasm"),
            _ => guests().join(format!("wasm32-{}/release/talk.wasm", self.name())),
        }
    }

    /// Compiled once.
    fn program(self) -> &'static Program {
        static ENGINE: OnceLock<Engine> = OnceLock::new();
        static PROGRAMS: [OnceLock<Program>; 3] = [const { OnceLock::new() }; 3];
        let engine = ENGINE.get_or_init(|| Engine::builder().no_cache().build().unwrap());
        PROGRAMS[self as usize].get_or_init(|| Program::from_file(engine, self.file()).unwrap())
    }

    /// Its arguments: the one in C takes host and port apart.
    fn args(self, role: &str, host: &str, port: u16) -> Vec<String> {
        match self {
            Talk::C => vec![role.to_owned(), host.to_owned(), port.to_string()],
            _ => vec![role.to_owned(), format!("{host}:{port}")],
        }
    }
}

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let mut with_c = true;
    if !arguments.list {
        build_rust();
        with_c = build_c();
    }
    let mut trials = Vec::new();
    for server in Talk::ALL {
        let run = move || wasio_run(server);
        let skip = server == Talk::C && !with_c;
        let name = format!("{}_under_wasio_run", server.name());
        trials.push(Trial::test(name, run).with_ignored_flag(skip));
        for client in Talk::ALL {
            let run = move || one_thread(server, client);
            let skip = (server == Talk::C || client == Talk::C) && !with_c;
            let name = format!("{}_and_{}_on_one_thread", server.name(), client.name());
            trials.push(Trial::test(name, run).with_ignored_flag(skip));
        }
    }
    libtest_mimic::run(&arguments, trials).exit_code()
}

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/blocking")
}

/// Where other guests are built too.
fn guests() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("../guests")
}

fn build_rust() {
    let mut command = Command::new(env!("CARGO"));
    command.args(["build", "--quiet", "--release", "--target-dir"]).arg(guests());
    command.args(["--target=wasm32-wasip1", "--target=wasm32-wasip2"]).current_dir(example());
    assert!(command.status().unwrap().success(), "the guests do not build");
}

/// Whether there is what it takes.
fn build_c() -> bool {
    let compile = |file: &Path, to: &Path| {
        let mut clang = Command::new("clang");
        clang.args(["--target=wasm32-wasi", "-O2", "-Wall", "-Wextra", "-Werror", "-o"]);
        clang.arg(to).arg(file).output()
    };
    let folder = tempfile::tempdir().unwrap();
    let probe = folder.path().join("probe.c");
    std::fs::write(&probe, "#include <stdio.h>\nint main(void) { return puts(\"\"); }\n").unwrap();
    if !compile(&probe, &folder.path().join("probe")).is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: guests in C: no clang with a C library for WASI (ci/packages.sh)");
        return false;
    }
    let output = compile(&example().join("talk.c"), &Talk::C.file()).unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    true
}

/// Two processes, and somebody who types.
fn wasio_run(talk: Talk) -> Result<(), Failed> {
    let start = |args: Vec<String>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_wasio"));
        command.args(["run", "--net", "all", "--timeout", "60s"]).arg(talk.file());
        command.env("WASIO_CACHE_DIR", Path::new(env!("CARGO_TARGET_TMPDIR")).join("talk-cache"));
        command.args(args);
        Ended(command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap())
    };
    let mut server = start(talk.args("serve", "127.0.0.1", 0));
    let mut said = String::new();
    BufReader::new(server.0.stdout.take().unwrap()).read_line(&mut said)?;
    let mut client = start(talk.args("ask", "localhost", port(&said)));
    let mut stdin = client.0.stdin.take().unwrap();
    let mut stdout = BufReader::new(client.0.stdout.take().unwrap());
    let mut answers = String::new();
    for line in LINES {
        std::thread::sleep(Duration::from_millis(20));
        stdin.write_all(line.as_bytes())?;
        // Each answer comes while the input is still open.
        stdout.read_line(&mut answers)?;
    }
    drop(stdin);
    stdout.read_to_string(&mut answers)?;
    assert_eq!(answers, ANSWERS);
    assert!(client.0.wait()?.success() && server.0.wait()?.success());
    Ok(())
}

/// Not left behind by a test that fails.
struct Ended(Child);

impl Drop for Ended {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// The port in `listening on port N`.
fn port(said: &str) -> u16 {
    said.trim().rsplit(' ').next().and_then(|n| n.parse().ok()).unwrap_or_else(|| panic!("{said}"))
}

fn one_thread(server: Talk, client: Talk) -> Result<(), Failed> {
    let guest = |talk: Talk| {
        let guest = Guest::builder(talk.program()).arg("talk").network(Policy::all());
        guest.timeout(LIMIT).stderr(std::io::stderr())
    };
    let (said, answers) = (MemoryOutputPipe::new(1 << 12), MemoryOutputPipe::new(1 << 12));
    let (input, mut keyboard) = tokio::io::simplex(64);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let server = guest(server).args(server.args("serve", "127.0.0.1", 0)).stdout(said.clone());
        let server = tokio::spawn(server.build()?.run());
        while !said.contents().ends_with(b"\n") {
            assert!(!server.is_finished(), "the server ended");
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let port = port(std::str::from_utf8(&said.contents())?);
        let guest = guest(client).args(client.args("ask", "localhost", port));
        let guest = guest.stdin(AsyncStdinStream::new(input)).stdout(answers.clone()).build()?;
        let stats = guest.stats();
        let client = tokio::spawn(guest.run());
        for line in LINES {
            tokio::time::sleep(Duration::from_millis(5)).await;
            keyboard.write_all(line.as_bytes()).await?;
        }
        keyboard.shutdown().await?;
        assert_eq!((client.await??.code(), server.await??.code()), (0, 0));
        assert_eq!(answers.contents(), ANSWERS);
        // It waited for the input and for thoughtful answers, off its stack.
        let suspended = stats.snapshot().suspended;
        assert!(suspended >= Duration::from_millis(30), "suspended for {suspended:?}");
        Ok(())
    })
}
