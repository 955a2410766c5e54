//! The backend for WASI preview 1: `poll_oneoff`.
//!
//! The subscriptions are kept in [`armed`](super::wasi::armed), because WasmEdge refuses a second subscription for
//! reading, or for writing, of the same descriptor. A host with the extension keeps those of sockets itself
//! ([`queue`](super::queue)).
//!
//! Limits: on other hosts the cost of a poll grows with the number of subscriptions ([`front`](super::wasi::front)).
//! Closed halves are known only when the host sets the hang-up flag.
#![allow(unsafe_code)] // `poll_oneoff` is an import.

use std::io;
use std::os::fd::RawFd;

use super::queue::{CAPACITY, HostQueue};
use super::wasi::armed::{Armed, CLOCK, Unparker, key_and_direction};
use super::wasi::front::{Plan, Polled};
use crate::io::{Interest, Ready};
use crate::lock::Mutex;
use crate::reactor::{Direction, Event, PollMode};
use crate::sys::Outcome;

/// A source is a descriptor.
pub type Raw = RawFd;

const CLOCK_MONOTONIC: u32 = 1;
pub(super) const TAG_CLOCK: u8 = 0;
pub(super) const TAG_READ: u8 = 1;
pub(super) const TAG_WRITE: u8 = 2;
const FLAG_HANGUP: u16 = 1;

/// `subscription` of the WASI preview 1 witx, 48 bytes: the union is read according to `tag`.
#[repr(C)]
#[derive(Clone, Copy)]
pub(super) struct Subscription {
    /// The owner of the entry.
    userdata: u64,
    tag: u8,
    body: Body,
}

/// The union of a subscription. Only a clock has more than a subject.
#[repr(C)]
#[derive(Clone, Copy)]
struct Body {
    /// The clock's id, or the descriptor.
    subject: u32,
    /// The extension's operation, otherwise padding. 1 disarms.
    op: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
}

impl Subscription {
    pub(super) fn new(owner: usize, tag: u8, subject: u32) -> Subscription {
        let body = Body { subject, op: 0, timeout: 0, precision: 0, flags: 0 };
        Subscription { userdata: owner as u64, tag, body }
    }

    /// Returns a change that disarms reading or writing of a descriptor, on a host with the extension.
    pub(super) fn disarm(tag: u8, fd: u32) -> Subscription {
        let mut subscription = Subscription::new(0, tag, fd);
        subscription.body.op = 1;
        subscription
    }

    /// Returns whether the change arms this owner's direction.
    pub(super) fn arms(&self, owner: usize) -> bool {
        self.body.op == 0 && self.userdata == owner as u64
    }

    /// Cancels the change: it disarms what it would have armed.
    pub(super) fn cancel(&mut self) {
        self.userdata = CLOCK as u64;
        self.body.op = 1;
    }

    pub(super) fn is_cancelled(&self) -> bool {
        self.userdata == CLOCK as u64 && self.body.op == 1
    }

    /// Returns the key and direction that the change arms, if it arms one.
    pub(super) fn arms_direction(&self) -> Option<(usize, Direction)> {
        (self.body.op == 0).then(|| key_and_direction(self.userdata as usize))
    }

    /// Sets the timeout in nanoseconds, counted from the call.
    pub(super) fn set_timeout(&mut self, timeout: u64) {
        self.body.timeout = timeout;
    }
}

/// `event` of the WASI preview 1 witx, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy)]
struct RawEvent {
    userdata: u64,
    error: u16,
    kind: u8,
    nbytes: u64,
    flags: u16,
}

const _: () =
    assert!(size_of::<Subscription>() == 48 && std::mem::offset_of!(Subscription, body) == 16);
const _: () = assert!(size_of::<RawEvent>() == 32 && std::mem::offset_of!(RawEvent, nbytes) == 16);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn poll_oneoff(
        subscriptions: *const Subscription,
        events: *mut RawEvent,
        count: usize,
        ready: *mut usize,
    ) -> u16;
    fn clock_time_get(clock: u32, precision: u64, time: *mut u64) -> u16;
}

