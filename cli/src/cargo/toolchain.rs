//! The user's cargo, and how it is told to keep its lock elsewhere.
//!
//! # Why a private lock
//!
//! A patch changes the choices of the resolver, and cargo writes them to Cargo.lock. The project's lock must stay byte
//! for byte as it is, so every call of cargo here works on a private one. Three ways were considered:
//!
//! - *Save the lock, let cargo change it, restore it.* It is wrong while cargo runs, an editor's rust-analyzer sees it,
//!   and after a kill or a power cut the user has to repair it.
//! - *Build in a mirror made of links.* Relative path dependencies, members outside the folder, `include_str!` and
//!   `.cargo/config.toml` all see other paths than in a native build.
//! - *Tell cargo where the lock is.* The project's own is never opened for writing, whatever happens to the process.
//!   This way was chosen.
//!
//! The key `resolver.lockfile-path` is stable since cargo 1.97. Older versions have the same code behind an unstable
//! flag, which stable releases accept when `RUSTC_BOOTSTRAP` is set. It is set for cargo alone: `[env]` unsets it for
//! the compiler, build scripts and runners, so that no crate takes this for a nightly compiler.

use std::ffi::{OsStr, OsString};
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};
use semver::Version;

use super::metadata::Metadata;
use super::shell::Shell;

/// The oldest Rust with the edition and library that the drop-ins need.
const OLDEST: Version = Version::new(1, 85, 0);

/// The cargo that called this command, or the one on the PATH.
#[derive(Clone, Debug)]
pub(crate) struct Cargo {
    program: OsString,
    version: Version,
    /// The folder in which it is started. `None` means the current one.
    folder: Option<PathBuf>,
    /// The user's flags for every call: `--config`, `-Z`, `--color`.
    flags: Vec<OsString>,
}

/// The way to tell a given cargo where its lock is.
#[derive(Debug, Default, PartialEq)]
struct LockFlags {
    before: Vec<String>,
    behind: Vec<String>,
    bootstrap: bool,
}

impl Cargo {
    pub(crate) fn find() -> Result<Self> {
        let program = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let output = Command::new(&program)
            .arg("-V")
            .output()
            .with_context(|| format!("cannot start {}", program.to_string_lossy()))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let version = text.split_whitespace().nth(1).and_then(|word| Version::parse(word).ok());
        let Some(version) = version else {
            bail!("`{} -V` does not answer with a version", program.to_string_lossy());
        };
        if (version.major, version.minor) < (OLDEST.major, OLDEST.minor) {
            bail!(
                "cargo {version} is too old: wasio needs Rust {OLDEST} or newer.\n\
                 Run `rustup update`, or choose a newer toolchain: `cargo +stable wasio …`"
            );
        }
        Ok(Cargo { program, version, folder: None, flags: Vec::new() })
    }

    /// Returns the same cargo with `flags` in each call.
    ///
    /// They go before the subcommand, together with this command's own: if a `--config` or `-Z` follows the subcommand,
    /// cargo ignores those before it.
    pub(crate) fn with_flags(&self, flags: &[OsString]) -> Self {
        let whole = |flag: &OsString| {
            let (name, value) = match flag.to_str().and_then(|flag| flag.strip_prefix("--config="))
            {
                Some(value) => ("--config=", OsStr::new(value)),
                None => ("", flag.as_os_str()),
            };
            // The path is made absolute, because cargo may be started in another folder.
            match Path::new(value).is_file().then(|| std::path::absolute(value)) {
                Some(Ok(path)) => [OsStr::new(name), path.as_os_str()].into_iter().collect(),
                _ => flag.clone(),
            }
        };
        Cargo { flags: flags.iter().map(whole).collect(), ..self.clone() }
    }

    /// Returns the same cargo, started in `folder`, on which its configuration depends.
    pub(crate) fn at(&self, folder: &Path) -> Self {
        Cargo { folder: Some(folder.to_owned()), ..self.clone() }
    }

    pub(crate) fn version(&self) -> &Version {
        &self.version
    }

    /// Returns a call of cargo with the user's flags.
    pub(crate) fn plain(&self) -> Command {
        let mut command = Command::new(&self.program);
        if let Some(folder) = &self.folder {
            command.current_dir(folder);
        }
        command.args(&self.flags);
        command
    }

