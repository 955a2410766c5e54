//! What is in a directory.

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

/// How many entries are read at once.
const CHUNK: usize = 32;

/// The entries of a directory, in no particular order, without `.` and `..`.
///
/// # Errors
///
/// Those of [`std::fs::read_dir`].
pub async fn read_dir(path: impl AsRef<Path>) -> io::Result<ReadDir> {
    let path = path.as_ref().to_owned();
    asyncify(move || Ok(ReadDir(State::Idle(Some(Entries::open(&path)?))))).await
}

/// The entries of a directory, one after the other. Made by [`read_dir`].
#[derive(Debug)]
#[must_use = "streams do nothing unless polled"]
pub struct ReadDir(State);

#[derive(Debug)]
enum State {
    /// `None`: the job that had the entries failed.
    Idle(Option<Entries>),
    Reading(Job<Entries>),
}

/// A directory, and those of its entries that are read ahead.
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
                // Most systems tell it with the entry.
                DirEntry { file_type: std.file_type().ok(), std: Arc::new(std) }
            }));
            if failed || self.ahead.len() == CHUNK {
                return;
            }
        }
    }
}

impl ReadDir {
    /// The next entry, or `None` after the last one.
    ///
    /// # Errors
    ///
    /// Those of the system. Whether calling again makes sense depends on them.
    ///
    /// # Cancel safety
    ///
    /// Safe: no entry is lost.
    pub async fn next_entry(&mut self) -> io::Result<Option<DirEntry>> {
        poll_fn(|cx| self.poll_next_entry(cx)).await
    }

    /// Like [`next_entry`](Self::next_entry), for those who poll.
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

/// An entry of a directory. Made by [`ReadDir::next_entry`].
#[derive(Debug)]
pub struct DirEntry {
    file_type: Option<FileType>,
    std: Arc<std::fs::DirEntry>,
}

impl DirEntry {
    /// The path: that given to [`read_dir`], and the name.
    pub fn path(&self) -> PathBuf {
        self.std.path()
    }

    /// The name in the directory.
    pub fn file_name(&self) -> OsString {
        self.std.file_name()
    }

    /// What is known of the entry; a link is not followed.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::DirEntry::metadata`].
    pub async fn metadata(&self) -> io::Result<Metadata> {
        let std = self.std.clone();
        asyncify(move || std.metadata()).await
    }

    /// Whether it is a file, a directory or a link; a link is not followed.
    ///
    /// # Errors
    ///
    /// Those of [`std::fs::DirEntry::file_type`].
    pub async fn file_type(&self) -> io::Result<FileType> {
        if let Some(file_type) = self.file_type {
            return Ok(file_type);
        }
        let std = self.std.clone();
        asyncify(move || std.file_type()).await
    }

    /// The inode's number.
    #[cfg(unix)]
    pub fn ino(&self) -> u64 {
        std::os::unix::fs::DirEntryExt::ino(&*self.std)
    }
}
