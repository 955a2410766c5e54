//! The native backend: mio, edge-triggered, for development.
//!
//! Every source is registered once, for all interests, and mio reports each change. There is a real waker, because
//! tasks may be woken from other threads.

use std::io;
use std::os::fd::RawFd;
use std::sync::Arc;
use std::time::Duration;

use mio::unix::SourceFd;
use mio::{Events, Poll, Registry, Token};

use crate::io::{Interest, Ready};
use crate::reactor::{Event, PollMode};
use crate::sys::Outcome;
use crate::sys::park_flag::ParkFlag;

/// A source is a descriptor.
pub type Raw = RawFd;

const WAKER: Token = Token(usize::MAX);

/// Shared by all threads.
pub(crate) struct Selector {
    registry: Registry,
    unparker: Unparker,
}

/// Wakes the thread that is parked.
#[derive(Clone)]
pub(crate) struct Unparker(Arc<Park>);

struct Park {
    parked: ParkFlag,
    waker: mio::Waker,
}

/// Owned by the thread that parks.
pub(crate) struct Poller {
    poll: Poll,
    events: Events,
}

pub(crate) fn new() -> io::Result<(Selector, Poller)> {
    let poll = Poll::new()?;
    let registry = poll.registry().try_clone()?;
    let waker = mio::Waker::new(&registry, WAKER)?;
    let unparker = Unparker(Arc::new(Park { parked: ParkFlag::default(), waker }));
    let poller = Poller { poll, events: Events::with_capacity(1024) };
    Ok((Selector { registry, unparker }, poller))
}

impl Unparker {
    #[inline]
    pub(crate) fn unpark(&self) {
        if self.0.parked.take() {
            // This fails only when the descriptor is gone, and then no thread is parked.
            let _ = self.0.waker.wake();
        }
    }
}

/// No reads are attempted on a guess on native targets, so no time is needed.
pub(crate) fn now() -> u64 {
    0
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        self.unparker.clone()
    }

    /// Records that the host's event loop waits for the driver's descriptor instead of the thread. The next poll ends
    /// this.
    #[cfg(all(test, not(loom)))]
    pub(super) fn leave(&self) {
        self.unparker.0.parked.raise();
    }

    /// True: it is not known what is armed, and another thread can always wake this one.
    pub(crate) fn is_armed(&self) -> bool {
        true
    }

    pub(crate) fn register(&self, raw: &Raw, key: usize, interest: Interest) -> io::Result<()> {
        let mut wanted: Option<mio::Interest> = None;
        let mut add = |i: mio::Interest| wanted = Some(wanted.map_or(i, |w| w.add(i)));
        if interest.is_readable() || interest.is_error() {
            add(mio::Interest::READABLE);
        }
        if interest.is_writable() {
            add(mio::Interest::WRITABLE);
        }
        #[cfg(any(target_os = "linux", target_os = "android"))]
        if interest.is_priority() {
            add(mio::Interest::PRIORITY);
        }
        let wanted = wanted.ok_or(io::ErrorKind::InvalidInput)?;
        self.registry.register(&mut SourceFd(raw), Token(key), wanted)
    }

    pub(crate) fn deregister(&self, raw: &Raw, _: usize) {
        // A descriptor that was closed earlier is already gone from the OS's list.
        let _ = self.registry.deregister(&mut SourceFd(raw));
    }

    #[inline]
    pub(crate) fn arm(&self, _: &Raw, _: usize, _: Interest) {}

    pub(crate) fn disarm(&self, _: usize) -> Ready {
        Ready::EMPTY
    }
}

#[cfg(all(test, not(loom)))]
impl std::os::fd::AsRawFd for Poller {
    /// The descriptor is readable when there are events, or a wake.
    fn as_raw_fd(&self) -> RawFd {
        self.poll.as_raw_fd()
    }
}

impl Poller {
    pub(crate) fn poll(
        &mut self,
        selector: &Selector,
        mode: PollMode<'_>,
        _: u32,
        events: &mut Vec<Event>,
    ) -> Outcome {
        let park = &*selector.unparker.0;
        let timeout = match mode {
            PollMode::Throttled | PollMode::NonBlocking => Some(Duration::ZERO),
            PollMode::Blocking { timeout, unless } => {
                park.parked.raise();
                if unless() { Some(Duration::ZERO) } else { timeout }
            }
        };
        match self.poll.poll(&mut self.events, timeout) {
            Err(e) if e.kind() != io::ErrorKind::Interrupted => {
                panic!("the OS cannot be polled: {e}")
            }
            _ => {}
        }
        park.parked.lower();
        for event in self.events.iter().filter(|e| e.token() != WAKER) {
            events.push(Event { key: event.token().0, ready: ready(event) });
        }
        Outcome::Done
    }
}

fn ready(event: &mio::event::Event) -> Ready {
    let mut ready = Ready::EMPTY;
    if event.is_readable() {
        ready |= Ready::READABLE;
    }
    if event.is_writable() {
        ready |= Ready::WRITABLE;
    }
    if event.is_read_closed() {
        ready |= Ready::READ_CLOSED;
    }
    if event.is_write_closed() {
        ready |= Ready::WRITE_CLOSED;
    }
    if event.is_error() {
        ready |= Ready::ERROR;
    }
    #[cfg(any(target_os = "linux", target_os = "android"))]
    if event.is_priority() {
        ready |= Ready::PRIORITY;
    }
    ready
}
