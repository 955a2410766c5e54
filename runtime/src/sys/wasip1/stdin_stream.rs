//! The standard input on preview 1: descriptor 0, read through std.

use std::io;

use crate::io::{Buf, DEFAULT_BUF_SIZE, Interest, Ready};
use crate::reactor::Source;

/// As much as std's own buffer, so that std hands the read on and keeps nothing back.
const CHUNK: usize = DEFAULT_BUF_SIZE;

#[derive(Debug)]
pub(crate) struct Stream;

impl Stream {
    pub(crate) fn open() -> Stream {
        Stream
    }

    /// Registers it. A read is worth an attempt only after an event, because it would block before. An event with an
    /// error, which some hosts report of a regular file, is one, too: reading tells.
    pub(crate) fn register(&self) -> io::Result<Source> {
        let source = Source::with_interest(0, Interest::READABLE)?;
        source.never_try_first(Ready::READABLE);
        Ok(source)
    }

    /// Reads what is there.
    pub(crate) fn read(&self, buf: &mut Buf) -> io::Result<()> {
        buf.read_from(&mut io::stdin(), CHUNK)
    }

    /// Reads, and blocks the guest until there is something.
    pub(crate) fn read_blocking(&self, buf: &mut Buf) -> io::Result<()> {
        self.read(buf)
    }
}