    /// Returns the call that prints cargo's whole configuration, each value with its origin.
    pub(crate) fn config(&self) -> Command {
        let mut command = self.plain();
        command.env("RUSTC_BOOTSTRAP", "1").args([
            "-Zunstable-options",
            "config",
            "get",
            "--show-origin",
        ]);
        command
    }

    /// Returns `cargo SUBCOMMAND` with its lock at `lock`. `config` holds values for `--config`.
    pub(crate) fn with_lock(
        &self,
        lock: &Path,
        config: &[String],
        subcommand: &str,
    ) -> Result<Command> {
        let flags = self.lock_flags(utf8(lock)?);
        let mut command = self.plain();
        if flags.bootstrap {
            let user = std::env::var("RUSTC_BOOTSTRAP").unwrap_or_else(|_| "-1".to_owned());
            command.env("RUSTC_BOOTSTRAP", "1");
            command.arg("--config").arg(format!("env.RUSTC_BOOTSTRAP.value={}", toml_text(&user)));
            command.arg("--config").arg("env.RUSTC_BOOTSTRAP.force=true");
        }
        command.args(&flags.before);
        for value in config {
            command.arg("--config").arg(value);
        }
        command.arg(subcommand).args(&flags.behind);
        Ok(command)
    }

    fn lock_flags(&self, lock: &str) -> LockFlags {
        let stable = self.version.pre.is_empty() || self.version.pre.starts_with("beta");
        let text = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        let key = format!("resolver.lockfile-path={}", toml_text(lock));
        match self.version.minor {
            minor if self.version.major > 1 || minor >= 97 => {
                LockFlags { before: text(&["--config", &key]), ..LockFlags::default() }
            }
            95 | 96 => LockFlags {
                before: text(&["-Zlockfile-path", "--config", &key]),
                behind: Vec::new(),
                bootstrap: stable,
            },
            _ => LockFlags {
                before: text(&["-Zunstable-options"]),
                behind: text(&["--lockfile-path", lock]),
                bootstrap: stable,
            },
        }
    }
}

/// The output of a call of cargo that failed.
#[derive(Debug)]
pub(crate) struct Failure(pub(crate) String);

/// Runs `cargo metadata` (or another command with short output) and passes on the useful part of stderr: messages about
/// resolving a private lock are not useful, and an unused patch is explained better elsewhere.
pub(crate) fn metadata(mut command: Command, shell: &Shell, verbose: bool) -> Result<Metadata> {
    command.args(["--format-version", "1"]);
    match captured(command, shell, verbose)? {
        Ok(json) => serde_json::from_slice(&json).context("cargo metadata's answer"),
        Err(Failure(why)) => bail!("{}", why.trim_start_matches("error: ").trim_end()),
    }
}

/// Runs `command`. Returns its stdout, or its error message.
pub(crate) fn captured(
    mut command: Command,
    shell: &Shell,
    verbose: bool,
) -> Result<std::result::Result<Vec<u8>, Failure>> {
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start cargo")?;
    let stderr = child.stderr.take().context("cargo's stderr")?;
    let shell = *shell;
    let reader = std::thread::spawn(move || listen(stderr, &shell, verbose));
    let mut json = Vec::new();
    child.stdout.take().context("cargo's stdout")?.read_to_end(&mut json)?;
    let status = child.wait()?;
    let complaint = reader.join().unwrap_or_default();
    Ok(if status.success() { Ok(json) } else { Err(Failure(complaint)) })
}

/// Passes on the useful lines of cargo's stderr and collects its error.
fn listen(stderr: impl Read, shell: &Shell, verbose: bool) -> String {
    let mut complaint = String::new();
    let mut about_patch = false;
    for line in BufReader::new(stderr).lines().map_while(Result::ok) {
        let bare = uncoloured(&line);
        if !complaint.is_empty() || bare.starts_with("error") {
            complaint.push_str(&bare);
            complaint.push('\n');
            continue;
        }
        if bare.starts_with("warning") || bare.starts_with("note") {
            let bare = bare.to_lowercase();
            about_patch = bare.contains("patch") && bare.contains("was not used");
        }
        about_patch &= !bare.is_empty();
        let (word, rest) = bare.trim_start().split_once(' ').unwrap_or((&bare, ""));
        match word {
            _ if verbose && !about_patch => eprintln!("{line}"),
            "Downloading" | "Downloaded" | "Blocking" => shell.status(word, rest),
            "Updating" if rest.ends_with("index") => shell.status(word, rest),
            "warning:" if !about_patch => shell.warning(rest),
            _ => {}
        }
    }
    complaint
}

