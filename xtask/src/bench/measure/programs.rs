//! The programs that are measured. They are built on first use, and copied.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};
use xtask::targets::Target;
use xtask::{cargo, guests, workspace};

/// The first Rust whose standard library lets tokio 1.54 accept connections on WASI 0.2: with 1.95 `accept`
/// panics with EINVAL.
const ACCEPTING: &str = "1.97";

/// A program of one of the workspaces in `benches/`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Program {
    /// The workspace, which selects the runtime.
    pub(crate) folder: &'static str,
    /// The name without the prefix `bench-`.
    pub(crate) bin: &'static str,
    /// The target. `None` is this machine.
    pub(crate) target: Option<Target>,
    pub(crate) feature: Option<&'static str>,
    /// Whether it is the published tokio with sockets for WASI, which takes `--cfg tokio_unstable`.
    pub(crate) unstable: bool,
}

impl Program {
    pub(crate) const fn native(folder: &'static str, bin: &'static str) -> Program {
        Program { folder, bin, target: None, feature: None, unstable: false }
    }

    pub(crate) const fn wasip1(folder: &'static str, bin: &'static str) -> Program {
        Program { target: Some(Target::P1), ..Program::native(folder, bin) }
    }

    pub(crate) const fn wasip2(folder: &'static str, bin: &'static str) -> Program {
        Program { target: Some(Target::P2), ..Program::native(folder, bin) }
    }

    pub(crate) const fn with(self, feature: &'static str) -> Program {
        Program { feature: Some(feature), ..self }
    }

    pub(crate) const fn unstable(self) -> Program {
        Program { unstable: true, ..self }
    }

    /// Returns whether the program spins while it has a connection.
    pub(crate) fn is_restless(&self) -> bool {
        self.feature == Some("given")
    }

    fn build(&self, progress: &dyn Fn(&str)) -> Result<PathBuf> {
        let bin = match self.bin {
            "load" => "load".to_owned(),
            bin => format!("bench-{bin}"),
        };
        let mut args = vec!["--bin", &bin];
        if let Some(feature) = self.feature {
            args.extend(["--features", feature]);
        }
        let folder = workspace::root().join("benches").join(self.folder);
        let built = if self.unstable {
            let mut command = newer_cargo(progress)?;
            command.arg("build").arg("--release").args(args).current_dir(folder);
            command.args(["--config", "build.rustflags=['--cfg', 'tokio_unstable']"]);
            // A folder of its own, because flags and compiler differ.
            command.arg("--target-dir").arg(workspace::guest_target_dir().join("unstable"));
            command.args(self.target.into_iter().flat_map(|target| ["--target", target.triple()]));
            cargo::build(&mut command, progress)?
        } else {
            guests::build(&folder, self.target.map(Target::triple), &args, progress)?
        };
        self.keep(cargo::find(&built, &bin)?)
    }

    /// The workspaces share a build folder and their programs have the same names, so each is copied when it is built.
    fn keep(&self, built: &Path) -> Result<PathBuf> {
        let extension = if self.target.is_some() { ".wasm" } else { "" };
        let target = self.target.map_or("native", Target::triple);
        let feature = self.feature.unwrap_or("plain");
        let name = format!("{}-{}-{feature}-{target}{extension}", self.bin, self.folder);
        let kept = workspace::scratch("bench")?.join(name);
        std::fs::copy(built, &kept)?;
        Ok(kept)
    }
}

/// The programs built so far.
#[derive(Debug, Default)]
pub(crate) struct Programs(BTreeMap<Program, PathBuf>);

impl Programs {
    /// Returns the program. Builds it on first use.
    pub(crate) fn get(&mut self, program: Program, progress: &dyn Fn(&str)) -> Result<PathBuf> {
        if let Some(path) = self.0.get(&program) {
            return Ok(path.clone());
        }
        let what = || format!("build benches/{}: {}", program.folder, program.bin);
        let path = program.build(progress).with_context(what)?;
        self.0.insert(program, path.clone());
        Ok(path)
    }
}

/// A cargo with a new enough standard library. rustup installs it if the one in use is too old.
fn newer_cargo(progress: &dyn Fn(&str)) -> Result<Command> {
    let version = Command::new("rustc").arg("--version").current_dir(workspace::root()).output();
    let version = String::from_utf8_lossy(&version.context("run rustc")?.stdout).into_owned();
    if minor(&version) >= minor(ACCEPTING) {
        return Ok(cargo::command());
    }
    progress(&format!("install Rust {ACCEPTING}"));
    let mut install = Command::new("rustup");
    install.args(["toolchain", "install", ACCEPTING, "--profile", "minimal"]);
    let targets = Target::ALL.iter().flat_map(|target| ["--target", target.triple()]);
    let output = install.args(targets).output();
    match output {
        Ok(output) if output.status.success() => {}
        Ok(output) => bail!(
            "the published tokio needs Rust {ACCEPTING} to accept connections on WASI 0.2:\n{}",
            String::from_utf8_lossy(&output.stderr).trim_end()
        ),
        Err(e) => bail!("the published tokio needs Rust {ACCEPTING} on WASI 0.2, and rustup: {e}"),
    }
    // These two select the toolchain that runs this program.
    let mut command = Command::new("rustup");
    command.args(["run", ACCEPTING, "cargo"]);
    command.env_remove("CARGO").env_remove("RUSTUP_TOOLCHAIN");
    Ok(command)
}

/// The second number of the first version in a text.
fn minor(text: &str) -> u32 {
    let version = text.split(' ').find(|word| word.starts_with(|c: char| c.is_ascii_digit()));
    version.and_then(|version| version.split('.').nth(1)?.parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::{ACCEPTING, minor};

    #[test]
    fn versions() {
        assert_eq!(minor("rustc 1.95.0 (59807616e 2026-04-14)"), 95);
        assert_eq!(minor(ACCEPTING), 97);
        assert_eq!(minor("nothing"), 0);
    }
}
