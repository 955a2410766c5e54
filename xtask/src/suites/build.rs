//! Makes a copy of a package that builds for WASI, and builds its tests.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, Result, bail, ensure};
use toml::{Table, Value};
use xtask::cargo;
use xtask::targets::Target;

use super::Tools;
use super::list::Suite;
use crate::conformance::build::{adapt, copy_folder};
use crate::conformance::reasons::Reasons;
use crate::conformance::scan::{self, TestFile};

/// A package that is ready to be built.
pub(super) struct Prepared {
    pub(super) folder: PathBuf,
    pub(super) version: String,
    /// By `SUITE/FILE`.
    pub(super) files: BTreeMap<String, TestFile>,
}

/// Copies the package at `package`, which is `below` the root of its repository, with the gates of its tests lifted.
pub(super) fn prepare(
    suite: &Suite,
    repository: &Path,
    below: &Path,
    reasons: &Reasons,
    scratch: &Path,
) -> Result<Prepared> {
    let copy = scratch.join(&suite.name);
    // What did not change keeps its time, so that cargo builds only what did.
    copy_folder(repository, &copy)?;
    let folder = copy.join(below);
    if suite.version.is_some() {
        // Whoever uses the package gets what is newest, and not what its lock file says.
        let _ = fs::remove_file(copy.join("Cargo.lock"));
    }
    for name in &suite.beside {
        let from = repository.join(name);
        fs::copy(&from, scratch.join(name)).with_context(|| format!("copy {}", from.display()))?;
    }
    let tests = repository.join(below).join("tests");
    let mut files = BTreeMap::new();
    if tests.is_dir() {
        for (name, file) in scan::scan(&tests)? {
            files.insert(format!("{}/{name}", suite.name), file);
        }
    }
    for (name, file) in &files {
        let short = name.rsplit('/').next().unwrap_or(name);
        let path = folder.join("tests").join(format!("{short}.rs"));
        if reasons.leaves_out(name) {
            fs::write(&path, "")?;
        } else {
            // `should_panic` stays: the harness judges it.
            let lift = !reasons.keeps_gates(name);
            let mut source = adapt(&file.source, lift, false);
            for test in reasons.left_out_tests(name) {
                let declared = format!("async fn {test}(");
                source = source.replace(&declared, &format!("#[cfg(any())]\n{declared}"));
            }
            fs::write(&path, source)?;
        }
    }
    reasons.check_left_out(&files)?;
    let is_root = below.as_os_str().is_empty();
    let version = edit_manifest(suite, &folder.join("Cargo.toml"), is_root)?;
    Ok(Prepared { folder, version, files })
}

/// Takes out what is not tested, and makes the package a workspace of its own. Returns its version.
fn edit_manifest(suite: &Suite, path: &Path, is_root: bool) -> Result<String> {
    let text = fs::read_to_string(path).with_context(|| format!("read {}", path.display()))?;
    let mut manifest: Table = toml::from_str(&text)?;
    for part in ["example", "bench"] {
        manifest.remove(part);
    }
    for name in &suite.without {
        ensure!(take_out(&mut manifest, name), "{} has no dev-dependency {name}", suite.name);
    }
    for (name, changes) in &suite.changed {
        let changes = changes.as_table().context("changes of a dependency are a table")?;
        ensure!(change(&mut manifest, name, changes), "{} has no dependency {name}", suite.name);
    }
    // A package inside of a repository's workspace stays there.
    if is_root && !manifest.contains_key("workspace") {
        manifest.insert("workspace".to_owned(), Value::Table(Table::new()));
    }
    let version = manifest["package"].get("version").and_then(Value::as_str);
    let version = version.context("a package has a version")?.to_owned();
    fs::write(path, toml::to_string(&manifest)?)?;
    Ok(version)
}

