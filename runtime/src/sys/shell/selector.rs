//! A reactor without sources.

use std::io;

use super::park::Unparker;
use crate::io::{Interest, Ready};
use crate::reactor::{Event, PollMode};
use crate::sys::{HOST, Outcome};

/// The type that names a source on other targets.
#[derive(Clone, Copy, Debug)]
pub struct Raw;

/// Shared by all threads.
pub(crate) struct Selector {
    unparker: Unparker,
}

/// Owned by the thread that parks.
pub(crate) struct Poller;

pub(crate) fn new() -> io::Result<(Selector, Poller)> {
    Ok((Selector { unparker: Unparker::default() }, Poller))
}

/// The shell makes no attempts before it parks, so no time is needed.
pub(crate) fn now() -> u64 {
    0
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        self.unparker.clone()
    }

    /// True with threads: another thread can always wake this one.
    pub(crate) fn is_armed(&self) -> bool {
        HOST.has_threads
    }

    pub(crate) fn register(&self, _: &Raw, _: usize, _: Interest) -> io::Result<()> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "this target has no sources to wait for"))
    }

    pub(crate) fn deregister(&self, _: &Raw, _: usize) {}

    pub(crate) fn arm(&self, _: &Raw, _: usize, _: Interest) {}

    pub(crate) fn disarm(&self, _: usize) -> Ready {
        Ready::EMPTY
    }
}

impl Poller {
    pub(crate) fn poll(
        &mut self,
        selector: &Selector,
        mode: PollMode<'_>,
        _: u32,
        _: &mut Vec<Event>,
    ) -> Outcome {
        if let PollMode::Blocking { timeout, unless } = mode {
            selector.unparker.park(timeout, unless);
        }
        Outcome::Done
    }
}
