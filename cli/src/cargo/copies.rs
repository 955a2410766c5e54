//! Copies of sources in the cache: projects of `cargo wasio try`, and the copies that guests are given in their place.
//!
//! The output of a build in a project becomes code that runs natively, so guests get a copy of the sources.

use std::path::{Path, PathBuf};
use std::{fs, io};

use anyhow::{Context, Result};
use wasio_host::folder::Folder;

use super::sources;

/// The folder of the projects, in the cache.
pub(super) const PROJECTS: &str = "try";
/// The folder of the copies for guests, in the cache. Nothing in it becomes code.
const COPIES: &str = "guests";
/// The folders that cargo creates in a project.
pub(super) const BUILT: [&str; 1] = ["target"];

/// Returns the folder that a guest is given for one in a project here: the same in a copy of the sources.
pub(super) fn for_guest(folder: &Path) -> Result<Option<PathBuf>> {
    let Ok(cache) = sources::cache_folder()?.canonicalize() else { return Ok(None) };
    let Ok(folder) = folder.canonicalize() else { return Ok(None) };
    let Ok(below) = folder.strip_prefix(cache.join(PROJECTS)) else { return Ok(None) };
    let Some(project) = below.iter().next() else { return Ok(None) };
    let copies = cache.join(COPIES);
    Folder::private(&copies).with_context(|| format!("cannot use {}", copies.display()))?;
    let copy = copies.join(project);
    if copy.symlink_metadata().is_err() {
        let temporary = tempfile::Builder::new().prefix(".new.").tempdir_in(&copies)?;
        let fresh = temporary.path().join("fresh");
        copy_tree(&cache.join(PROJECTS).join(project), &fresh, &BUILT)?;
        // Another run may have been faster.
        let _ = fs::rename(&fresh, &copy);
    }
    Ok(Some(copies.join(below)))
}

/// Copies a folder to one that no other user can write to.
pub(super) fn copy_tree(from: &Path, to: &Path, left_out: &[&str]) -> io::Result<()> {
    let folder = Folder::private(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let name = entry.file_name();
        if left_out.iter().any(|left| name == **left) {
            continue;
        }
        if entry.file_type()?.is_dir() {
            copy_tree(&entry.path(), &to.join(&name), &[])?;
        } else {
            folder.replace(&name, &[&fs::read(entry.path())?])?;
            // Build scripts run some of the files.
            #[cfg(unix)]
            {
                use std::os::unix::fs::PermissionsExt as _;
                let mode = entry.metadata()?.permissions().mode() & 0o755;
                fs::set_permissions(to.join(&name), fs::Permissions::from_mode(mode))?;
            }
        }
    }
    Ok(())
}
