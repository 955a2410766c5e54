//! The standard input on WASI 0.2: a stream of the host, read when its pollable is ready.
//!
//! It bypasses std's stdin, whose reads block the guest.

use std::io;
use std::sync::Arc;

use wasip2::cli::stdin::get_stdin;
use wasip2::io::poll::Pollable;
use wasip2::io::streams::{InputStream, StreamError};

use crate::io::{Buf, DEFAULT_BUF_SIZE, Interest};
use crate::once::Once;
use crate::reactor::{Direction, Source, Subscribe};

/// The number of bytes that one read asks for.
const CHUNK: usize = DEFAULT_BUF_SIZE;

#[derive(Debug)]
pub(crate) struct Stream(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    // A child of the stream: dropped before it.
    pollable: Once<Pollable>,
    input: InputStream,
}

impl Subscribe for Inner {
    fn pollable(&self, _: Direction) -> Option<u32> {
        Some(self.pollable.get_or_init(|| self.input.subscribe()).handle())
    }
}

impl Stream {
    pub(crate) fn open() -> Stream {
        Stream(Arc::new(Inner { pollable: Once::new(), input: get_stdin() }))
    }

    pub(crate) fn register(&self) -> io::Result<Source> {
        Source::with_interest(self.0.clone(), Interest::READABLE)
    }

    /// Reads the data that is there. Returns `WouldBlock` if there is none.
    pub(crate) fn read(&self, buf: &mut Buf) -> io::Result<()> {
        match self.0.input.read(CHUNK as u64) {
            Ok(bytes) if bytes.is_empty() => Err(io::ErrorKind::WouldBlock.into()),
            result => fill(buf, result),
        }
    }

    /// Reads, and blocks the guest until there is data.
    pub(crate) fn read_blocking(&self, buf: &mut Buf) -> io::Result<()> {
        fill(buf, self.0.input.blocking_read(CHUNK as u64))
    }
}

fn fill(buf: &mut Buf, result: Result<Vec<u8>, StreamError>) -> io::Result<()> {
    let bytes = match result {
        Err(StreamError::Closed) => Vec::new(),
        Err(StreamError::LastOperationFailed(e)) => {
            return Err(io::Error::other(e.to_debug_string()));
        }
        Ok(bytes) => bytes,
    };
    buf.read_from(&mut bytes.as_slice(), CHUNK)
}
