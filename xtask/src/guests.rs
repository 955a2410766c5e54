//! Builds the programs that run as guests: the examples, the tests' guests, published crates.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail};

use crate::cargo::{self, Built};
use crate::targets::Target;
use crate::{clang, workspace};

/// The version of mini-redis that the demo and the tests run.
pub const MINI_REDIS: &str = "0.4.1";

/// The tokio that a program is built with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tokio {
    /// This repository's, through `[patch]`.
    Ours,
    /// The published one.
    Upstream,
}

/// Builds every program of `examples/` for `target` (`None`: this machine).
///
/// # Errors
/// When the build fails.
pub fn examples(target: Option<&str>, progress: &dyn Fn(&str)) -> Result<Vec<Built>> {
    build(&workspace::root().join("examples"), target, &["--bins"], progress)
}

/// Builds every program of `tests/guests/` for `target` (`None`: this machine).
///
/// # Errors
/// When the build fails.
pub fn of_tests(target: Option<&str>, progress: &dyn Fn(&str)) -> Result<Vec<Built>> {
    build(&workspace::root().join("tests/guests"), target, &["--bins"], progress)
}

/// Builds every program of `examples/crates/` and its neighbours for `target`: many crates, so it takes minutes.
/// Programs with C code are left out if no compiler for it is installed.
///
/// # Errors
/// When the build fails.
pub fn crates(target: Option<&str>, progress: &dyn Fn(&str)) -> Result<Vec<Built>> {
    let build = |folder: &str, args: &[&str]| {
        build(&workspace::root().join("examples").join(folder), target, args, progress)
    };
    let mut built = build("crates", &["--bins"])?;
    let tls: &[&str] = &["--bins", "--features", "ring"];
    built.extend(build("tls", if clang::compiles_wasm() { tls } else { &tls[..1] })?);
    // Its other program is for wasip1 alone.
    let sql: &[&str] =
        if target == Some(Target::P2.triple()) { &["--bin", "sqlx"] } else { &["--bins"] };
    built.extend(build("sql", sql)?);
    Ok(built)
}

/// Builds mini-redis' own binaries, from the package as it is published.
///
/// # Errors
/// When the package cannot be had or the build fails.
pub fn mini_redis(
    target: Option<&str>,
    tokio: Tokio,
    progress: &dyn Fn(&str),
) -> Result<Vec<Built>> {
    let folder = match tokio {
        Tokio::Ours => "ours",
        Tokio::Upstream => "upstream",
    };
    let source = published("mini-redis", MINI_REDIS, folder)?;
    let bins = ["--bin", "mini-redis-server", "--bin", "mini-redis-cli"];
    let patch = format!(
        "patch.crates-io.tokio.path={:?}",
        workspace::root().join("drop-in/tokio").display().to_string()
    );
    match tokio {
        Tokio::Ours => {
            build(&source, target, &[&bins[..], &["--config", &patch]].concat(), progress)
        }
        Tokio::Upstream => build(&source, target, &bins, progress),
    }
}

/// `cargo build --release` in a guest workspace, with `args` added.
///
/// # Errors
/// When the build fails.
pub fn build(
    folder: &Path,
    target: Option<&str>,
    args: &[&str],
    progress: &dyn Fn(&str),
) -> Result<Vec<Built>> {
    let mut command = cargo::command();
    command.arg("build").arg("--release").args(args).current_dir(folder);
    command.arg("--target-dir").arg(workspace::guest_target_dir());
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    cargo::build(&mut command, progress)
}

/// A copy of a published package's source, without the Cargo.lock it ships: that would pin a
/// tokio older than any patch.
fn published(name: &str, version: &str, purpose: &str) -> Result<PathBuf> {
    let copy = workspace::scratch("published")?.join(format!("{name}-{version}-{purpose}"));
    if copy.join("Cargo.toml").exists() {
        return Ok(copy);
    }
    let original = fetch(name, version)?;
    let unfinished = copy.with_extension("unfinished");
    let _ = std::fs::remove_dir_all(&unfinished);
    copy_folder(&original, &unfinished)?;
    let _ = std::fs::remove_file(unfinished.join("Cargo.lock"));
    std::fs::rename(&unfinished, &copy)?;
    Ok(copy)
}

/// Downloads a package with cargo. Returns the folder of its source.
fn fetch(name: &str, version: &str) -> Result<PathBuf> {
    let scratch = workspace::scratch("fetch")?;
    std::fs::create_dir_all(scratch.join("src"))?;
    std::fs::write(scratch.join("src/lib.rs"), "")?;
    std::fs::write(
        scratch.join("Cargo.toml"),
        format!(
            "[package]\nname = \"fetch\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\
             [dependencies]\n{name} = \"={version}\"\n[workspace]\n"
        ),
    )?;
    let mut command: Command = cargo::command();
    let output = command
        .args(["metadata", "--format-version=1"])
        .current_dir(&scratch)
        .output()
        .context("run `cargo metadata`")?;
    if !output.status.success() {
        bail!("cannot get {name} {version}:\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout)?;
    let packages = metadata["packages"].as_array().context("cargo metadata lists packages")?;
    let manifest = packages
        .iter()
        .find(|p| p["name"] == name && p["version"] == version)
        .and_then(|p| p["manifest_path"].as_str())
        .with_context(|| format!("cargo metadata has no {name} {version}"))?;
    Ok(Path::new(manifest).parent().expect("a manifest lies in a folder").to_owned())
}

fn copy_folder(from: &Path, to: &Path) -> Result<()> {
    std::fs::create_dir_all(to)?;
    for entry in std::fs::read_dir(from).with_context(|| format!("read {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            std::fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}