/// Returns the time of the clock that timeouts use, in nanoseconds.
pub(crate) fn now() -> u64 {
    let mut time = 0;
    // SAFETY: `time` is a place for the result. A host without the clock leaves it alone, and refuses to poll.
    unsafe { clock_time_get(CLOCK_MONOTONIC, 1, &mut time) };
    time
}

pub(crate) struct Selector {
    list: Mutex<List>,
}

struct List {
    armed: Armed<Subscription>,
    plan: Plan,
    /// `None` until the first source is registered.
    queue: Option<Option<HostQueue>>,
}

impl List {
    fn queue(&mut self) -> Option<&mut HostQueue> {
        self.queue.as_mut()?.as_mut()
    }

    fn is_empty(&self) -> bool {
        let queue = self.queue.as_ref().and_then(Option::as_ref);
        self.armed.is_empty() && queue.is_none_or(HostQueue::is_empty)
    }
}

pub(crate) struct Poller {
    events: Vec<RawEvent>,
}

pub(crate) fn new() -> io::Result<(Selector, Poller)> {
    let armed = Armed::new(Subscription::new(CLOCK, TAG_CLOCK, CLOCK_MONOTONIC));
    let list = Mutex::new(List { armed, plan: Plan::default(), queue: None });
    Ok((Selector { list }, Poller { events: Vec::new() }))
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        Unparker
    }

    pub(crate) fn is_armed(&self) -> bool {
        !self.list.lock().is_empty()
    }

    pub(crate) fn register(&self, raw: &Raw, key: usize, _: Interest) -> io::Result<()> {
        if let Some(queue) = self.list.lock().queue.get_or_insert_with(HostQueue::find) {
            queue.register(*raw, key);
        }
        Ok(())
    }

    pub(crate) fn deregister(&self, _: &Raw, key: usize) {
        self.disarm(key);
    }

    pub(crate) fn arm(&self, raw: &Raw, key: usize, interest: Interest) {
        let list = &mut *self.list.lock();
        if list.queue().is_some_and(|queue| queue.arm(key, interest)) {
            return;
        }
        let armed = &mut list.armed;
        let mut arm = |direction, tag| {
            let blank = |owner| Subscription::new(owner, tag, 0);
            if let Some(subscription) = armed.arm(key, direction, blank) {
                subscription.body.subject = *raw as u32;
            }
        };
        if interest.is_readable() {
            arm(Direction::Read, TAG_READ);
        }
        if interest.is_writable() {
            arm(Direction::Write, TAG_WRITE);
        }
    }

    pub(crate) fn disarm(&self, key: usize) -> Ready {
        let list = &mut *self.list.lock();
        let ready = list.queue().map_or(Ready::EMPTY, |queue| queue.disarm(key));
        ready | list.armed.remove_key(key)
    }
}

