//! The backend for WASI 0.2: `wasi:io/poll`.
//!
//! A source is an object that has pollables. They are created on the first wait, and belong to the source. The reactor
//! knows only their handles, which are kept in [`armed`](super::wasi::armed).
//!
//! The imports are declared in `host.rs`.
//!
//! Limits: the cost of a poll grows with the number of pollables. A pollable says only that an attempt is worthwhile,
//! never why.

use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;

use super::host::{Pollable, ready, subscribe_duration, wait_for};
use super::wasi::armed::{Armed, CLOCK, Unparker, key_and_direction};
use super::wasi::front::{Plan, Polled};
use crate::io::{Interest, Ready};
use crate::lock::Mutex;
use crate::reactor::{Direction, Event, PollMode, Source};
use crate::sys::Outcome;

/// Something that has pollables.
///
/// A handle that was returned stays valid until the source is deregistered or refreshed.
pub trait Subscribe: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// Returns the handle of the pollable that is ready when an operation in this direction is worth an attempt, or
    /// `None` if an attempt always is.
    fn pollable(&self, direction: Direction) -> Option<u32>;

    /// Called before the drop. Returns whether dropping would wait for pending writes. If so, the reactor keeps the
    /// source, and calls this again when the source is writable.
    fn close(&self) -> bool {
        false
    }
}

/// A source is an object that has pollables.
pub type Raw = Arc<dyn Subscribe>;

/// From this many events on, the host may have used up its budget: see [`poll_first`].
const YIELD_FROM: usize = 100;

struct List {
    /// The entries are handles.
    armed: Armed<u32>,
    plan: Plan,
    /// Always ready: makes a poll return at once, and stands for sources that are always ready.
    now: Option<Pollable>,
}

pub(crate) struct Selector {
    list: Mutex<List>,
}

pub(crate) struct Poller;

pub(crate) fn new() -> io::Result<(Selector, Poller)> {
    Ok((
        Selector {
            list: Mutex::new(List { armed: Armed::new(0), plan: Plan::default(), now: None }),
        },
        Poller,
    ))
}

fn always_ready(now: &mut Option<Pollable>) -> u32 {
    now.get_or_insert_with(|| subscribe_duration(0)).handle()
}

/// Returns the handle to poll for a source.
#[inline(never)]
fn handle(raw: &Raw, direction: Direction, now: &mut Option<Pollable>) -> u32 {
    raw.pollable(direction).unwrap_or_else(|| always_ready(now))
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        Unparker
    }

    pub(crate) fn is_armed(&self) -> bool {
        !self.list.lock().armed.is_empty()
    }

    pub(crate) fn register(&self, _: &Raw, _: usize, _: Interest) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn deregister(&self, _: &Raw, key: usize) {
        self.list.lock().armed.remove_key(key);
    }

    pub(crate) fn arm(&self, raw: &Raw, key: usize, interest: Interest) {
        let List { armed, now, .. } = &mut *self.list.lock();
        let mut arm = |direction| {
            if let Some(entry) = armed.arm(key, direction, |_| 0) {
                // The source may have a different pollable than the last time.
                *entry = handle(raw, direction, now);
            }
        };
        if interest.is_readable() {
            arm(Direction::Read);
        }
        if interest.is_writable() {
            arm(Direction::Write);
        }
    }

    pub(crate) fn disarm(&self, key: usize) -> Ready {
        self.list.lock().armed.remove_key(key)
    }
}

impl Source {
    /// Replaces the pollables. The reactor stops polling the old ones before it calls `replace`, and polls the new ones
    /// afterwards.
    pub fn refresh<R>(&self, replace: impl FnOnce() -> R) -> R {
        let armed = self.reactor.selector.disarm(self.state.key);
        let result = replace();
        if armed.is_readable() {
            self.arm(Interest::READABLE);
        }
        if armed.is_writable() {
            self.arm(Interest::WRITABLE);
        }
        result
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
        let List { armed, plan, now } = &mut *selector.list.lock();
        let throttled = matches!(mode, PollMode::Throttled);
        let Some(timeout) = armed.prepare(mode, armed.is_empty()) else { return Outcome::Done };
        let poll = &mut |armed: &mut Armed<u32>, count, timeout| {
            poll_first(armed, count, timeout, now, events)
        };
        if throttled {
            plan.poll_throttled(armed, poll);
        } else {
            plan.wait(armed, timeout, poll);
        }
        Outcome::Done
    }
}

/// Polls the host for the first `count` entries.
fn poll_first(
    armed: &mut Armed<u32>,
    count: usize,
    timeout: Option<u64>,
    now: &mut Option<Pollable>,
    events: &mut Vec<Event>,
) -> Polled {
    // Lives until the end of the poll.
    let mut _clock = None;
    let first = match timeout {
        None => 1,
        Some(0) => {
            *armed.clock() = always_ready(now);
            0
        }
        Some(timeout) => {
            let clock = subscribe_duration(timeout);
            *armed.clock() = clock.handle();
            _clock = Some(clock);
            0
        }
    };
    let indices = ready(armed.entries().get(first..count).unwrap_or_default());
    if indices.len() >= YIELD_FROM {
        // A host on tokio may do 128 operations before it must yield, and a ready pollable is one. Without budget left
        // it reports every stream as not ready, the next poll uses the whole budget up again, and there is never
        // progress. Asking about a single ready pollable makes the host yield if it must.
        let index = indices.first().map_or(0, |index| first + *index as usize);
        if let Some(&pollable) = armed.entries().get(index) {
            wait_for(pollable);
        }
    }
    let before = events.len();
    for index in indices {
        let owner = armed.owner_at(first + index as usize);
        if owner == CLOCK {
            continue;
        }
        let (key, direction) = key_and_direction(owner);
        let ready = match direction {
            Direction::Read => Ready::READABLE,
            Direction::Write => Ready::WRITABLE,
        };
        events.push(Event { key, ready });
        armed.spend(owner);
    }
    if events.len() > before { Polled::Events } else { Polled::TimedOut }
}
