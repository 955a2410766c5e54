//! The drop-ins' sources: carried in the binary, unpacked to the user's cache.
//!
//! They are unpacked once per content, into a folder named after a hash of it,
//! so that versions of this command do not disturb each other and cargo's
//! fingerprints of the packages stay valid between runs. Each run compares the
//! folder with what the binary carries, byte by byte; a half-written or edited
//! folder is replaced. The replacement is written beside it and renamed, so that
//! no build ever sees a part of it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};
use std::{fs, io, process};

use anyhow::{Context, Result, bail};
use semver::Version;

use super::lock::compatible;
use super::toolchain::{toml_text, utf8};

include!(concat!(env!("OUT_DIR"), "/drop_ins.rs"));

/// A package that takes the place of a published one of the same name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropIn {
    /// The published package's name.
    pub(crate) name: &'static str,
    /// Far above any published version that it stands for.
    pub(crate) version: &'static str,
    /// Where it lies in the unpacked folder.
    folder: &'static str,
}

impl DropIn {
    /// Whether a published `version` is one this drop-in can stand for: the same
    /// one by semantic versioning, as cargo sees it.
    pub(crate) fn replaces(&self, version: &Version) -> bool {
        Version::parse(self.version).is_ok_and(|own| compatible(&own, version))
    }

    /// Values for `--config` that patch it in from `folder`. Their key names the folder, not the package: one
    /// package may have several drop-ins.
    pub(crate) fn patch(&self, folder: &Path) -> Result<[String; 2]> {
        let key = self.folder.rsplit('/').next().unwrap_or(self.name).replace('.', "_");
        let path = toml_text(utf8(folder)?);
        Ok([
            format!("patch.crates-io.{key}.path={path}"),
            format!("patch.crates-io.{key}.package={:?}", self.name),
        ])
    }
}

/// The unpacked drop-ins.
#[derive(Clone, Debug)]
pub(crate) struct Sources {
    root: PathBuf,
}

impl Sources {
    /// Makes sure that the sources lie in the cache as this binary carries them.
    ///
    /// The second value tells whether a damaged copy had to be replaced.
    pub(crate) fn unpacked() -> Result<(Self, bool)> {
        Self::unpacked_in(&cache_folder()?.join("drop-ins"))
    }

    fn unpacked_in(parent: &Path) -> Result<(Self, bool)> {
        let root = parent.join(HASH);
        let existed = root.exists();
        let whole = matches_carried(&root);
        if !whole {
            unpack(parent, &root)
                .with_context(|| format!("cannot unpack the drop-ins to {}", root.display()))?;
        }
        // cargo reports canonical paths; ours are compared with them.
        let root = root.canonicalize().unwrap_or(root);
        Ok((Sources { root }, existed && !whole))
    }

    /// The packages to patch in, each with its folder.
    pub(crate) fn drop_ins(&self) -> impl Iterator<Item = (DropIn, PathBuf)> + '_ {
        DROP_INS.iter().map(|drop_in| (*drop_in, self.root.join(drop_in.folder)))
    }

    /// The folder that holds every unpacked package.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Names this very content.
    pub(crate) fn hash(&self) -> &'static str {
        HASH
    }
}

/// The drop-in that stands for `version` of the published package `name`, if one is shipped.
pub(crate) fn drop_in(name: &str, version: &Version) -> Option<DropIn> {
    DROP_INS.iter().copied().find(|own| own.name == name && own.replaces(version))
}

/// Whether the package `name` in that very version is a drop-in, not one that is published.
pub(crate) fn is_drop_in(name: &str, version: &Version) -> bool {
    drop_in(name, version).is_some_and(|own| own.version == version.to_string())
}

/// Whether any version of the package `name` has a drop-in.
pub(crate) fn has_drop_in(name: &str) -> bool {
    DROP_INS.iter().any(|drop_in| drop_in.name == name)
}