impl Poller {
    pub(crate) fn poll(
        &mut self,
        selector: &Selector,
        mode: PollMode<'_>,
        unexplained: u32,
        events: &mut Vec<Event>,
    ) -> Outcome {
        let list = &mut *selector.list.lock();
        let is_empty = list.is_empty();
        let List { armed, plan, queue } = list;
        let throttled = matches!(mode, PollMode::Throttled);
        let Some(timeout) = armed.prepare(mode, is_empty) else { return Outcome::Done };
        if unexplained > 1 && timeout != Some(0) {
            // The host keeps ending the wait without naming a source. Do not spin: only sleep.
            let pause = 1_000_000 << unexplained.min(6);
            let pause = timeout.map_or(pause, |t| t.min(pause));
            armed.clock().set_timeout(pause);
            self.call(&armed.entries()[..1], 1);
        }
        let answer = match queue {
            Some(Some(queue)) => {
                let mut answer = Polled::Nothing;
                while let Some(part) = queue.excess() {
                    let count = self.call(part, CAPACITY);
                    queue.remove_excess();
                    if let Polled::Events = self.note(count, events, Some(queue), armed) {
                        answer = Polled::Events;
                    }
                }
                let timeout = if answer == Polled::Events { Some(0) } else { timeout };
                let others = &armed.entries()[1..];
                let count = self.call(queue.call(others, timeout), CAPACITY);
                queue.clear_changes();
                match self.note(count, events, Some(queue), armed) {
                    Polled::Events => Polled::Events,
                    last if answer == Polled::Nothing => last,
                    _ => answer,
                }
            }
            _ => {
                let poll = &mut |armed: &mut Armed<Subscription>, count, timeout| {
                    self.poll_first(armed, count, timeout, events)
                };
                if throttled {
                    plan.poll_throttled(armed, poll)
                } else {
                    plan.wait(armed, timeout, poll)
                }
            }
        };
        let in_time = answer != Polled::Nothing || timeout == Some(0);
        if in_time { Outcome::Done } else { Outcome::Unexplained }
    }

    /// Polls the host for the first `count` entries.
    #[inline(never)]
    fn poll_first(
        &mut self,
        armed: &mut Armed<Subscription>,
        count: usize,
        timeout: Option<u64>,
        events: &mut Vec<Event>,
    ) -> Polled {
        let first = match timeout {
            Some(timeout) => {
                armed.clock().set_timeout(timeout);
                0
            }
            None => 1,
        };
        let found = self.call(&armed.entries()[first..count], count);
        self.note(found, events, None, armed)
    }

    /// Passes on the events that the host reported.
    #[inline(never)]
    fn note(
        &self,
        count: usize,
        events: &mut Vec<Event>,
        mut queue: Option<&mut HostQueue>,
        armed: &mut Armed<Subscription>,
    ) -> Polled {
        let mut answer = Polled::Nothing;
        for event in &self.events[..count] {
            let owner = event.userdata as usize;
            if owner != CLOCK {
                let (key, direction) = key_and_direction(owner);
                if !queue.as_mut().is_some_and(|queue| queue.spend(key, direction)) {
                    armed.spend(owner);
                }
                events.push(Event { key, ready: ready(event, direction) });
                answer = Polled::Events;
            } else if answer == Polled::Nothing {
                answer = Polled::TimedOut;
            }
        }
        answer
    }

    /// Makes the host call. Returns the number of events, at most `capacity`.
    fn call(&mut self, subscriptions: &[Subscription], capacity: usize) -> usize {
        while self.events.len() < capacity {
            self.events.push(RawEvent { userdata: 0, error: 0, kind: 0, nbytes: 0, flags: 0 });
        }
        let mut count = 0;
        // SAFETY: `events` has room for as many events as there can be (one for each subscription; with the
        // extension, as many as its descriptor's subscription says), both live for the call, and their layout is
        // the one of the witx (asserted above).
        let errno = unsafe {
            poll_oneoff(
                subscriptions.as_ptr(),
                self.events.as_mut_ptr(),
                subscriptions.len(),
                &mut count,
            )
        };
        if errno != 0 {
            // The caller could do nothing about an error, because the arguments are right by construction. 27 is INTR.
            assert!(
                errno == 27,
                "poll_oneoff failed: {}",
                io::Error::from_raw_os_error(errno.into())
            );
            return 0;
        }
        count.min(capacity)
    }
}

fn ready(event: &RawEvent, direction: Direction) -> Ready {
    let (mut ready, closed) = match direction {
        Direction::Read => (Ready::READABLE, Ready::READ_CLOSED),
        Direction::Write => (Ready::WRITABLE, Ready::WRITE_CLOSED),
    };
    if event.error != 0 {
        // The operation is attempted, and its own error says what is wrong.
        ready |= Ready::ERROR;
    }
    if event.flags & FLAG_HANGUP != 0 {
        ready |= closed;
    }
    ready
}
