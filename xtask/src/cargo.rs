//! Cargo as a child: builds with progress, and the paths of what was built.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::workspace;

/// Cargo itself, to be run in the repository's root.
pub fn command() -> Command {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| OsString::from("cargo"));
    let mut command = Command::new(cargo);
    command.current_dir(workspace::root());
    // Set by the `cargo run` that started us; they would reach the build scripts of the child.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("CARGO_PKG_") || text.starts_with("CARGO_MANIFEST_") {
            command.env_remove(name);
        }
    }
    command
}

/// An executable that cargo built.
#[derive(Debug, Clone)]
pub struct Built {
    /// Name of the binary, example or test.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
}

/// Runs `cargo build` (or `cargo test --no-run`) as `command` says and returns the executables.
/// `progress` hears what cargo is doing.
///
/// # Errors
/// When the build fails; the error carries cargo's messages.
pub fn build(command: &mut Command, progress: &dyn Fn(&str)) -> Result<Vec<Built>> {
    command
        .arg("--message-format=json-render-diagnostics")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let line = display(command);
    let mut child = command.spawn().with_context(|| format!("start `{line}`"))?;
    let mut stdout = child.stdout.take().expect("piped above");
    let messages = std::thread::spawn(move || {
        let mut text = String::new();
        stdout.read_to_string(&mut text).map(|_| text)
    });
    let mut log = String::new();
    let stderr = BufReader::new(child.stderr.take().expect("piped above"));
    for text in stderr.lines() {
        let text = text.context("read cargo's messages")?;
        progress(text.trim());
        log.push_str(&text);
        log.push('\n');
    }
    let status = child.wait()?;
    let messages = messages.join().expect("the reader does not panic")?;
    if !status.success() {
        bail!("`{line}` failed ({status})\n{}", log.trim_end());
    }
    Ok(messages.lines().filter_map(executable).collect())
}

/// The executable that one of cargo's JSON messages reports, if it does.
fn executable(message: &str) -> Option<Built> {
    let message: serde_json::Value = serde_json::from_str(message).ok()?;
    let path = PathBuf::from(message.get("executable")?.as_str()?);
    let name = message.get("target")?.get("name")?.as_str()?.to_owned();
    Some(Built { name, path })
}

/// The path of the executable `name` among those built.
///
/// # Errors
/// When it was not built.
pub fn find<'a>(built: &'a [Built], name: &str) -> Result<&'a Path> {
    match built.iter().find(|b| b.name == name) {
        Some(found) => Ok(&found.path),
        None => bail!("cargo built no executable named `{name}`"),
    }
}

/// The command as one would type it.
pub fn display(command: &Command) -> String {
    let program = Path::new(command.get_program()).file_name().unwrap_or_default();
    std::iter::once(program)
        .chain(command.get_args())
        .map(|word| word.to_string_lossy())
        .filter(|word| !word.starts_with("--message-format"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// Adds what is missing of `targets` to the toolchain.
///
/// # Errors
/// When a target is missing and cannot be added; the error says how to get it otherwise.
pub fn ensure_targets(targets: &[&str]) -> Result<String> {
    let missing: Vec<_> = targets.iter().filter(|target| !has_target(target)).collect();
    if missing.is_empty() {
        return Ok("already there".to_owned());
    }
    let added = Command::new("rustup")
        .args(["target", "add"])
        .args(&missing)
        .current_dir(workspace::root())
        .output();
    match added {
        Ok(output) if output.status.success() => Ok(format!("added {missing:?}")),
        Ok(output) => bail!(
            "`rustup target add` failed for {missing:?}:\n{}\n{WAY_OUT}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        ),
        Err(e) => bail!("targets {missing:?} are missing and rustup cannot be run: {e}\n{WAY_OUT}"),
    }
}

const WAY_OUT: &str = "\
Without rustup's servers, Debian's packages rustc-web, cargo-web, rust-web-src, wasi-libc,
libclang-rt-dev-wasm32 and lld build wasm32-wasip1: RUSTC_BOOTSTRAP=1, cargo's
-Zbuild-std=std,panic_abort, `-Clinker=wasm-ld -Clink-self-contained=no`, and crt1-command.o,
libc.a (/usr/lib/wasm32-wasi) and the builtins archive as link arguments.";

/// Whether the toolchain in use has the standard library for `target`.
pub fn has_target(target: &str) -> bool {
    let printed = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", target])
        .current_dir(workspace::root())
        .output();
    match printed {
        Ok(output) if output.status.success() => {
            Path::new(String::from_utf8_lossy(&output.stdout).trim()).is_dir()
        }
        _ => false,
    }
}
