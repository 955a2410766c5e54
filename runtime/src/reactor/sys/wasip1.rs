//! The backend for WASI preview 1: `poll_oneoff`.
//!
//! The array of subscriptions lives as long as the runtime and is edited in place: arming appends, an event
//! marks its subscription as spent, and a spent one is taken out before the next poll unless it was armed
//! again meanwhile, which is what a busy connection does. Slot 0 is the clock's. There is at most one
//! subscription for reading and one for writing per descriptor: WasmEdge refuses a second one.
//!
//! Limits: the cost of a poll grows with the number of subscriptions. Closed halves are known only when the
//! host sets the hang-up flag.
#![allow(unsafe_code)] // `poll_oneoff` is an import.

use std::io;
use std::os::fd::RawFd;
use std::time::Duration;

use super::Outcome;
use crate::io::{Interest, Ready};
use crate::lock::Mutex;
use crate::reactor::{Event, Parked};

/// What a source is made of.
pub type Raw = RawFd;

const CLOCK_MONOTONIC: u32 = 1;
const TAG_CLOCK: u8 = 0;
const TAG_READ: u8 = 1;
const TAG_WRITE: u8 = 2;
const FLAG_HANGUP: u16 = 1;
/// The user data of the clock's subscription; every other one carries a key and a direction.
const CLOCK: u64 = u64::MAX;
/// Without a timer, a wait that only a signal can end is renewed after this long.
const LONG: Duration = Duration::from_secs(3600);

/// `subscription` of the WASI preview 1 witx, 48 bytes: the union is read according to `tag`.
#[repr(C)]
#[derive(Clone, Copy)]
struct Subscription {
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
    fn new(userdata: u64, tag: u8, subject: u32) -> Subscription {
        Subscription { userdata, tag, body: Body { subject, timeout: 0, precision: 0, flags: 0 } }
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

/// Where a direction of a source stands in the array.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Slot {
    #[default]
    Idle,
    /// Armed, at this index.
    Armed(u32),
    /// Its event was reported; it leaves before the next poll unless it is armed again.
    Spent(u32),
}

struct Array {
    subscriptions: Vec<Subscription>,
    /// By key, then by direction.
    slots: Vec<[Slot; 2]>,
    /// User data of subscriptions that were marked as spent.
    spent: Vec<u64>,
    armed: usize,
}

pub(crate) struct Selector {
    array: Mutex<Array>,
}

/// There is no other thread that could be parked.
#[derive(Clone)]
pub(crate) struct Unparker;

pub(crate) struct Driver {
    events: Vec<RawEvent>,
}

pub(crate) fn new() -> io::Result<(Selector, Driver)> {
    let clock = Subscription::new(CLOCK, TAG_CLOCK, CLOCK_MONOTONIC);
    let array =
        Array { subscriptions: vec![clock], slots: Vec::new(), spent: Vec::new(), armed: 0 };
    Ok((Selector { array: Mutex::new(array) }, Driver { events: Vec::new() }))
}

impl Unparker {
    #[inline]
    pub(crate) fn unpark(&self) {}
}

fn userdata(key: usize, direction: usize) -> u64 {
    (key as u64) << 1 | direction as u64
}

fn place(userdata: u64) -> (usize, usize) {
    ((userdata >> 1) as usize, (userdata & 1) as usize)
}

impl Array {
    fn arm(&mut self, raw: Raw, key: usize, direction: usize) {
        if self.slots.len() <= key {
            self.slots.resize(key + 1, [Slot::Idle; 2]);
        }
        let slot = &mut self.slots[key][direction];
        match *slot {
            Slot::Armed(_) => return,
            Slot::Spent(index) => *slot = Slot::Armed(index),
            Slot::Idle => {
                *slot = Slot::Armed(self.subscriptions.len() as u32);
                let tag = if direction == 0 { TAG_READ } else { TAG_WRITE };
                let subscription = Subscription::new(userdata(key, direction), tag, raw as u32);
                self.subscriptions.push(subscription);
            }
        }
        self.armed += 1;
    }