fn uncoloured(line: &str) -> String {
    let mut bare = String::with_capacity(line.len());
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        if c == '\x1b' {
            chars.by_ref().find(char::is_ascii_alphabetic);
        } else {
            bare.push(c);
        }
    }
    bare
}

/// Returns `text` as a basic string of TOML.
pub(crate) fn toml_text(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

/// Returns a path as UTF-8, which cargo's configuration requires.
pub(crate) fn utf8(path: &Path) -> Result<&str> {
    path.to_str().with_context(|| format!("the path {} is not UTF-8", path.display()))
}

/// Makes sure that the toolchain has the standard library for `target`. Installs it through rustup if possible.
pub(crate) fn ensure_target(target: &str, offline: bool, shell: &Shell) -> Result<()> {
    if target_installed(target)? {
        return Ok(());
    }
    let command = format!("rustup target add {target}");
    if offline {
        bail!(
            "the Rust target {target} is not installed, and --offline was given.\n\
             Run `{command}` when there is a network."
        );
    }
    shell.status("Installing", format_args!("the Rust target {target} ({command})"));
    let status =
        Command::new("rustup").args(["target", "add", target]).stdin(Stdio::null()).status();
    match status {
        Ok(status) if status.success() && target_installed(target)? => Ok(()),
        Ok(_) => bail!("`{command}` did not install the Rust target {target}: see above"),
        Err(e) => bail!(
            "the Rust target {target} is not installed, and rustup was not found ({e}).\n\
             If Rust came with your system, install its package of that target's standard \
             library; otherwise get rustup from https://rustup.rs and run `{command}`."
        ),
    }
}

/// Returns whether the compiler in use has `target`'s standard library.
pub(crate) fn target_installed(target: &str) -> Result<bool> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc)
        .args(["--print", "target-libdir", "--target", target])
        .output()
        .with_context(|| format!("cannot start {}", rustc.to_string_lossy()))?;
    let folder = String::from_utf8_lossy(&output.stdout).trim().to_owned();
    if !output.status.success() || folder.is_empty() {
        bail!("{} does not know the target {target}", rustc.to_string_lossy());
    }
    let is_core = |name: &OsStr| name.to_string_lossy().starts_with("libstd-");
    Ok(std::fs::read_dir(folder)
        .is_ok_and(|found| found.flatten().any(|entry| is_core(&entry.file_name()))))
}

/// Returns the platform of the compiler in use, where build scripts run.
pub(crate) fn host() -> Result<String> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = Command::new(&rustc).arg("-vV").output();
    let output = output.with_context(|| format!("cannot start {}", rustc.to_string_lossy()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    Ok(host.with_context(|| format!("`{} -vV` names no host", rustc.to_string_lossy()))?.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(version: &str) -> LockFlags {
        let version = Version::parse(version).unwrap();
        Cargo { program: "cargo".into(), version, folder: None, flags: Vec::new() }
            .lock_flags("/a b/Cargo.lock")
    }

    #[test]
    fn every_cargo_gets_its_spelling() {
        let key = "resolver.lockfile-path=\"/a b/Cargo.lock\"";
        assert_eq!(flags("1.97.0").before, ["--config", key]);
        assert!(!flags("1.97.0").bootstrap);
        assert_eq!(flags("1.95.0").before, ["-Zlockfile-path", "--config", key]);
        assert!(flags("1.95.0").bootstrap && flags("1.96.0-beta.2").bootstrap);
        assert!(!flags("1.96.0-nightly").bootstrap);
        assert_eq!(flags("1.85.1").behind, ["--lockfile-path", "/a b/Cargo.lock"]);
    }

    #[test]
    fn text_is_quoted_for_toml() {
        assert_eq!(toml_text(r#"C:\a "b""#), r#""C:\\a \"b\"""#);
    }

    #[test]
    fn an_unused_patch_is_not_news() {
        let shell = Shell::new(true, None);
        let text = "warning: patch `tokio v1.999.0` was not used in the crate graph\n\
                    help: Check\n\u{1b}[1merror\u{1b}[0m: no such thing\n\nCaused by: x\n";
        let complaint = listen(text.as_bytes(), &shell, false);
        assert_eq!(complaint, "error: no such thing\n\nCaused by: x\n");
    }
}
