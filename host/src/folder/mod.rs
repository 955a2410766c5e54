//! Folders, opened by descriptor, and the files in them.
//!
//! [`Folder::private`] opens a folder whose files are trusted: nobody but the effective user can have put them there.
//! [`Folder::outside`] opens a folder that the host writes to while guests run. Files are read and replaced relative to
//! the descriptor; a link is never followed, and nothing that is not a regular file is read.
//!
//! Windows has neither owners nor modes in this sense: there, only links and types are checked, and the access lists of
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
    /// When it was last written, or opened with [`Folder::open_used`].
    pub used: SystemTime,
}

impl Folder {
    /// Opens a folder of the effective user's, and makes it and those above it if they are missing.
    ///
    /// # Errors
    ///
    /// An error of the file system, or an error without a number if somebody else could change what is in the folder:
    /// it is a link or not the user's, its group or others can write to it, or a folder or link on the way belongs to
    /// neither the user nor root, or can be written by others who are not kept from removing what is not theirs.
    pub fn private(path: &Path) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        Ok(Folder { inner: imp::Folder::private(&path)?, path })
    }

    /// Opens an existing folder. Links on the way are followed, but for those in a folder of `granted`, which guests
    /// can make.
    ///
    /// # Errors
    ///
    /// An error of the file system, or an error without a number if there is such a link.
    pub fn outside(path: &Path, granted: &[PathBuf]) -> io::Result<Folder> {
        let path = std::path::absolute(path)?;
        Ok(Folder { inner: imp::Folder::outside(&path, granted)?, path })
    }

    /// Where the folder was when it was opened.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads a file of a private folder.
    ///
    /// # Errors
    ///
    /// An error of the file system, or an error without a number if it is longer than `most` bytes, no regular file,
    /// not the effective user's, or if its group or others can write to it.
    pub fn read(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        self.inner.read(name, most)
    }

    /// Does the same, and notes that the file was used.
    ///
    /// # Errors
    ///
    /// As [`Folder::read`].
    pub fn read_used(&self, name: &str, most: u64) -> io::Result<Vec<u8>> {
        let (file, len) = self.open_used(name, most)?;
        let mut bytes = Vec::new();
        file.take(len).read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Opens such a file, and notes that it was used. Returns its length in bytes, too.
    ///
    /// # Errors
    ///
    /// As [`Folder::read`].
    pub fn open_used(&self, name: &str, most: u64) -> io::Result<(File, u64)> {
        self.inner.open_used(name, most)
    }

    /// Puts a file with this content in the place of whatever file or link has the name, in one step.
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

/// What the files are called that are not yet in their place.
const TEMPORARY: &str = ".tmp";

/// A name that nobody can guess.
fn random_name() -> io::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    Ok(format!(".{:032x}{TEMPORARY}", u128::from_ne_bytes(bytes)))
}

/// Whether [`Folder::replace`] gives such names to files.
pub(crate) fn is_temporary(name: &str) -> bool {
    let digits = name.strip_prefix('.').and_then(|name| name.strip_suffix(TEMPORARY));
    digits.is_some_and(|digits| digits.len() == 32 && is_hex(digits))
}

/// Whether a text is digits of a number, as digests are written.
pub(crate) fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

fn refused(message: impl fmt::Display) -> io::Error {
    io::Error::new(io::ErrorKind::PermissionDenied, message.to_string())
}

/// Whether an error is one of the rules here, and not the system's.
pub fn is_refusal(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::PermissionDenied && error.raw_os_error().is_none()
}