    /// Takes a direction out of the array; true if it was armed.
    fn remove(&mut self, key: usize, direction: usize) -> bool {
        let Some(slots) = self.slots.get_mut(key) else { return false };
        let (index, was_armed) = match std::mem::take(&mut slots[direction]) {
            Slot::Idle => return false,
            Slot::Armed(index) => (index, true),
            Slot::Spent(index) => (index, false),
        };
        self.armed -= usize::from(was_armed);
        self.subscriptions.swap_remove(index as usize);
        if let Some(moved) = self.subscriptions.get(index as usize) {
            let (key, direction) = place(moved.userdata);
            match &mut self.slots[key][direction] {
                Slot::Armed(i) | Slot::Spent(i) => *i = index,
                Slot::Idle => unreachable!("a subscription without a slot"),
            }
        }
        was_armed
    }

    fn spend(&mut self, userdata: u64) {
        let (key, direction) = place(userdata);
        let slot = &mut self.slots[key][direction];
        if let Slot::Armed(index) = *slot {
            *slot = Slot::Spent(index);
            self.armed -= 1;
            self.spent.push(userdata);
        }
    }

    /// Takes out what is still spent.
    fn sweep(&mut self) {
        while let Some(userdata) = self.spent.pop() {
            let (key, direction) = place(userdata);
            if matches!(self.slots[key][direction], Slot::Spent(_)) {
                self.remove(key, direction);
            }
        }
    }
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        Unparker
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.array.lock().armed != 0
    }

    pub(crate) fn register(&self, _: &Raw, _: usize, _: Interest) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn deregister(&self, _: &Raw, key: usize) {
        let mut array = self.array.lock();
        array.remove(key, 0);
        array.remove(key, 1);
    }

    pub(crate) fn arm(&self, raw: &Raw, key: usize, interest: Interest) {
        let mut array = self.array.lock();
        if interest.is_readable() {
            array.arm(*raw, key, 0);
        }
        if interest.is_writable() {
            array.arm(*raw, key, 1);
        }
    }

    pub(crate) fn disarm(&self, key: usize) -> Ready {
        let mut array = self.array.lock();
        let mut ready = Ready::EMPTY;
        if array.remove(key, 0) {
            ready |= Ready::READABLE;
        }
        if array.remove(key, 1) {
            ready |= Ready::WRITABLE;
        }
        ready
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
        let mut array = selector.array.lock();
        array.sweep();
        let timeout = match parked {
            Parked::Glance if array.armed == 0 => return Outcome::Done,
            Parked::Glance => Some(Duration::ZERO),
            Parked::Wait { unless, .. } if unless() => return Outcome::Done,
            Parked::Wait { timeout, .. } if array.armed == 0 => Some(timeout.unwrap_or(LONG)),
            Parked::Wait { timeout, .. } => timeout,
        };
        if barren > 1 && timeout != Some(Duration::ZERO) {
            // The host keeps waking us for something that it does not name. Do not spin: only sleep.
            let pause = Duration::from_millis(1 << barren.min(6));
            let pause = timeout.map_or(pause, |t| t.min(pause));
            array.subscriptions[0].body.timeout = nanos(pause);
            self.call(&array.subscriptions[..1]);
        }
        let asked = match timeout {
            Some(timeout) => {
                array.subscriptions[0].body.timeout = nanos(timeout);
                &array.subscriptions[..]
            }
            None => &array.subscriptions[1..],
        };
        let count = self.call(asked);
        let mut timed_out = timeout == Some(Duration::ZERO);
        for event in &self.events[..count] {
            if event.userdata == CLOCK {
                timed_out = true;
                continue;
            }
            let (key, direction) = place(event.userdata);
            array.spend(event.userdata);
            events.push(Event { key, ready: ready(event, direction) });
        }
        if count == 0 && !timed_out { Outcome::Barren } else { Outcome::Done }
    }

    /// Makes the host call; returns how many events there are.
    fn call(&mut self, subscriptions: &[Subscription]) -> usize {
        if self.events.len() < subscriptions.len() {
            let none = RawEvent { userdata: CLOCK, error: 0, kind: 0, nbytes: 0, flags: 0 };
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

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

fn ready(event: &RawEvent, direction: usize) -> Ready {
    let mut ready = if direction == 0 { Ready::READABLE } else { Ready::WRITABLE };
    if event.error != 0 {
        // The operation is tried, and says itself what is wrong.
        ready |= Ready::ERROR;
    }
    if event.flags & FLAG_HANGUP != 0 {
        ready |= if direction == 0 { Ready::READ_CLOSED } else { Ready::WRITE_CLOSED };
    }
    ready
}
