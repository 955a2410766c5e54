//! Methods of files and directories that only native targets have.

use std::io;
use std::os::unix::fs::{DirBuilderExt, DirEntryExt, OpenOptionsExt};
use std::path::Path;
use std::time::SystemTime;

use crate::fs::{DirBuilder, DirEntry, OpenOptions, asyncify};

impl DirBuilder {
    /// Sets the permission bits of the new directory, less the process's umask. The default is 0o777.
    pub fn mode(&mut self, mode: u32) -> &mut Self {
        self.mode = Some(mode);
        self
    }
}

impl DirEntry {
    /// Returns the number of the inode.
    pub fn ino(&self) -> u64 {
        self.std.ino()
    }
}

impl OpenOptions {
    /// Sets the permission bits of a new file, less the process's umask. The default is 0o666.
    pub fn mode(&mut self, mode: u32) -> &mut OpenOptions {
        self.0.mode(mode);
        self
    }

    /// Sets more flags for `open`, such as `O_NOFOLLOW`. An access mode among them is ignored.
    pub fn custom_flags(&mut self, flags: i32) -> &mut OpenOptions {
        self.0.custom_flags(flags);
        self
    }
}

#[cfg(target_vendor = "apple")]
impl crate::fs::FileTimes {
    /// Sets the time at which the file was created.
    pub fn set_created(mut self, t: SystemTime) -> Self {
        self.created = Some(t);
        self
    }
}

/// Creates the symbolic link `link`, which points to `original`.
///
/// # Errors
///
/// The same as for [`std::os::unix::fs::symlink`].
///
/// # On WASI
///
/// Missing, as std has it only behind an unstable feature there.
pub async fn symlink(original: impl AsRef<Path>, link: impl AsRef<Path>) -> io::Result<()> {
    let (original, link) = (original.as_ref().to_owned(), link.as_ref().to_owned());
    asyncify(move || std::os::unix::fs::symlink(original, link)).await
}

pub(crate) fn set_mode(builder: &mut std::fs::DirBuilder, mode: u32) {
    builder.mode(mode);
}

#[cfg(target_vendor = "apple")]
pub(crate) fn set_created(times: std::fs::FileTimes, created: SystemTime) -> std::fs::FileTimes {
    std::os::darwin::fs::FileTimesExt::set_created(times, created)
}

#[cfg(not(target_vendor = "apple"))]
pub(crate) fn set_created(times: std::fs::FileTimes, _: SystemTime) -> std::fs::FileTimes {
    times
}
