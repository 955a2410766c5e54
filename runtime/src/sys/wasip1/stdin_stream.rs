//! The standard input on preview 1: descriptor 0, read through std.

use std::io;

use crate::io::{Buf, DEFAULT_BUF_SIZE, Interest, Ready};
use crate::reactor::Source;

/// The size of std's own buffer: std passes a read of this size on and keeps nothing back.
const CHUNK: usize = DEFAULT_BUF_SIZE;

#[derive(Debug)]
pub(crate) struct Stream;

impl Stream {
    pub(crate) fn open() -> Stream {
        Stream
    }

    /// Registers the descriptor. A read is attempted only after an event, because it would block before. That includes
    /// an event with an error, which some hosts report for a regular file: the read tells what it means.
    pub(crate) fn register(&self) -> io::Result<Source> {
        let source = Source::with_interest(0, Interest::READABLE)?;
        source.never_try_first(Ready::READABLE);
        Ok(source)
    }

    /// Reads the data that is there.
    pub(crate) fn read(&self, buf: &mut Buf) -> io::Result<()> {
        buf.read_from(&mut io::stdin(), CHUNK)
    }

    /// Reads, and blocks the guest until there is data.
    pub(crate) fn read_blocking(&self, buf: &mut Buf) -> io::Result<()> {
        self.read(buf)
    }
}
