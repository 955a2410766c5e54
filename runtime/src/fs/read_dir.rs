//! The entries of a directory.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::{FileType, Metadata};
use std::future::{Future, poll_fn};
use std::io;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use super::asyncify;
use crate::io::{Job, run};

/// The number of entries read at once.
const CHUNK: usize = 32;

/// Reads the entries of a directory, in no particular order, without `.` and `..`.
///
/// # Errors
///
/// The same as for [`std::fs::read_dir`].
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// # let folder = std::env::temp_dir().join(format!("wasio-read-dir-{}", std::process::id()));
/// # wasio::fs::create_dir_all(&folder).await?;
///
/// # wasio::fs::write(folder.join("a"), "").await?;
/// let mut entries = wasio::fs::read_dir(&folder).await?;
/// while let Some(entry) = entries.next_entry().await? {
///     assert_eq!(entry.file_name(), "a");
/// }
/// # wasio::fs::remove_dir_all(&folder).await?;
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    asyncify(move || Ok(ReadDir(State::Idle(Some(Entries::open(&path)?))))).await
}

/// The entries of a directory, one after the other. [`read_dir`] creates it.
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ReadDir(State);

#[derive(Debug)]
enum State {
    /// `None`: the job that had the entries failed.
    Idle(Option<Entries>),
    Reading(Job<Entries>),
}

/// A directory, and the entries that were read ahead.
#[derive(Debug)]
struct Entries {
    ahead: VecDeque<io::Result<DirEntry>>,
    /// `None` after the last entry.
    std: Option<std::fs::ReadDir>,
}

impl Entries {
    fn open(path: &Path) -> io::Result<Entries> {
        let mut entries =
            Entries { ahead: VecDeque::with_capacity(CHUNK), std: Some(std::fs::read_dir(path)?) };
        entries.read_chunk();
        Ok(entries)
    }

    /// Reads ahead, blocking, up to the first error.
    fn read_chunk(&mut self) {
        while let Some(std) = &mut self.std {
            let Some(entry) = std.next() else {
                self.std = None;
                return;
            };
            let failed = entry.is_err();
            self.ahead.push_back(entry.map(|std| {
                // Most systems return it with the entry.
                DirEntry { file_type: std.file_type().ok(), std: Arc::new(std) }
            }));
            if failed || self.ahead.len() == CHUNK {
                return;
            }
        }
    }
}

impl ReadDir {
    /// Returns the next entry, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// An error of reading the directory. Whether another call makes sense depends on the error.
    ///
    /// # Cancel safety
    ///
    /// Safe: no entry is lost.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// Like [`next_entry`](Self::next_entry), for hand-written futures.
    pub fn poll_next_entry(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<Option<DirEntry>>> {
        loop {
            match &mut self.0 {
                State::Idle(slot) => {
                    let Some(mut entries) = slot.take() else { return Poll::Ready(Ok(None)) };
                    let next = entries.ahead.pop_front();
                    if next.is_none() && entries.std.is_some() {
                        self.0 = State::Reading(run(move || {
                            entries.read_chunk();
                            entries
                        }));
                    } else {
                        *slot = Some(entries);
                        return Poll::Ready(next.transpose());
                    }
                }
                State::Reading(job) => {
                    let result = ready!(Pin::new(job).poll(cx));
                    let (entries, failed) = match result {
                        Ok(entries) => (Some(entries), Ok(())),
                        Err(e) => (None, Err(e)),
                    };
                    self.0 = State::Idle(entries);
                    failed?;
                }
            }
        }
    }
}

/// An entry of a directory. [`ReadDir::next_entry`] creates it.
///
/// # Examples
///
/// ```no_run
/// # async fn example() -> std::io::Result<()> {
/// let mut entries = wasio::fs::read_dir(".").await?;
/// while let Some(entry) = entries.next_entry().await? {
///     println!("{}: {} bytes", entry.path().display(), entry.metadata().await?.len());
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct DirEntry {
    file_type: Option<FileType>,
    pub(crate) std: Arc<std::fs::DirEntry>,
}

impl DirEntry {
    /// Returns the path: the one given to [`read_dir`], with the name appended.
    pub fn path(&self) -> PathBuf {
        self.std.path()
    }

    /// Returns the name in the directory.
    pub fn file_name(&self) -> OsString {
        self.std.file_name()
    }

    /// Returns the metadata of the entry. A link is not followed.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::DirEntry::metadata`].
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let std = self.std.clone();
        asyncify(move || std.metadata()).await
    }

    /// Returns the type: file, directory or link. A link is not followed.
    ///
    /// # Errors
    ///
    /// The same as for [`std::fs::DirEntry::file_type`].
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(file_type) = self.file_type {
            return Ok(file_type);
        }
        let std = self.std.clone();
        asyncify(move || std.file_type()).await
    }
}
