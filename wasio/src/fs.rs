//! Files and directories.
//!
//! Natively each operation runs in a thread of its own, so that it does not hold up the tasks.
//!
//! # On WASI
//!
//! There are no threads: each operation blocks the guest until the host has done it. A guest sees only the
//! directories that the host gives it.

#[cfg(unix)]
pub use wasio_runtime::fs::symlink;
pub use wasio_runtime::fs::{
    DirBuilder, DirEntry, File, FileTimes, OpenOptions, ReadDir, canonicalize, copy, create_dir,
    create_dir_all, hard_link, metadata, read, read_dir, read_link, read_to_string, remove_dir,
    remove_dir_all, remove_file, rename, set_permissions, symlink_metadata, try_exists, write,
};