/// Takes a dev-dependency out, on every target. Returns whether there was one.
fn take_out(manifest: &mut Table, name: &str) -> bool {
    let dependencies = manifest.get_mut("dev-dependencies").and_then(Value::as_table_mut);
    let mut found = dependencies.is_some_and(|them| them.remove(name).is_some());
    let targets = manifest.get_mut("target").and_then(Value::as_table_mut);
    for (_, target) in targets.into_iter().flatten() {
        found |= target.as_table_mut().is_some_and(|target| take_out(target, name));
    }
    found
}

/// Writes some keys of a dependency and dev-dependency otherwise. Returns whether there was one.
fn change(manifest: &mut Table, name: &str, changes: &Table) -> bool {
    let mut found = false;
    for kind in ["dependencies", "dev-dependencies"] {
        let dependencies = manifest.get_mut(kind).and_then(Value::as_table_mut);
        let Some(dependency) = dependencies.and_then(|them| them.get_mut(name)) else { continue };
        found = true;
        let mut written = match &*dependency {
            Value::Table(written) => written.clone(),
            version => Table::from_iter([("version".to_owned(), version.clone())]),
        };
        written.extend(changes.clone());
        *dependency = written.into();
    }
    found
}

/// Builds the unit tests and those in `tests/`, and of what no package contains the latter; the harnesses by `SUITE/FILE`.
pub(super) fn build(
    tools: &Tools,
    suite: &Suite,
    prepared: &Prepared,
    target: Target,
) -> Result<BTreeMap<String, PathBuf>> {
    let mut command = Command::new(&tools.cargo_wasio);
    command
        .args(["wasio", "test", "--wasi", target.wasi(), "--no-run"])
        .current_dir(&prepared.folder)
        .env("WASIO_BIN", &tools.runner)
        .env("CARGO_TARGET_DIR", tools.scratch.join("target"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .env("CARGO_PROFILE_TEST_DEBUG", "0")
        .env("RUSTFLAGS", "--cap-lints warn");
    match suite.version {
        Some(_) => command.arg("--tests"),
        // The unit tests are those of the published package, which is another suite.
        None => command.args(["--test", "*"]),
    };
    if suite.no_default_features {
        command.arg("--no-default-features");
    }
    if !suite.features.is_empty() {
        command.args(["--features", &suite.features.join(",")]);
    }
    let built = cargo::build(&mut command, &|_| {})
        .with_context(|| format!("build the tests of {}", suite.name))?;
    // A package may publish none. What no package contains is here for its tests.
    if built.is_empty() && suite.version.is_none() {
        bail!("{} has no tests", suite.name);
    }
    let library = suite.of().replace('-', "_");
    let harness = |built: cargo::Built| {
        let name = if built.name == library { "lib" } else { &built.name };
        (format!("{}/{name}", suite.name), built.path)
    };
    Ok(built.into_iter().map(harness).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_dev_dependency_is_taken_out_on_every_target() {
        let mut manifest: Table = toml::from_str(
            "[dev-dependencies]\na = \"1\"\nb = \"1\"\n\
             [target.'cfg(unix)'.dev-dependencies]\na = \"1\"\n\
             [target.'cfg(windows)'.dependencies]\nc = \"1\"\n",
        )
        .unwrap();
        assert!(take_out(&mut manifest, "a"));
        assert!(!take_out(&mut manifest, "a"));
        assert!(!take_out(&mut manifest, "c"));
        assert!(take_out(&mut manifest, "b"));
    }

    #[test]
    fn a_changed_dependency_keeps_its_other_keys() {
        let mut manifest: Table = toml::from_str(
            "[dependencies]\na = { version = \"1\", optional = true }\n[dev-dependencies]\na = \"1\"\n",
        )
        .unwrap();
        let changes = toml::from_str("version = \"2\"").unwrap();
        assert!(change(&mut manifest, "a", &changes));
        assert!(!change(&mut manifest, "b", &changes));
        let changed: Table = toml::from_str(
            "[dependencies]\na = { version = \"2\", optional = true }\n[dev-dependencies.a]\nversion = \"2\"\n",
        )
        .unwrap();
        assert_eq!(manifest, changed);
    }
}
