//! `cargo xtask drop-ins`: compares the drop-ins with the newest published versions.
//!
//! The manifest of each drop-in names the published version that it was written after
//! (`package.metadata.wasio.upstream`; tokio's is that of `cargo xtask surface`). Cargo resolves the newest version
//! that the drop-in replaces, and the newest of all.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use toml::{Table, Value};
use xtask::{cargo, workspace};

use crate::surface::TOKIO;

/// Compare the drop-ins' versions with the newest published ones.
#[derive(clap::Args)]
pub(crate) struct Args {}

struct DropIn {
    folder: String,
    name: String,
    /// The drop-in's own version, far above any published one.
    own: String,
    /// The published version that it was written after.
    upstream: String,
}

pub(crate) fn run(_: &Args) -> Result<()> {
    let mut drop_ins = Vec::new();
    for entry in fs::read_dir(workspace::root().join("drop-in"))? {
        let folder = entry?.path();
        if folder.join("Cargo.toml").is_file() {
            drop_ins.push(read(&folder)?);
        }
    }
    drop_ins.sort_by(|a, b| a.folder.cmp(&b.folder));
    let lock = newest(&drop_ins)?;
    let mut behind = Vec::new();
    for one in &drop_ins {
        let published = versions(&lock, &one.name);
        let range = range(&one.own);
        let newest = published.iter().find(|version| self::range(version) == range);
        let newest = newest.with_context(|| format!("{} {range} is not published", one.name))?;
        let others = published.iter().filter(|version| self::range(version) > range);
        let later = others.map(|version| format!("; {version} is out, too")).collect::<String>();
        let ok = *newest == one.upstream;
        let state = if ok { "ok" } else { "behind" };
        println!("{state:6} {:26} after {}, newest {newest}{later}", one.folder, one.upstream);
        if !ok {
            behind.push(one.folder.as_str());
        }
    }
    match behind.as_slice() {
        [] => Ok(()),
        _ => bail!(
            "behind: {}. Compare the public items and features with the newest version's, then change `upstream`",
            behind.join(", ")
        ),
    }
}

fn read(folder: &Path) -> Result<DropIn> {
    let manifest = folder.join("Cargo.toml");
    let table: Table = fs::read_to_string(&manifest)?.parse()?;
    let package = table.get("package").context("no package")?;
    let text = |value: Option<&Value>| value.and_then(Value::as_str).map(str::to_owned);
    let name = text(package.get("name")).context("no name")?;
    let noted =
        package.get("metadata").and_then(|of| of.get("wasio")).and_then(|of| of.get("upstream"));
    let upstream = if name == "tokio" { Some(TOKIO.to_owned()) } else { text(noted) };
    Ok(DropIn {
        folder: folder.file_name().unwrap_or_default().to_string_lossy().into_owned(),
        own: text(package.get("version")).context("no version")?,
        upstream: upstream
            .with_context(|| format!("{}: no metadata.wasio.upstream", manifest.display()))?,
        name,
    })
}

/// The lock of a package that requires the newest of everything.
fn newest(drop_ins: &[DropIn]) -> Result<String> {
    let folder = workspace::scratch("drop-ins")?;
    fs::create_dir_all(folder.join("src"))?;
    fs::write(folder.join("src/lib.rs"), "")?;
    let _ = fs::remove_file(folder.join("Cargo.lock"));
    let mut manifest =
        "[package]\nname = \"newest\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n"
            .to_owned();
    for (index, one) in drop_ins.iter().enumerate() {
        for (kind, version) in [("range", range(&one.own)), ("any", "*".to_owned())] {
            let name = &one.name;
            manifest +=
                &format!("{kind}{index} = {{ package = \"{name}\", version = \"{version}\" }}\n");
        }
    }
    fs::write(folder.join("Cargo.toml"), manifest)?;
    let mut command = cargo::command();
    let output = command.arg("generate-lockfile").current_dir(&folder).output()?;
    if !output.status.success() {
        bail!("{}", String::from_utf8_lossy(&output.stderr).trim_end());
    }
    Ok(fs::read_to_string(folder.join("Cargo.lock"))?)
}

/// The requirement for versions compatible with a version: `1`, or `0.8`.
fn range(version: &str) -> String {
    let mut parts = version.split('.');
    match (parts.next().unwrap_or("0"), parts.next().unwrap_or("0")) {
        ("0", minor) => format!("0.{minor}"),
        (major, _) => major.to_owned(),
    }
}

/// The versions of a package in a lock.
fn versions<'l>(lock: &'l str, name: &str) -> Vec<&'l str> {
    let start = format!("name = \"{name}\"\nversion = \"");
    lock.split(start.as_str()).skip(1).filter_map(|rest| rest.split('"').next()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_drop_in_says_what_it_was_written_after() {
        for entry in fs::read_dir(workspace::root().join("drop-in")).unwrap() {
            let one = read(&entry.unwrap().path()).unwrap();
            assert_eq!(range(&one.own), range(&one.upstream), "{}", one.folder);
            assert!(one.own.contains("999"), "{}: cargo has to prefer it", one.folder);
        }
    }

    #[test]
    fn ranges_are_cargos() {
        assert_eq!((range("1.999.0").as_str(), range("0.8.5").as_str()), ("1", "0.8"));
        let lock = "name = \"a\"\nversion = \"0.8.5\"\n\nname = \"a\"\nversion = \"0.9.0\"\n\nname = \"ab\"\nversion = \"1.0.0\"\n";
        assert_eq!(versions(lock, "a"), ["0.8.5", "0.9.0"]);
    }
}
