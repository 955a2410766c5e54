//! Files and directories without blocking the tasks.
//!
//! Operating systems have no good way to wait for files, so natively each operation runs in a thread of its
//! own ([`spawn_blocking`](crate::task::spawn_blocking)). That makes many small ones slow: read and write a
//! file as a whole ([`read`], [`write`](fn@write)), or in large pieces, through a
//! [`BufReader`](crate::io::BufReader) or [`BufWriter`](crate::io::BufWriter).
//!
//! # Panics
//!
//! Every operation panics outside of a runtime.
//!
//! # Cancel safety
//!
//! Dropping a future does not stop its operation: a file may still be written, removed or renamed later.
//!
//! # On WASI
//!
//! There are no threads: each operation blocks the guest until the host has completed it, and is complete when the
//! first poll returns. Each counts against the task's budget, so a task that only uses files lets other tasks run. A
//! guest sees only the directories that the host gives it (`--dir`).
//!
//! # Examples
//!
//! ```
//! # #[wasio::main(flavor = "current_thread")]
//! # async fn main() -> std::io::Result<()> {
//! # let path = format!("wasio-doc-{}.txt", std::process::id());
//! wasio::fs::write(&path, "hello").await?;
//! assert_eq!(wasio::fs::read_to_string(&path).await?, "hello");
//! wasio::fs::remove_file(&path).await?;
//! # Ok(())
//! # }
//! ```

mod dir_builder;
mod file;
mod file_times;
mod open_options;
mod paths;
mod read_dir;

pub use dir_builder::DirBuilder;
pub use file::File;
pub use file_times::FileTimes;
pub use open_options::OpenOptions;
pub use paths::{
    canonicalize, copy, create_dir, create_dir_all, hard_link, metadata, read, read_link,
    read_to_string, remove_dir, remove_dir_all, remove_file, rename, set_permissions,
    symlink_metadata, try_exists, write,
};
pub use read_dir::{DirEntry, ReadDir, read_dir};

#[allow(unused_imports, unreachable_pub)] // Some targets have nothing of their own here.
pub use crate::sys::public::fs::*;

use std::io;

/// Runs an operation of std on a thread where it holds up no task.
pub(crate) async fn asyncify<T: Send + 'static>(
    f: impl FnOnce() -> io::Result<T> + Send + 'static,
) -> io::Result<T> {
    match crate::io::run(f).await {
        Ok(result) => result,
        Err(_) => Err(io::Error::other("background task failed")),
    }
}
