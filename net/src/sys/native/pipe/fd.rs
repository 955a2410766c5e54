//! The descriptor of a pipe.

use std::fs::OpenOptions;
use std::io::{self, IoSlice, IoSliceMut};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd, RawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use bytes::BufMut;
use rustix::fs::{FileType, OFlags};
use wasio_runtime::io::ReadBuf;

use crate::sys::buf::{append, fill};

/// One end of a pipe.
#[derive(Debug)]
pub(crate) struct Pipe(OwnedFd);

/// The direction that a descriptor permits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Read,
    Write,
}

impl Pipe {
    /// Creates a pipe and returns both ends, the reading one first.
    pub(crate) fn new() -> io::Result<(Pipe, Pipe)> {
        #[cfg(not(target_vendor = "apple"))]
        let (read, write) = {
            use rustix::pipe::{PipeFlags, pipe_with};
            pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC)?
        };
        #[cfg(target_vendor = "apple")]
        let (read, write) = {
            let (read, write) = rustix::pipe::pipe()?;
            (super::super::socket::unblock(read)?, super::super::socket::unblock(write)?)
        };
        Ok((Pipe(read), Pipe(write)))
    }

    /// Opens a named pipe without waiting for the other end.
    pub(crate) fn open(path: &Path, end: End, both: bool) -> io::Result<Pipe> {
        let file = OpenOptions::new()
            .read(both || end == End::Read)
            .write(both || end == End::Write)
            .custom_flags(OFlags::NONBLOCK.bits() as i32)
            .open(path)?;
        Ok(Pipe(file.into()))
    }

    /// Takes a descriptor without changing it.
    pub(crate) fn unchecked(fd: OwnedFd) -> Pipe {
        Pipe(fd)
    }

    pub(crate) fn is_pipe(&self) -> io::Result<bool> {
        let stat = rustix::fs::fstat(&self.0)?;
        Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Fifo)
    }

    /// Returns whether the descriptor was opened for this direction.
    pub(crate) fn permits(&self, end: End) -> io::Result<bool> {
        let mode = rustix::fs::fcntl_getfl(&self.0)? & OFlags::RWMODE;
        let wanted = if end == End::Read { OFlags::RDONLY } else { OFlags::WRONLY };
        Ok(mode == wanted || mode == OFlags::RDWR)
    }

    pub(crate) fn set_nonblocking(&self, on: bool) -> io::Result<()> {
        let mut flags = rustix::fs::fcntl_getfl(&self.0)?;
        flags.set(OFlags::NONBLOCK, on);
        Ok(rustix::fs::fcntl_setfl(&self.0, flags)?)
    }

    pub(crate) fn into_fd(self) -> OwnedFd {
        self.0
    }

    pub(crate) fn read(&self, buf: &mut [u8]) -> io::Result<usize> {
        Ok(rustix::io::read(&self.0, buf)?)
    }

    pub(crate) fn read_vectored(&self, bufs: &mut [IoSliceMut<'_>]) -> io::Result<usize> {
        Ok(rustix::io::readv(&self.0, bufs)?)
    }

    pub(crate) fn read_into(&self, buf: &mut ReadBuf<'_>) -> io::Result<()> {
        fill(buf, |space| Ok((rustix::io::read(&self.0, space)?.0.len(), ()))).map(drop)
    }

    pub(crate) fn read_buf<B: BufMut>(&self, buf: &mut B) -> io::Result<usize> {
        append(buf, |space| Ok((rustix::io::read(&self.0, space)?.0.len(), ()))).map(|(n, ())| n)
    }

    pub(crate) fn write(&self, buf: &[u8]) -> io::Result<usize> {
        Ok(rustix::io::write(&self.0, buf)?)
    }

    pub(crate) fn write_vectored(&self, bufs: &[IoSlice<'_>]) -> io::Result<usize> {
        Ok(rustix::io::writev(&self.0, bufs)?)
    }
}

impl AsRawFd for Pipe {
    fn as_raw_fd(&self) -> RawFd {
        self.0.as_raw_fd()
    }
}

impl AsFd for Pipe {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}
