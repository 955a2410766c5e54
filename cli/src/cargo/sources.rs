//! The drop-ins' sources: carried in the binary, unpacked to the user's cache.
//!
//! They are unpacked once per content, into a folder named after a hash of it. Versions of this command therefore do
//! not disturb each other, and cargo's fingerprints of the packages stay valid between runs. Each run compares the
//! folder with the binary's copy, byte by byte. A half-written or edited folder is replaced, and so is one that another
//! user could change, because cargo reads it afterwards. The replacement is written beside it and renamed, so that no
//! build ever sees a part of it.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use semver::Version;
use wasio_host::code_folders;
use wasio_host::folder::Folder;

use super::lock::compatible;
use super::toolchain::{toml_text, utf8};

/// An upper bound on the length of a source file, in bytes.
const MOST: u64 = 1 << 26;

include!(concat!(env!("OUT_DIR"), "/drop_ins.rs"));

/// A package that replaces a published one of the same name.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DropIn {
    /// The published package's name.
    pub(crate) name: &'static str,
    /// Far above any published version that it replaces.
    pub(crate) version: &'static str,
    /// Its path in the unpacked folder.
    folder: &'static str,
}

impl DropIn {
    /// Returns whether this drop-in can replace a published `version`: a compatible one by semantic versioning, as
    /// cargo defines it.
    pub(crate) fn replaces(&self, version: &Version) -> bool {
        Version::parse(self.version).is_ok_and(|own| compatible(&own, version))
    }

    /// Returns values for `--config` that patch it in from `folder`. Their key names the folder, not the package,
    /// because one package may have several drop-ins.
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
    /// Makes sure that the cache holds this binary's sources.
    ///
    /// The second value is whether a damaged copy had to be replaced.
    pub(crate) fn unpacked() -> Result<(Self, bool)> {
        Self::unpacked_in(&cache_folder()?.join("drop-ins"))
    }

    fn unpacked_in(parent: &Path) -> Result<(Self, bool)> {
        Folder::private(parent)
            .with_context(|| format!("cannot keep the drop-ins in {}", parent.display()))?;
        let root = parent.join(HASH);
        let existed = root.symlink_metadata().is_ok();
        let whole = matches_carried(&root);
        if !whole {
            unpack(parent, &root)
                .with_context(|| format!("cannot unpack the drop-ins to {}", root.display()))?;
        }
        // cargo reports canonical paths, and they are compared with this one.
        let root = root.canonicalize().unwrap_or(root);
        Ok((Sources { root }, existed && !whole))
    }

    /// Returns the packages to patch in, each with its folder.
    pub(crate) fn drop_ins(&self) -> impl Iterator<Item = (DropIn, PathBuf)> + '_ {
        DROP_INS.iter().map(|drop_in| (*drop_in, self.root.join(drop_in.folder)))
    }

    /// Returns the folder of all unpacked packages.
    pub(crate) fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the hash that identifies this content.
    pub(crate) fn hash(&self) -> &'static str {
        HASH
    }
}

/// Returns the drop-in for `version` of the published package `name`, if there is one.
pub(crate) fn drop_in(name: &str, version: &Version) -> Option<DropIn> {
    DROP_INS.iter().copied().find(|own| own.name == name && own.replaces(version))
}

/// Returns whether the package `name` in that very version is a drop-in, not a published one.
pub(crate) fn is_drop_in(name: &str, version: &Version) -> bool {
    drop_in(name, version).is_some_and(|own| own.version == version.to_string())
}

/// Returns whether any version of the package `name` has a drop-in.
pub(crate) fn has_drop_in(name: &str) -> bool {
    DROP_INS.iter().any(|drop_in| drop_in.name == name)
}

/// Returns the requirements of the carried packages on published ones, without those of drop-ins that are not `wanted`.
pub(crate) fn requirements(
    wanted: impl Fn(&DropIn) -> bool,
) -> impl Iterator<Item = (&'static str, semver::VersionReq)> {
    let unwanted = move |folder: &str| {
        DROP_INS.iter().any(|drop_in| drop_in.folder == folder && !wanted(drop_in))
    };
    let needed = REQUIREMENTS.iter().filter(move |(folder, ..)| !unwanted(folder));
    needed.filter_map(|(_, name, req)| Some((*name, req.parse().ok()?)))
}

/// Returns the folder for unpacked and downloaded files: `WASIO_CACHE`, or a folder `wasio` in the user's cache folder.
pub(crate) fn cache_folder() -> Result<PathBuf> {
    match code_folders::root() {
        Some(folder) => std::path::absolute(folder).context("WASIO_CACHE"),
        None => bail!("this user has no cache folder: name one in WASIO_CACHE"),
    }
}

