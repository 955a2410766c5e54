//! Sample projects for the tests of `cargo wasio`, and the command itself with
//! nothing of the caller's environment that would change its answers.
//!
//! All projects share one cache and one target folder (in this package's own),
//! so that the drop-ins are compiled once. Unless a test says otherwise, guests
//! are "run" by a script that prints what it was given.
#![allow(dead_code, unreachable_pub)]

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// No call takes longer, on the slowest machine.
const LIMIT: Duration = Duration::from_secs(480);

/// A tokio program in a few lines.
pub const HELLO: &str = "\
#[tokio::main]
async fn main() {
    let answer = tokio::spawn(async { 42 }).await.unwrap();
    println!(\"answer {answer}\");
}
";

/// A folder with a project in it.
pub struct Project {
    folder: tempfile::TempDir,
}

/// How a command ended.
pub struct Output {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Project {
    /// A package `name` with `dependencies` (lines of TOML) and `main.rs`.
    pub fn new(name: &str, dependencies: &str, main: &str) -> Self {
        let project = Project::empty();
        project.package(".", name, dependencies, "src/main.rs", main);
        project
    }

    /// An empty folder whose path has a space.
    pub fn empty() -> Self {
        let folder = tempfile::Builder::new().prefix("wasio sample ").tempdir();
        Project { folder: folder.unwrap() }
    }

    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Adds a package in the folder `at`.
    pub fn package(&self, at: &str, name: &str, dependencies: &str, file: &str, code: &str) {
        let manifest = format!(
            "[package]\nname = \"{name}\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n\
             [dependencies]\n{dependencies}\n"
        );
        self.write(&format!("{at}/Cargo.toml"), &manifest);
        self.write(&format!("{at}/{file}"), code);
    }

    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.path().join(name)).ok()
    }

    /// The private lock, found where the documentation says it is.
    pub fn private_lock(&self, target: &Path) -> String {
        let name = self.path().file_name().unwrap().to_str().unwrap().replace(' ', "");
        let start = format!("{name}-");
        let mut found = fs::read_dir(target.join("wasio/locks")).unwrap().flatten();
        let folder = found.find(|entry| entry.file_name().to_string_lossy().starts_with(&start));
        fs::read_to_string(folder.unwrap().path().join("Cargo.lock")).unwrap()
    }

    /// `cargo wasio ARGS` in this project.
    pub fn wasio(&self, args: &[&str]) -> Output {
        finish(self.command().args(args))
    }

    /// `cargo ARGS` in this project: a native build.
    pub fn cargo(&self, args: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO"));
        clean(&mut command);
        finish(command.current_dir(self.path()).args(args))
    }

    /// `cargo wasio`, to be given more.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_cargo-wasio"));
        clean(&mut command);
        command.arg("wasio").current_dir(self.path());
        command
    }
}

/// What the tests keep between runs.
pub fn shared(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("cargo-wasio").join(name)
}

/// The target folder of all samples.
pub fn target() -> PathBuf {
    shared("target")
}

fn clean(command: &mut Command) {
    for (name, _) in std::env::vars() {
        let kept = ["CARGO_HOME", "CARGO_HTTP_CAINFO"];
        let ours = name.starts_with("CARGO") || name.starts_with("WASIO_") || name == "RUSTFLAGS";
        if ours && !kept.contains(&name.as_str()) {
            command.env_remove(name);
        }
    }
    command
        .env("CARGO", env!("CARGO"))
        .env("CARGO_TARGET_DIR", target())
        .env("WASIO_CACHE", shared("cache"))
        .env("WASIO_BIN", printing_runner())
        .env("CARGO_TERM_COLOR", "never");
}

/// A runner that prints its arguments, one a line.
fn printing_runner() -> PathBuf {
    let path = shared("printing-runner");
    if !path.exists() {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let fresh = tempfile::NamedTempFile::new_in(path.parent().unwrap()).unwrap();
        fs::write(&fresh, "#!/bin/sh\nprintf '%s\\n' \"$@\"\n").unwrap();
        fs::set_permissions(&fresh, PermissionsExt::from_mode(0o755)).unwrap();
        // Closed before it is run: a file open for writing cannot be.
        let (file, fresh) = fresh.keep().unwrap();
        drop(file);
        fs::rename(fresh, &path).unwrap();
    }
    path
}

/// Runs a command to its end, or fails the test.
pub fn finish(command: &mut Command) -> Output {
    let out = tempfile::NamedTempFile::new().unwrap();
    let err = tempfile::NamedTempFile::new().unwrap();
    command.stdin(Stdio::null());
    command.stdout(out.reopen().unwrap()).stderr(err.reopen().unwrap());
    // In a group of its own, to be ended with all it started.
    let mut child = command.process_group(0).spawn().unwrap();
    let end = Instant::now() + LIMIT;
    let status = loop {
        match child.try_wait().unwrap() {
            Some(status) => break Some(status),
            None if Instant::now() > end => break None,
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    if status.is_none() {
        kill_group(child.id(), "KILL");
        let _ = child.wait();
    }
    let read = |file: &tempfile::NamedTempFile| {
        String::from_utf8_lossy(&fs::read(file.path()).unwrap()).into_owned()
    };
    let (stdout, stderr) = (read(&out), read(&err));
    let Some(status) = status else { panic!("not done within {LIMIT:?}:\n{stdout}\n{stderr}") };
    Output { code: status.code(), stdout, stderr }
}

/// Sends a signal to a process group that this test started.
pub fn kill_group(id: u32, signal: &str) {
    let group = format!("-{id}");
    Command::new("kill").args(["-s", signal, "--", &group]).status().unwrap();
}

impl Output {
    /// Fails the test unless the command succeeded.
    #[track_caller]
    pub fn ok(self) -> Self {
        assert_eq!(self.code, Some(0), "{}\n{}", self.stdout, self.stderr);
        self
    }

    /// Fails the test unless the command failed with `code`, saying `text`.
    #[track_caller]
    pub fn fails_with(self, code: i32, text: &str) -> Self {
        assert_eq!(self.code, Some(code), "{}\n{}", self.stdout, self.stderr);
        self.says(text)
    }

    /// Fails the test unless stderr has `text`.
    #[track_caller]
    pub fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "no {text:?} in:\n{}", self.stderr);
        self
    }
}
