//! Folders, opened by descriptor, and the files in them.
//!
//! [`Folder::private`] opens a folder whose files are trusted: only the effective user can have put them there.
//! [`Folder::outside`] opens a folder that the host writes to while guests run. Files are read and replaced relative to
//! the descriptor. Links are never followed, and only regular files are read.
//!
//! Windows has neither owners nor modes in this sense. There, only links and types are checked, and the access lists of
//! the user's own folders do the rest.

use std::ffi::OsStr;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use std::{fmt, io};

#[cfg(not(unix))]
#[path = "other.rs"]
mod imp;
#[cfg(unix)]
#[path = "unix.rs"]
mod imp;

/// A folder.
#[derive(Debug)]
pub struct Folder {
    inner: imp::Folder,
    path: PathBuf,
}

/// A regular file in a private folder.
#[derive(Debug)]
pub struct Entry {
    /// Its name.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// When the file was last written, or opened with [`Folder::open_used`].
    pub used: SystemTime,
}

impl Folder {
    /// Opens a folder that belongs to the effective user. Creates it and its ancestors if they are missing.
    ///
    /// # Errors
    ///
    /// An error of the file system. An error without an OS error number if another user could change the contents of
    /// the folder:
    ///
    /// - the folder is a link, or belongs to another user;
    /// - its group or others can write to it;
    /// - a folder or link on the way belongs to neither the user nor root;
    /// - others can write to a folder on the way, and it has no sticky bit.
    pub fn private(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        Ok(Folder { inner: imp::Folder::private(&path)?, path })
    }

    /// Opens an existing folder. Links on the way are followed, except for links in a folder of `granted`, which guests
    /// can create.
    ///
    /// # Errors
    ///
    /// An error of the file system, or an error without an OS error number if there is such a link.
    pub fn outside(path: &Path, granted: &[PathBuf]) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        Ok(Folder { inner: imp::Folder::outside(&path, granted)?, path })
    }

    /// Returns the path of the folder when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file of a private folder.
    ///
    /// # Errors
    ///
    /// An error of the file system. An error without an OS error number if the file is longer than `most` bytes, is not
    /// a regular file, does not belong to the effective user, or can be written by its group or others.
    pub fn read(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        self.inner.read(name, most)
    }

    /// Reads a file as [`Folder::read`] does, and marks it as used.
    ///
    /// # Errors
    ///
    /// The same as for [`Folder::read`].
    pub fn read_used(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let (file, len) = self.open_used(name, most)?;
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Opens a file that [`Folder::read`] would read, and marks it as used. Returns the file and its length in bytes.
    ///
    /// # Errors
    ///
    /// The same as for [`Folder::read`].
    pub fn open_used(&self, name: &str, most: u64) -> io::Result<(File, u64)> {
        self.inner.open_used(name, most)
    }

    /// Replaces the file or link of this name, if any, with a file of this content. The replacement is atomic.
    ///
    /// # Errors
    ///
    /// An error of the file system. The folder is then unchanged.
    pub fn replace(&self, name: &OsStr, parts: &[&[u8]]) -> io::Result<()> {
        self.inner.replace(name, parts)
    }

    /// Returns the files that [`Folder::read`] would read.
    ///
    /// # Errors
    ///
    /// An error of the file system.
    pub fn entries(&self) -> io::Result<Vec<Entry>> {
        self.inner.entries()
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// An error of the file system.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        self.inner.remove(name)
    }
}

/// The suffix of files that have not been renamed into place.
const TEMPORARY: &str = ".tmp";

/// Returns a name that cannot be guessed.
fn random_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!(".{:032x}{TEMPORARY}", u128::from_ne_bytes(bytes)))
}

/// Returns whether a name is a temporary one of [`Folder::replace`].
pub(crate) fn is_temporary(name: &str) -> bool {
    let digits = name.strip_prefix('.').and_then(|name| name.strip_suffix(TEMPORARY));
    digits.is_some_and(|digits| digits.len() == 32 && is_hex(digits))
}

/// Returns whether a text consists of lowercase hexadecimal digits, as digests are written.
pub(crate) fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn refused(message: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, message.to_string())
}

/// Returns whether an error is a refusal by the rules of this module, not an error of the system.
pub fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}
