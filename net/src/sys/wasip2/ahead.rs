//! Bytes that were read ahead of the program, to peek or to find out whether the end has come.
//!
//! `wasi:sockets` can do neither without reading. The bytes are kept, and later reads return them first.

use std::io;
use std::mem::MaybeUninit;
use std::sync::atomic::Ordering;
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasio_runtime::once::Once;

use super::tcp::{Streams, fill};

/// The maximum number of bytes that are read ahead to find the end.
const MAX_AHEAD: usize = 4 * 1024;

/// Reads the bytes that are kept, and after them new ones.
type Read = fn(&Streams, &mut [MaybeUninit<u8>]) -> io::Result<usize>;

#[derive(Default)]
pub(super) struct Ahead {
    /// Set when bytes are first read ahead.
    // SIZE: a pointer, so that a program that never reads ahead links no code for it (decision 0011).
    read: Once<Read>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    bytes: Vec<u8>,
    /// The error after the bytes, because the host reports an error only once.
    error: Option<io::ErrorKind>,
}

impl Kept {
    /// Records whether a read would find something here without asking the host.
    fn note(&self, streams: &Streams) {
        let is_kept = !self.bytes.is_empty() || self.error.is_some();
        streams.is_ahead.store(is_kept, Ordering::Relaxed);
    }

    /// Reads until there are `len` bytes, if they have arrived. `Ok(false)` is the end.
    fn extend(&mut self, streams: &Streams, len: usize) -> io::Result<bool> {
        let missing = len.saturating_sub(self.bytes.len());
        if missing == 0 || self.error.is_some() {
            return Ok(true);
        }
        match streams.read(missing) {
            Ok(more) => {
                self.bytes.extend_from_slice(&more);
                return Ok(!more.is_empty());
            }
            Err(e) if self.bytes.is_empty() => return Err(e),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(e) => self.error = Some(e.kind()),
        }
        Ok(true)
    }
}

impl Ahead {
    /// Returns the function that reads bytes that may be kept, if any ever were.
    pub(super) fn reader(&self) -> Option<Read> {
        self.read.get().copied()
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.read.set(read);
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn read(streams: &Streams, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    let mut kept = streams.ahead.lock();
    if kept.bytes.is_empty() {
        let error = kept.error.take();
        kept.note(streams);
        return match error {
            Some(error) => Err(error.into()),
            None => streams.read(buf.len()).map(|bytes| fill(buf, &bytes)),
        };
    }
    let n = fill(buf, &kept.bytes);
    kept.bytes.drain(..n);
    kept.note(streams);
    Ok(n)
}

/// Copies the bytes that have arrived, and keeps them.
pub(super) fn peek(streams: &Streams, buf: &mut [MaybeUninit<u8>]) -> io::Result<usize> {
    let mut kept = streams.ahead.lock();
    if kept.bytes.is_empty() {
        if let Some(error) = kept.error {
            return Err(error.into());
        }
    }
    // A peek has to see all bytes that have arrived.
    let result = kept.extend(streams, buf.len());
    kept.note(streams);
    result.map(|_| fill(buf, &kept.bytes))
}

/// Returns whether the peer has sent its end, or is gone.
pub(super) fn is_closed(streams: &Streams) -> bool {
    let mut kept = streams.ahead.lock();
    let more = kept.extend(streams, MAX_AHEAD);
    if let Err(e) = &more {
        if e.kind() != io::ErrorKind::WouldBlock {
            kept.error = Some(e.kind());
        }
    }
    kept.note(streams);
    matches!(more, Ok(false)) || kept.error.is_some()
}
