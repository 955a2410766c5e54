//! The descriptors of files.
#![allow(unsafe_code)] // `FromRawFd::from_raw_fd` is unsafe.

use std::fs::File as StdFile;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use crate::fs::File;

impl From<OwnedFd> for File {
    fn from(fd: OwnedFd) -> Self {
        Self::from_std(StdFile::from(fd))
    }
}

impl AsRawFd for File {
    fn as_raw_fd(&self) -> RawFd {
        self.std.as_raw_fd()
    }
}

impl AsFd for File {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.std.as_fd()
    }
}

impl FromRawFd for File {
    unsafe fn from_raw_fd(fd: RawFd) -> Self {
        // SAFETY: the caller gives a descriptor that is open and its own, as this function demands, too.
        Self::from_std(unsafe { StdFile::from_raw_fd(fd) })
    }
}
