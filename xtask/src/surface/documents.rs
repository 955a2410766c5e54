//! The two crates as rustdoc sees them, and their cargo features.
//!
//! rustdoc's JSON is unstable, so it is asked for with `RUSTC_BOOTSTRAP`: any stable toolchain will do. It
//! does not follow re-exports into other crates; each crate in question is documented, and [`World`]
//! follows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::TOKIO;
use super::collect::{Surface, collect};
use super::world::World;

/// Hidden items are documented too: a public re-export may be all that is visible of one.
const FLAGS: &str =
    "-Zunstable-options --output-format=json --document-hidden-items --cap-lints=allow";

/// Documents tokio and the drop-in; both with all that is stable, for the host.
pub(super) fn build(root: &Path) -> Result<(Surface, Surface)> {
    let scratch = root.join("target/surface");
    let published = format!("version = \"={TOKIO}\"");
    let theirs = surface(&scratch.join("tokio"), &published, &["tokio", "tokio-macros"])?;
    let drop_in = format!("path = {:?}", root.join("drop-in/tokio"));
    let packages = ["tokio", "wasio", "wasio-runtime", "wasio-net", "wasio-macros"];
    let ours = surface(&scratch.join("wasio"), &drop_in, &packages)?;
    Ok((theirs, ours))
}

/// Writes a package in `dir` that depends on tokio as `source` says.
fn write_package(dir: &Path, source: &str) -> Result<()> {
    std::fs::create_dir_all(dir.join("src"))?;
    std::fs::write(dir.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"surface\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
         tokio = {{ {source}, features = [\"full\", \"test-util\"] }}\n"
    );
    std::fs::write(dir.join("Cargo.toml"), manifest)
        .with_context(|| format!("write the package in {}", dir.display()))
}

/// Documents `packages`, the first of which is a tokio, and collects what is public in it.
fn surface(dir: &Path, source: &str, packages: &[&str]) -> Result<Surface> {
    write_package(dir, source)?;
    // A folder for each tokio: their documents have the same name.
    let target = dir.join("target");
    let mut command = cargo(dir);
    command.args(["doc", "--no-deps", "--quiet"]);
    for package in packages {
        command.args(["--package", package]);
    }
    command.env("CARGO_TARGET_DIR", &target).env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", FLAGS);
    output(&mut command)?;
    let documents = packages.iter().map(|package| {
        let name = package.replace('-', "_");
        let file = target.join("doc").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("rustdoc wrote no {}", file.display()))?;
        Ok((name, serde_json::from_str(&text)?))
    });
    let world = World::new(documents.collect::<Result<_>>()?)?;
    let mut surface = collect(&world, "tokio");
    surface.add_features(features(dir)?);
    Ok(surface)
}

fn features(dir: &Path) -> Result<BTreeSet<String>> {
    let text = output(cargo(dir).args(["metadata", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let tokio = packages.filter(|p| p["name"] == "tokio").find_map(|p| p["features"].as_object());
    Ok(tokio.context("cargo metadata lists no tokio")?.keys().cloned().collect())
}

fn cargo(dir: &Path) -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(dir);
    command
}

fn output(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("start {command:?}"))?;
    if !output.status.success() {
        bail!("{command:?} failed:\n{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(String::from_utf8(output.stdout)?)
}