/// What the carried packages require of published ones, without the drop-ins that are not `wanted`.
pub(crate) fn requirements(
    wanted: impl Fn(&DropIn) -> bool,
) -> impl Iterator<Item = (&'static str, semver::VersionReq)> {
    let unwanted = move |folder: &str| {
        DROP_INS.iter().any(|drop_in| drop_in.folder == folder && !wanted(drop_in))
    };
    let needed = REQUIREMENTS.iter().filter(move |(folder, ..)| !unwanted(folder));
    needed.filter_map(|(_, name, req)| Some((*name, req.parse().ok()?)))
}

/// Where this command keeps what it unpacks and downloads: `WASIO_CACHE`, or a
/// folder `wasio` in the user's cache folder.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    if let Some(named) = std::env::var_os("WASIO_CACHE").filter(|value| !value.is_empty()) {
        return std::path::absolute(named).context("WASIO_CACHE");
    }
    match dirs::cache_dir() {
        Some(cache) => Ok(cache.join("wasio")),
        None => bail!("this user has no cache folder: name one in WASIO_CACHE"),
    }
}

/// A path beside `path` that nobody else uses.
pub(crate) fn beside(path: &Path, what: &str) -> PathBuf {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.{what}.{}.{now:x}", process::id()))
}

fn unpack(parent: &Path, root: &Path) -> Result<()> {
    fs::create_dir_all(parent)?;
    let fresh = beside(root, "new");
    for (name, start, end) in FILES {
        let path = fresh.join(name);
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        fs::write(&path, &BLOB[*start..*end])?;
    }
    let damaged = beside(root, "old");
    match fs::rename(root, &damaged) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    // Another run may have been quicker: what counts is what lies there now.
    let renamed = fs::rename(&fresh, root);
    let _ = fs::remove_dir_all(&damaged);
    let _ = fs::remove_dir_all(&fresh);
    if !matches_carried(root) {
        renamed?;
        bail!("the unpacked files differ from the carried ones");
    }
    Ok(())
}

/// Whether `root` holds exactly the carried files. One file more would count
/// too: cargo runs a `build.rs` that nobody declared.
fn matches_carried(root: &Path) -> bool {
    let mut present = BTreeSet::new();
    if list(root, "", &mut present).is_err() || present.len() != FILES.len() {
        return false;
    }
    FILES.iter().all(|(name, start, end)| {
        present.contains(*name)
            && fs::read(root.join(name)).is_ok_and(|content| content == BLOB[*start..*end])
    })
}

fn list(folder: &Path, name: &str, into: &mut BTreeSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let name = format!("{name}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), into)?;
        } else {
            into.insert(name);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_damaged_copy_is_replaced_and_a_good_one_left_alone() {
        let parent = beside(&std::env::temp_dir().join("wasio-sources"), "test");
        let (sources, repaired) = Sources::unpacked_in(&parent).unwrap();
        assert!(!repaired, "there was nothing to repair");
        let manifest = sources.root().join("drop-in/tokio/Cargo.toml");
        let written = fs::metadata(&manifest).unwrap().modified().unwrap();

        assert!(!Sources::unpacked_in(&parent).unwrap().1);
        assert_eq!(fs::metadata(&manifest).unwrap().modified().unwrap(), written);

        fs::write(&manifest, "[package]").unwrap();
        assert!(Sources::unpacked_in(&parent).unwrap().1, "an edited file");
        fs::remove_file(&manifest).unwrap();
        assert!(Sources::unpacked_in(&parent).unwrap().1, "a missing file");
        fs::write(sources.root().join("drop-in/tokio/build.rs"), "fn main() {}").unwrap();
        assert!(Sources::unpacked_in(&parent).unwrap().1, "a file too many");
        assert!(matches_carried(sources.root()));
        assert_eq!(fs::read_dir(&parent).unwrap().count(), 1, "nothing is left behind");
        fs::remove_dir_all(&parent).unwrap();
    }

    #[test]
    fn replaces_by_semantic_version() {
        let own = |name: &str, version: &str| {
            drop_in(name, &Version::parse(version).unwrap()).map(|own| own.version)
        };
        assert_eq!(own("tokio", "1.8.1"), Some("1.999.0"));
        assert_eq!(own("tokio", "0.2.25"), None);
        assert_eq!(own("socket2", "0.6.1"), Some("0.6.999"));
        assert_eq!(own("socket2", "0.4.10"), None);
    }
}
