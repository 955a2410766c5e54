//! Locations: the repository, the build folder, a free port.

use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use anyhow::{Context, Result};

/// The repository's root.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository")
}

/// The workspace's build folder: `CARGO_TARGET_DIR`, or `target` in the repository.
pub fn target_dir() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(dir) => root().join(dir),
        None => root().join("target"),
    }
}

/// The build folder of guests. All guest workspaces share it, so that common dependencies are built once.
pub fn guest_target_dir() -> PathBuf {
    root().join("target/guests")
}

/// A folder of our own below the build folder, made when missing.
///
/// # Errors
/// When the folder cannot be made.
pub fn scratch(name: &str) -> Result<PathBuf> {
    let dir = root().join("target/xtask").join(name);
    std::fs::create_dir_all(&dir).with_context(|| format!("make {}", dir.display()))?;
    Ok(dir)
}

/// A TCP port that was free a moment ago: the kernel chose it.
///
/// # Errors
/// When not even the kernel finds one.
pub fn free_port() -> Result<u16> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).context("ask for a free port")?;
    Ok(listener.local_addr()?.port())
}

/// This program's own file, as it was named when this was first called: a later build may replace
/// the file, and the system then calls it deleted.
///
/// # Errors
/// When the system does not say.
pub fn this_program() -> Result<&'static Path> {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    match PROGRAM.get() {
        Some(program) => Ok(program),
        None => {
            let program = std::env::current_exe().context("find this program's own file")?;
            Ok(PROGRAM.get_or_init(|| program))
        }
    }
}

/// Finds a program of this machine: on the PATH, or in Debian's folder for PostgreSQL.
pub fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut folders: Vec<_> = std::env::split_paths(&path).collect();
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    folders.extend(versions.map(|version| version.path().join("bin")));
    folders.into_iter().map(|folder| folder.join(name)).find(|program| program.is_file())
}
