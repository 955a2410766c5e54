//! The backend for WASI preview 1: `poll_oneoff`.
//!
//! The subscriptions are kept in [`armed`](super::armed): WasmEdge refuses a second one for reading, or for
//! writing, of a descriptor.
//!
//! Limits: the cost of a poll grows with the number of subscriptions. Closed halves are known only when the
//! host sets the hang-up flag.
#![allow(unsafe_code)] // `poll_oneoff` is an import.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::Outcome;
use super::armed::{Armed, CLOCK, Found, nanos, owner, place};
use crate::io::{Interest, Ready};
use crate::lock::Mutex;
use crate::reactor::{Direction, Event, Parked};

pub(crate) use super::armed::Unparker;

/// What a source is made of.
pub type Raw = RawFd;

const CLOCK_MONOTONIC: u32 = 1;
const TAG_CLOCK: u8 = 0;
const TAG_READ: u8 = 1;
const TAG_WRITE: u8 = 2;
const FLAG_HANGUP: u16 = 1;

/// `subscription` of the WASI preview 1 witx, 48 bytes: the union is read according to `tag`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Subscription {
    /// The owner.
    userdata: u64,
    tag: u8,
    body: Body,
}

/// The union of a subscription: only a clock has more than a subject.
#[repr(C)]
#[derive(Clone, Copy)]
struct Body {
    /// The clock's id, or the descriptor.
    subject: u32,
    timeout: u64,
    precision: u64,
    flags: u16,
}

impl Subscription {
    fn new(owner: usize, tag: u8, subject: u32) -> Subscription {
        Subscription {
            userdata: owner as u64,
            tag,
            body: Body { subject, timeout: 0, precision: 0, flags: 0 },
        }
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
}

pub(crate) struct Selector {
    armed: Mutex<Armed<Subscription>>,
}

pub(crate) struct Driver {
    events: Vec<RawEvent>,
}

pub(crate) fn new() -> io::Result<(Selector, Driver)> {
    let armed = Armed::new(Subscription::new(CLOCK, TAG_CLOCK, CLOCK_MONOTONIC));
    Ok((Selector { armed: Mutex::new(armed) }, Driver { events: Vec::new() }))
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        Unparker
    }

    pub(crate) fn is_armed(&self) -> bool {
        !self.armed.lock().is_empty()
    }

    pub(crate) fn register(&self, _: &Raw, _: usize, _: Interest) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn deregister(&self, _: &Raw, key: usize) {
        self.armed.lock().remove_key(key);
    }

    pub(crate) fn arm(&self, raw: &Raw, key: usize, interest: Interest) {
        let mut armed = self.armed.lock();
        let mut arm = |direction, tag| match armed.find(key, direction) {
            Found::Armed => {}
            Found::Spent(subscription) => subscription.body.subject = *raw as u32,
            Found::Idle => {
                let owner = owner(key, direction);
                armed.push(key, direction, Subscription::new(owner, tag, *raw as u32));
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
        self.armed.lock().remove_key(key)
    }
}

impl Driver {
    pub(crate) fn poll(
        &mut self,
        selector: &Selector,
        parked: Parked<'_>,
        barren: u32,
        events: &mut Vec<Event>,
    ) -> Outcome {
        let mut armed = selector.armed.lock();
        let Some(timeout) = armed.prepare(parked) else { return Outcome::Done };
        if barren > 1 && timeout != Some(Duration::ZERO) {
            // The host keeps waking us for something that it does not name. Do not spin: only sleep.
            let pause = Duration::from_millis(1 << barren.min(6));
            let pause = timeout.map_or(pause, |t| t.min(pause));
            armed.clock().body.timeout = nanos(pause);
            self.call(&armed.entries()[..1]);
        }
        let asked = match timeout {
            Some(timeout) => {
                armed.clock().body.timeout = nanos(timeout);
                armed.entries()
            }
            None => &armed.entries()[1..],
        };
        let count = self.call(asked);
        let mut timed_out = timeout == Some(Duration::ZERO);
        for event in &self.events[..count] {
            let owner = event.userdata as usize;
            if owner == CLOCK {
                timed_out = true;
                continue;
            }
            let (key, direction) = place(owner);
            armed.spend(owner);
            events.push(Event { key, ready: ready(event, direction) });
        }
        if count == 0 && !timed_out { Outcome::Barren } else { Outcome::Done }
    }

    /// Makes the host call; returns how many events there are.
    fn call(&mut self, subscriptions: &[Subscription]) -> usize {
        if self.events.len() < subscriptions.len() {
            let none = RawEvent { userdata: 0, error: 0, kind: 0, nbytes: 0, flags: 0 };
            self.events.resize(subscriptions.len(), none);
        }
        let mut count = 0;
        // SAFETY: `events` has room for as many events as there are subscriptions, both live for the call,
        // and their layout is the one of the witx (asserted above).
        let errno = unsafe {
            poll_oneoff(
                subscriptions.as_ptr(),
                self.events.as_mut_ptr(),
                subscriptions.len(),
                &mut count,
            )
        };
        if errno != 0 {
            // Nothing a caller could mend: the arguments are right by construction. 27 is INTR.
            assert!(
                errno == 27,
                "poll_oneoff failed: {}",
                io::Error::from_raw_os_error(errno.into())
            );
            return 0;
        }
        count.min(subscriptions.len())
    }
}

fn ready(event: &RawEvent, direction: Direction) -> Ready {
    let (mut ready, closed) = match direction {
        Direction::Read => (Ready::READABLE, Ready::READ_CLOSED),
        Direction::Write => (Ready::WRITABLE, Ready::WRITE_CLOSED),
    };
    if event.error != 0 {
        // The operation is tried, and says itself what is wrong.
        ready |= Ready::ERROR;
    }
    if event.flags & FLAG_HANGUP != 0 {
        ready |= closed;
    }
    ready
}
