//! What can be done to a path: each function is that of std of the same name, off the tasks' thread.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use super::asyncify;

/// The absolute path without links, `.` and `..`.
///
/// # Errors
///
/// Those of [`std::fs::canonicalize`].
///
/// # On WASI
///
/// The path is the guest's own: its root is what the host gave it. `Unsupported` where std is too old to know.
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::canonicalize(path)).await
}

/// Copies a file's contents and permissions, and returns the number of bytes.
///
/// # Errors
///
/// Those of [`std::fs::copy`].
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    asyncify(move || fs::copy(from, to)).await
}

/// Creates an empty directory.
///
/// # Errors
///
/// Those of [`std::fs::create_dir`]; `NotFound` when the parent is missing.
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::create_dir(path)).await
}

/// Creates a directory and those above it, as far as they are missing.
///
/// # Errors
///
/// Those of [`std::fs::create_dir_all`].
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::create_dir_all(path)).await
}

/// Gives the file `original` the second name `link`.
///
/// # Errors
///
/// Those of [`std::fs::hard_link`].
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    asyncify(move || fs::hard_link(original, link)).await
}

/// What is known of a file or directory; links are followed.
///
/// # Errors
///
/// Those of [`std::fs::metadata`].
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::metadata(path)).await
}

/// The contents of a file.
///
/// # Errors
///
/// Those of [`std::fs::read`].
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::read(path)).await
}

/// What a symbolic link contains.
///
/// # Errors
///
/// Those of [`std::fs::read_link`]; one when it is not a link.
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::read_link(path)).await
}

/// The contents of a file as text.
///
/// # Errors
///
/// Those of [`std::fs::read_to_string`]; `InvalidData` when it is not UTF-8.
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::read_to_string(path)).await
}

/// Removes an empty directory.
///
/// # Errors
///
/// Those of [`std::fs::remove_dir`].
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::remove_dir(path)).await
}

/// Removes a directory with everything in it. Links are removed, not followed.
///
/// # Errors
///
/// Those of [`std::fs::remove_dir_all`]; some of what is in it may then be removed.
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::remove_dir_all(path)).await
}

/// Removes a file.
///
/// # Errors
///
/// Those of [`std::fs::remove_file`].
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::remove_file(path)).await
}

/// Renames a file or directory; a file named `to` is replaced.
///
/// # Errors
///
/// Those of [`std::fs::rename`]; one when the names are on different file systems.
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    asyncify(move || fs::rename(from, to)).await
}

/// Sets the permissions of a file or directory.
///
/// # Errors
///
/// Those of [`std::fs::set_permissions`].
///
/// # On WASI
///
/// Always [`Unsupported`](std::io::ErrorKind::Unsupported): WASI has no permissions.
pub async fn set_permissions(path: impl AsRef<Path>, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::set_permissions(path, perm)).await
}

/// Creates the symbolic link `link`, which says `original`.
///
/// # Errors
///
/// Those of [`std::os::unix::fs::symlink`].
///
/// # On WASI
///
/// Missing, as std has it only behind an unstable feature there.
#[cfg(unix)]
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    asyncify(move || std::os::unix::fs::symlink(original, link)).await
}

/// What is known of a file, directory or link; links are not followed.
///
/// # Errors
///
/// Those of [`std::fs::symlink_metadata`].
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::symlink_metadata(path)).await
}

/// Whether something is there; links are followed.
///
/// # Errors
///
/// When that cannot be found out, for example for lack of permission.
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = path.as_ref().to_owned();
    asyncify(move || path.try_exists()).await
}

/// Writes a file: creates it, or replaces what it contains.
///
/// # Errors
///
/// Those of [`std::fs::write`]; part of `contents` may then be written.
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_owned());
    asyncify(move || fs::write(path, contents)).await
}
