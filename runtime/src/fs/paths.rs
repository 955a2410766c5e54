//! Operations on paths. Each function is std's function of the same name, run off the tasks' thread.

use std::fs::{self, Metadata, Permissions};
use std::io;
use std::path::{Path, PathBuf};

use super::asyncify;

/// Returns the absolute path, without links, `.` and `..`.
///
/// # Errors
///
/// The same as for [`std::fs::canonicalize`].
///
/// # On WASI
///
/// The path is the guest's own: its root is the one that the host gave it. `Unsupported` if std is too old to support
/// it.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let path = wasio::fs::canonicalize("../data").await?;
/// assert!(path.is_absolute());
/// # Ok(())
/// # }
/// ```
pub async fn canonicalize(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::canonicalize(path)).await
}

/// Copies a file's contents and permissions, and returns the number of bytes.
///
/// # Errors
///
/// The same as for [`std::fs::copy`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let bytes = wasio::fs::copy("from.txt", "to.txt").await?;
/// println!("{bytes} bytes");
/// # Ok(())
/// # }
/// ```
pub async fn copy(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<u64> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    asyncify(move || fs::copy(from, to)).await
}

/// Creates an empty directory.
///
/// # Errors
///
/// The same as for [`std::fs::create_dir`]. `NotFound` if the parent directory does not exist.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::create_dir("new").await?;
/// # Ok(())
/// # }
/// ```
pub async fn create_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::create_dir(path)).await
}

/// Creates a directory and its missing parents.
///
/// # Errors
///
/// The same as for [`std::fs::create_dir_all`].
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let folder = std::env::temp_dir().join(format!("wasio-dirs-{}", std::process::id()));
/// # wasio::fs::create_dir_all(&folder).await?;
///
/// wasio::fs::create_dir_all(folder.join("a/b/c")).await?;
/// assert!(wasio::fs::try_exists(folder.join("a/b")).await?);
/// wasio::fs::remove_dir_all(&folder).await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn create_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::create_dir_all(path)).await
}

/// Gives the file `original` the second name `link`.
///
/// # Errors
///
/// The same as for [`std::fs::hard_link`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::hard_link("file.txt", "second-name.txt").await?;
/// # Ok(())
/// # }
/// ```
pub async fn hard_link(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    asyncify(move || fs::hard_link(original, link)).await
}

/// Returns the metadata of a file or directory. Links are followed.
///
/// # Errors
///
/// The same as for [`std::fs::metadata`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let metadata = wasio::fs::metadata("file.txt").await?;
/// println!("{} bytes", metadata.len());
/// # Ok(())
/// # }
/// ```
pub async fn metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::metadata(path)).await
}

/// Reads a whole file.
///
/// # Errors
///
/// The same as for [`std::fs::read`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let bytes: Vec<u8> = wasio::fs::read("image.png").await?;
/// # Ok(())
/// # }
/// ```
pub async fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::read(path)).await
}

/// Returns the path that a symbolic link contains.
///
/// # Errors
///
/// The same as for [`std::fs::read_link`]. It is an error if the path is not a link.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let target = wasio::fs::read_link("link").await?;
/// println!("{}", target.display());
/// # Ok(())
/// # }
/// ```
pub async fn read_link(path: impl AsRef<Path>) -> io::Result<PathBuf> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::read_link(path)).await
}

/// Reads a whole file as text.
///
/// # Errors
///
/// The same as for [`std::fs::read_to_string`]. `InvalidData` if the content is not UTF-8.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let text = wasio::fs::read_to_string("config.toml").await?;
/// # Ok(())
/// # }
/// ```
pub async fn read_to_string(path: impl AsRef<Path>) -> io::Result<String> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::read_to_string(path)).await
}

/// Removes an empty directory.
///
/// # Errors
///
/// The same as for [`std::fs::remove_dir`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::remove_dir("empty").await?;
/// # Ok(())
/// # }
/// ```
pub async fn remove_dir(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::remove_dir(path)).await
}

/// Removes a directory with everything in it. Links are removed, not followed.
///
/// # Errors
///
/// The same as for [`std::fs::remove_dir_all`]. Part of the content may have been removed.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::remove_dir_all("build").await?;
/// # Ok(())
/// # }
/// ```
pub async fn remove_dir_all(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::remove_dir_all(path)).await
}

/// Removes a file.
///
/// # Errors
///
/// The same as for [`std::fs::remove_file`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::remove_file("old.txt").await?;
/// # Ok(())
/// # }
/// ```
pub async fn remove_file(path: impl AsRef<Path>) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::remove_file(path)).await
}

/// Renames a file or directory. An existing file named `to` is replaced.
///
/// # Errors
///
/// The same as for [`std::fs::rename`]. It is an error if the names are on different file systems.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// wasio::fs::rename("new.txt", "current.txt").await?;
/// # Ok(())
/// # }
/// ```
pub async fn rename(from: impl AsRef<Path>, to: impl AsRef<Path>) -> io::Result<()> {
    let (from, to) = (from.as_ref().to_owned(), to.as_ref().to_owned());
    asyncify(move || fs::rename(from, to)).await
}

/// Sets the permissions of a file or directory.
///
/// # Errors
///
/// The same as for [`std::fs::set_permissions`].
///
/// # On WASI
///
/// Always [`Unsupported`](std::io::ErrorKind::Unsupported): WASI has no permissions.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let mut permissions = wasio::fs::metadata("file.txt").await?.permissions();
/// permissions.set_readonly(true);
/// wasio::fs::set_permissions("file.txt", permissions).await?;
/// # Ok(())
/// # }
/// ```
pub async fn set_permissions(path: impl AsRef<Path>, perm: Permissions) -> io::Result<()> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::set_permissions(path, perm)).await
}

/// Returns the metadata of a file, directory or link. Links are not followed.
///
/// # Errors
///
/// The same as for [`std::fs::symlink_metadata`].
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let metadata = wasio::fs::symlink_metadata("link").await?;
/// assert!(metadata.is_symlink());
/// # Ok(())
/// # }
/// ```
pub async fn symlink_metadata(path: impl AsRef<Path>) -> io::Result<Metadata> {
    let path = path.as_ref().to_owned();
    asyncify(move || fs::symlink_metadata(path)).await
}

/// Returns whether a file or directory exists. Links are followed.
///
/// # Errors
///
/// Fails if the system cannot tell, for example for lack of permission.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// if !wasio::fs::try_exists("config.toml").await? {
///     println!("using the defaults");
/// }
/// # Ok(())
/// # }
/// ```
pub async fn try_exists(path: impl AsRef<Path>) -> io::Result<bool> {
    let path = path.as_ref().to_owned();
    asyncify(move || path.try_exists()).await
}

/// Writes a whole file. Creates the file, or replaces its contents.
///
/// # Errors
///
/// The same as for [`std::fs::write`]. Part of `contents` may have been written.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let folder = std::env::temp_dir().join(format!("wasio-write-{}", std::process::id()));
/// # wasio::fs::create_dir_all(&folder).await?;
///
/// let path = folder.join("greeting");
/// wasio::fs::write(&path, "hello").await?;
/// assert_eq!(wasio::fs::read(&path).await?, b"hello");
/// assert_eq!(wasio::fs::read_to_string(&path).await?, "hello");
/// # wasio::fs::remove_dir_all(&folder).await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn write(path: impl AsRef<Path>, contents: impl AsRef<[u8]>) -> io::Result<()> {
    let (path, contents) = (path.as_ref().to_owned(), contents.as_ref().to_owned());
    asyncify(move || fs::write(path, contents)).await
}
