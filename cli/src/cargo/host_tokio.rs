//! Upstream tokio for build scripts and procedural macros.
//!
//! They run natively, and cargo's patches apply to the whole tree. If one of them depends on tokio, the patch is
//! therefore not the drop-in itself but a package that wraps it: on WASI it is the drop-in, elsewhere the published
//! tokio. A dependency on the registry's tokio would be patched, too, so this one is by path, into cargo's copy of its
//! sources.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use semver::Version;
use wasio_host::folder::Folder;

use super::lock::Lock;
use super::metadata::{Metadata, Package};
use super::shell::Shell;
use super::sources::{self, Sources};
use super::toolchain::{self, Cargo, toml_text, utf8};

/// One more than the drop-in's version: a lock cannot distinguish two packages of the same name and version.
pub(crate) const VERSION: &str = "1.999.1";

const LIB: &str = "\
//! tokio: wasio's on WASI, the published one elsewhere.
#[cfg(target_os = \"wasi\")]
pub use ours::*;
#[cfg(not(target_os = \"wasi\"))]
pub use upstream::*;
";

/// Returns whether a build script or procedural macro of the build depends on tokio 1.x.
///
/// `metadata` is of a WASI target and leaves out packages that host code needs only on other platforms. `on_host`
/// resolves the tree for this machine. It is called only if `lock` says that the answer may depend on it.
pub(crate) fn is_needed(
    metadata: &Metadata,
    lock: &Lock<'_>,
    on_host: impl FnOnce() -> Result<Metadata>,
) -> Result<bool> {
    let is_tokio = |package: &&Package| package.name == "tokio" && package.version.major == 1;
    if metadata.on_host(metadata).iter().any(is_tokio) {
        return Ok(true);
    }
    if !metadata.declared_for_some_hosts().into_iter().any(|name| lock.leads(name, "tokio")) {
        return Ok(false);
    }
    Ok(metadata.on_host(&on_host()?).iter().any(is_tokio))
}

/// Returns the folder of the package, and creates it if it is missing. `locked` is the version in the project's lock.
pub(crate) fn package(
    cargo: &Cargo,
    sources: &Sources,
    locked: Option<&Version>,
    offline: bool,
    shell: &Shell,
) -> Result<PathBuf> {
    let drop_in = sources.drop_ins().find(|(own, _)| own.name == "tokio");
    let (_, drop_in) = drop_in.context("there is no drop-in")?;
    let mut command = cargo.plain();
    command.args(["metadata", "--no-deps", "--manifest-path"]).arg(drop_in.join("Cargo.toml"));
    let ours = toolchain::metadata(command, shell, false)?;
    let upstream = published(cargo, locked, offline, shell)?;
    let is_drop_in = |package: &&Package| package.manifest_path.starts_with(&drop_in);
    let ours = ours.packages.iter().find(is_drop_in).context("the drop-in has no manifest")?;
    let manifest = manifest(ours, &upstream)?;
    write(&sources::cache_folder()?.join("drop-ins"), &manifest)
}

/// Returns the published tokio, as cargo downloaded it.
fn published(
    cargo: &Cargo,
    locked: Option<&Version>,
    offline: bool,
    shell: &Shell,
) -> Result<Package> {
    let probe = tempfile::tempdir()?;
    let probe = probe.path();
    let requirement = locked.map_or("1".to_owned(), |version| format!("={version}"));
    fs::create_dir(probe.join("src"))?;
    fs::write(probe.join("src/lib.rs"), "")?;
    fs::write(
        probe.join("Cargo.toml"),
        format!(
            "[package]\nname = \"probe\"\nedition = \"2021\"\n\n[workspace]\n\n[dependencies]\n\
             tokio = {{ version = {requirement:?}, default-features = false }}\n"
        ),
    )?;
    let mut command = cargo.plain();
    command.args(["metadata", "--manifest-path"]).arg(probe.join("Cargo.toml"));
    if offline {
        command.arg("--offline");
    }
    let mut found = toolchain::metadata(command, shell, false)?;
    found.packages.retain(Package::is_published);
    let tokio = found.packages.into_iter().find(|package| package.name == "tokio");
    // A registry that the user's configuration puts in its place counts as published.
    let Some(tokio) = tokio else { bail!("cargo patches the tokio of any project here") };
    Ok(tokio)
}

fn manifest(ours: &Package, upstream: &Package) -> Result<String> {
    let folder = |package: &Package| -> Result<String> {
        Ok(toml_text(utf8(package.manifest_path.parent().unwrap_or(Path::new("/")))?))
    };
    let mut text = format!(
        "[package]\nname = \"tokio\"\nversion = {VERSION:?}\nedition = \"2021\"\n\n[workspace]\n\n[lib]\n\
         doctest = false\n\n[features]\n"
    );
    for feature in ours.features.keys() {
        text += &format!("{feature} = [\"ours/{feature}\"");
        if upstream.features.contains_key(feature) {
            text += &format!(", \"upstream/{feature}\"");
        }
        text += "]\n";
    }
    for (condition, name, path) in [
        ("target_os = \"wasi\"", "ours", folder(ours)?),
        ("not(target_os = \"wasi\")", "upstream", folder(upstream)?),
    ] {
        text += &format!(
            "\n[target.'cfg({condition})'.dependencies.{name}]\npackage = \"tokio\"\npath = {path}\n\
             default-features = false\n"
        );
    }
    Ok(text)
}

/// Writes the package into a folder that is named after its content, unless it is already there and intact.
fn write(parent: &Path, manifest: &str) -> Result<PathBuf> {
    let mut hasher = DefaultHasher::new();
    (manifest, LIB).hash(&mut hasher);
    let root = parent.join(format!("host-tokio-{:016x}", hasher.finish()));
    let files = [("Cargo.toml", manifest), ("src/lib.rs", LIB)];
    let mut present = BTreeSet::new();
    let is_right =
        |name: &str, content: &[u8]| files.contains(&(name, str::from_utf8(content).unwrap_or("")));
    let is_whole = root.exists()
        && sources::compare(&root, "", &[], &is_right, &mut present).is_ok_and(|same| same)
        && present.len() == files.len();
    if !is_whole {
        if root.symlink_metadata().is_ok() {
            fs::remove_dir_all(&root)
                .with_context(|| format!("cannot replace {}", root.display()))?;
        }
        for (name, content) in files {
            let path = root.join(name);
            let folder = Folder::private(path.parent().unwrap_or(&root))?;
            folder.replace(path.file_name().unwrap_or(OsStr::new(name)), &[content.as_bytes()])?;
        }
    }
    Ok(root.canonicalize().unwrap_or(root))
}
