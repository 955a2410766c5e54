//! A published crate and its drop-in as rustdoc sees them, and their cargo features.
//!
//! rustdoc's JSON is unstable, so it is asked for with `RUSTC_BOOTSTRAP`: any stable toolchain will do. It
//! does not follow re-exports into other crates; each crate in question is documented, and [`World`]
//! follows.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;

use super::Pair;
use super::collect::{Surface, collect};
use super::world::World;

/// Hidden items are documented too: a public re-export may be all that is visible of one.
const FLAGS: &str =
    "-Zunstable-options --output-format=json --document-hidden-items --cap-lints=allow";

/// Documents the published crate, for the host, and the drop-in, for the pair's target.
pub(super) fn build(root: &Path, pair: &Pair) -> Result<(Surface, Surface)> {
    let scratch = root.join("target/surface");
    let version = pair.version;
    let published = format!("version = \"={version}\"");
    let beside = if pair.name == "tokio" { "wasio".to_owned() } else { pair.folder.to_owned() };
    let (theirs, ours) = match pair.name {
        "tokio" => (scratch.join("tokio"), scratch.join(beside)),
        name => {
            (scratch.join(format!("{name}-{version}")), scratch.join(format!("wasio-{beside}")))
        }
    };
    let theirs = surface(&theirs, &published, pair, pair.published, None)?;
    let drop_in = format!("path = {:?}", root.join("drop-in").join(pair.folder));
    let ours = surface(&ours, &drop_in, pair, pair.drop_in, pair.target)?;
    Ok((theirs, ours))
}

/// Writes a package in `dir` that depends on the crate as `source` says.
fn write_package(dir: &Path, source: &str, pair: &Pair) -> Result<()> {
    std::fs::create_dir_all(dir.join("src"))?;
    std::fs::write(dir.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"surface\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n\
         {} = {{ {source}, features = {:?} }}\n",
        pair.name, pair.features
    );
    std::fs::write(dir.join("Cargo.toml"), manifest)
        .with_context(|| format!("write the package in {}", dir.display()))
}

/// Documents `packages`, the first of which is the crate, and collects what is public in it.
fn surface(
    dir: &Path,
    source: &str,
    pair: &Pair,
    packages: &[&str],
    target: Option<&str>,
) -> Result<Surface> {
    write_package(dir, source, pair)?;
    // A folder for each crate: published ones and drop-ins have documents of the same name.
    let folder = dir.join("target");
    let mut command = cargo(dir);
    command.args(["doc", "--no-deps", "--quiet"]);
    for package in packages {
        command.args(["--package", package]);
    }
    if let Some(target) = target {
        command.args(["--target", target]);
    }
    command.env("CARGO_TARGET_DIR", &folder).env("RUSTC_BOOTSTRAP", "1").env("RUSTDOCFLAGS", FLAGS);
    output(&mut command)?;
    let documents = packages.iter().map(|package| {
        let name = package.replace('-', "_");
        let file = folder.join(target.unwrap_or("")).join("doc").join(format!("{name}.json"));
        let text = std::fs::read_to_string(&file)
            .with_context(|| format!("rustdoc wrote no {}", file.display()))?;
        Ok((name, serde_json::from_str(&text)?))
    });
    let world = World::new(documents.collect::<Result<_>>()?)?;
    let mut surface = collect(&world, pair.name);
    surface.add_features(features(dir, pair.name)?);
    Ok(surface)
}

fn features(dir: &Path, name: &str) -> Result<BTreeSet<String>> {
    let text = output(cargo(dir).args(["metadata", "--format-version=1"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata["packages"].as_array().into_iter().flatten();
    let found = packages.filter(|p| p["name"] == name).find_map(|p| p["features"].as_object());
    Ok(found.with_context(|| format!("cargo metadata lists no {name}"))?.keys().cloned().collect())
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