fn unpack(parent: &Path, root: &Path) -> Result<()> {
    // Only one process at a time may move the folder away. It belongs to the user alone, so no other user holds the
    // lock.
    let lock =
        File::options().create(true).truncate(false).write(true).open(parent.join("lock"))?;
    lock.lock()?;
    if matches_carried(root) {
        return Ok(());
    }
    let fresh = tempfile::Builder::new().prefix(".new.").tempdir_in(parent)?;
    let fresh = fresh.path();
    for (name, start, end) in FILES {
        let path = fresh.join(name);
        if let Some(folder) = path.parent() {
            Folder::private(folder)?
                .replace(path.file_name().unwrap_or_default(), &[&BLOB[*start..*end]])?;
        }
    }
    let damaged = tempfile::Builder::new().prefix(".old.").tempdir_in(parent)?;
    match fs::rename(root, damaged.path().join(HASH)) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e.into()),
        _ => {}
    }
    // Another version of this program may not use the lock. The content that is there now decides.
    let renamed = fs::rename(fresh, root);
    if !matches_carried(root) {
        renamed?;
        bail!("the unpacked files differ from the carried ones");
    }
    Ok(())
}

/// Returns whether `root` holds exactly the carried files. An additional file counts as a difference too: cargo runs an
/// undeclared `build.rs`.
fn matches_carried(root: &Path) -> bool {
    if root.symlink_metadata().is_err() {
        return false;
    }
    let mut present = BTreeSet::new();
    let is_carried = |name: &str, content: &[u8]| {
        let file = FILES.binary_search_by(|(carried, ..)| (*carried).cmp(name));
        file.is_ok_and(|at| content == &BLOB[FILES[at].1..FILES[at].2])
    };
    compare(root, "", &[], &is_carried, &mut present).is_ok_and(|same| same)
        && present.len() == FILES.len()
}

/// Returns whether all files in a folder of wasio's are right. Files with a name in `besides` are ignored. The names of
/// the others are added to `present`.
pub(crate) fn compare(
    folder: &Path,
    name: &str,
    besides: &[&str],
    is_right: &impl Fn(&str, &[u8]) -> bool,
    present: &mut BTreeSet<String>,
) -> io::Result<bool> {
    let files = Folder::private(folder)?;
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(own) = entry.file_name().into_string() else { return Ok(false) };
        if besides.contains(&own.as_str()) {
            continue;
        }
        let name = format!("{name}{own}");
        if entry.file_type()?.is_dir() {
            if !compare(&entry.path(), &format!("{name}/"), &[], is_right, present)? {
                return Ok(false);
            }
        } else if is_right(&name, &files.read(&own, MOST)?) {
            present.insert(name);
        } else {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_runs_at_once_do_not_disturb_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("drop-ins");
        for _ in 0..5 {
            std::thread::scope(|scope| {
                for _ in 0..4 {
                    scope.spawn(|| Sources::unpacked_in(&parent).unwrap());
                }
            });
            fs::remove_dir_all(parent.join(HASH)).unwrap();
        }
    }

    #[test]
    fn a_damaged_copy_is_replaced_and_a_good_one_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let parent = folder.path().join("drop-ins");
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
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let open = fs::Permissions::from_mode(0o777);
            fs::set_permissions(&manifest, open.clone()).unwrap();
            assert!(Sources::unpacked_in(&parent).unwrap().1, "a file that others can write to");
            fs::set_permissions(sources.root().join("drop-in"), open.clone()).unwrap();
            assert!(Sources::unpacked_in(&parent).unwrap().1, "a folder that others can write to");
            let real = parent.join("elsewhere");
            fs::rename(sources.root(), &real).unwrap();
            std::os::unix::fs::symlink(&real, sources.root()).unwrap();
            assert!(Sources::unpacked_in(&parent).unwrap().1, "a link");
            fs::remove_dir_all(real).unwrap();
            fs::set_permissions(&parent, open).unwrap();
            assert!(Sources::unpacked_in(&parent).is_err(), "it may be changed at any time");
            fs::set_permissions(&parent, fs::Permissions::from_mode(0o700)).unwrap();
        }
        assert!(matches_carried(sources.root()));
        let mut left: Vec<_> =
            fs::read_dir(&parent).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        left.sort();
        assert_eq!(left, [HASH, "lock"], "nothing is left behind");
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
