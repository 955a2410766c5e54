//! The backend for WASI 0.2: `wasi:io/poll`.
//!
//! A source is something that has pollables. They are made when somebody first waits, and belong to the
//! source; the reactor only knows their handles. The list of handles lives as long as the runtime, as the
//! array of subscriptions of preview 1 does: arming appends, an event marks its entry as spent, and a spent
//! one is taken out before the next poll unless it was armed again meanwhile. Entry 0 is the clock's.
//!
//! The import is declared here: the published bindings copy the list for every call.
//!
//! Limits: the cost of a poll grows with the number of pollables. A pollable says only that an attempt is
//! worth while, never why.
#![allow(unsafe_code)] // `poll` is an import.

use std::io;
use std::panic::{RefUnwindSafe, UnwindSafe};
use std::sync::Arc;
use std::time::Duration;

use wasip2::clocks::monotonic_clock;
use wasip2::io::poll::Pollable;

use super::Outcome;
use crate::io::{Interest, Ready};
use crate::lock::Mutex;
use crate::reactor::{Direction, Event, Parked};

/// Something that has pollables.
///
/// A handle that was returned stays valid until the source is deregistered or refreshed.
pub trait Subscribe: Send + Sync + UnwindSafe + RefUnwindSafe {
    /// The handle of the pollable that is ready when an operation in this direction is worth an attempt;
    /// `None` when it always is.
    fn pollable(&self, direction: Direction) -> Option<u32>;
}

/// What a source is made of.
pub type Raw = Arc<dyn Subscribe>;

/// The owner of an entry: the clock, or a key and a direction.
const CLOCK: usize = usize::MAX;
/// From so many events on, the host may have used up its budget: see [`Driver::poll`].
const MANY: usize = 100;
/// Without a timer, a wait that only a signal can end is renewed after this long.
const LONG: Duration = Duration::from_secs(3600);

/// A list as the canonical ABI returns it, in memory that the host asked our allocator for.
#[repr(C)]
struct Indices {
    first: *mut u32,
    count: usize,
}

#[link(wasm_import_module = "wasi:io/poll@0.2.0")]
unsafe extern "C" {
    /// `poll: func(in: list<borrow<pollable>>) -> list<u32>`, as the canonical ABI lowers it.
    fn poll(handles: *const u32, count: usize, ready: *mut Indices);
}

/// Where a direction of a source stands in the list.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Slot {
    #[default]
    Idle,
    /// Armed, at this index.
    Armed(u32),
    /// Its event was reported; it leaves before the next poll unless it is armed again.
    Spent(u32),
}

struct List {
    handles: Vec<u32>,
    /// Whose handle it is, beside `handles`.
    owners: Vec<usize>,
    /// By key, then by direction.
    slots: Vec<[Slot; 2]>,
    /// Owners of entries that were marked as spent.
    spent: Vec<usize>,
    armed: usize,
    /// Always ready: makes a poll return at once, and stands for sources that are.
    now: Option<Pollable>,
}

pub(crate) struct Selector {
    list: Mutex<List>,
}

/// There is no other thread that could be parked.
#[derive(Clone)]
pub(crate) struct Unparker;

pub(crate) struct Driver;

pub(crate) fn new() -> io::Result<(Selector, Driver)> {
    let list = List {
        handles: vec![0],
        owners: vec![CLOCK],
        slots: Vec::new(),
        spent: Vec::new(),
        armed: 0,
        now: None,
    };
    Ok((Selector { list: Mutex::new(list) }, Driver))
}

impl Unparker {
    #[inline]
    pub(crate) fn unpark(&self) {}
}

fn owner(key: usize, direction: Direction) -> usize {
    key << 1 | direction as usize
}

impl List {
    fn now(&mut self) -> u32 {
        self.now.get_or_insert_with(|| monotonic_clock::subscribe_instant(0)).handle()
    }

    fn arm(&mut self, raw: &Raw, key: usize, direction: Direction) {
        if self.slots.len() <= key {
            self.slots.resize(key + 1, [Slot::Idle; 2]);
        }
        let slot = self.slots[key][direction as usize];
        if matches!(slot, Slot::Armed(_)) {
            return;
        }
        let handle = raw.pollable(direction).unwrap_or_else(|| self.now());
        let index = match slot {
            Slot::Spent(index) => {
                self.handles[index as usize] = handle;
                index
            }
            _ => {
                self.handles.push(handle);
                self.owners.push(owner(key, direction));
                self.handles.len() as u32 - 1
            }
        };
        self.slots[key][direction as usize] = Slot::Armed(index);
        self.armed += 1;
    }

    /// Takes a direction out of the list; true if it was armed.
    fn remove(&mut self, key: usize, direction: usize) -> bool {
        let Some(slots) = self.slots.get_mut(key) else { return false };
        let (index, was_armed) = match std::mem::take(&mut slots[direction]) {
            Slot::Idle => return false,
            Slot::Armed(index) => (index, true),
            Slot::Spent(index) => (index, false),
        };
        self.armed -= usize::from(was_armed);
        self.handles.swap_remove(index as usize);
        self.owners.swap_remove(index as usize);
        if let Some(moved) = self.owners.get(index as usize) {
            match &mut self.slots[moved >> 1][moved & 1] {
                Slot::Armed(i) | Slot::Spent(i) => *i = index,
                Slot::Idle => unreachable!("an entry without a slot"),
            }
        }
        was_armed
    }

    fn spend(&mut self, owner: usize) {
        let slot = &mut self.slots[owner >> 1][owner & 1];
        if let Slot::Armed(index) = *slot {
            *slot = Slot::Spent(index);
            self.armed -= 1;
            self.spent.push(owner);
        }
    }

    /// Takes out what is still spent.
    fn sweep(&mut self) {
        while let Some(owner) = self.spent.pop() {
            if matches!(self.slots[owner >> 1][owner & 1], Slot::Spent(_)) {
                self.remove(owner >> 1, owner & 1);
            }
        }
    }
}

impl Selector {
    pub(crate) fn unparker(&self) -> Unparker {
        Unparker
    }

    pub(crate) fn is_armed(&self) -> bool {
        self.list.lock().armed != 0
    }

    pub(crate) fn register(&self, _: &Raw, _: usize, _: Interest) -> io::Result<()> {
        Ok(())
    }

    pub(crate) fn deregister(&self, _: &Raw, key: usize) {
        let mut list = self.list.lock();
        list.remove(key, 0);
        list.remove(key, 1);
    }

    pub(crate) fn arm(&self, raw: &Raw, key: usize, interest: Interest) {
        let mut list = self.list.lock();
        if interest.is_readable() {
            list.arm(raw, key, Direction::Read);
        }
        if interest.is_writable() {
            list.arm(raw, key, Direction::Write);
        }
    }

    /// The source is about to replace its pollables: none of them is polled any more. Returns what was
    /// armed, to be armed again.
    pub(crate) fn disarm(&self, key: usize) -> Ready {
        let mut list = self.list.lock();
        let mut ready = Ready::EMPTY;
        if list.remove(key, 0) {
            ready |= Ready::READABLE;
        }
        if list.remove(key, 1) {
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
        _: u32,
        events: &mut Vec<Event>,
    ) -> Outcome {
        let mut list = selector.list.lock();
        list.sweep();
        let timeout = match parked {
            Parked::Glance if list.armed == 0 => return Outcome::Done,
            Parked::Glance => Some(Duration::ZERO),
            Parked::Wait { unless, .. } if unless() => return Outcome::Done,
            Parked::Wait { timeout, .. } if list.armed == 0 => Some(timeout.unwrap_or(LONG)),
            Parked::Wait { timeout, .. } => timeout,
        };
        // Lives until the end of the poll.
        let mut _clock = None;
        let first = match timeout {
            None => 1,
            Some(Duration::ZERO) => {
                list.handles[0] = list.now();
                0
            }
            Some(timeout) => {
                let clock = monotonic_clock::subscribe_duration(nanos(timeout));
                list.handles[0] = clock.handle();
                _clock = Some(clock);
                0
            }
        };
        let ready = call(&list.handles[first..]);
        if ready.len() >= MANY {
            // A host on tokio may do 128 operations before it must yield, and a ready pollable is one. With
            // none left it calls every stream unready, the next poll uses them all up again, and nothing
            // ever moves. Asking for one that is ready makes it yield if it must.
            call(&list.handles[first + ready[0] as usize..][..1]);
        }
        for index in ready {
            let owner = list.owners[first + index as usize];
            if owner == CLOCK {
                continue;
            }
            let ready = if owner & 1 == 0 { Ready::READABLE } else { Ready::WRITABLE };
            events.push(Event { key: owner >> 1, ready });
            list.spend(owner);
        }
        Outcome::Done
    }
}

/// Makes the host call; returns the indices of what is ready.
fn call(handles: &[u32]) -> Vec<u32> {
    let mut ready = Indices { first: std::ptr::null_mut(), count: 0 };
    // SAFETY: `handles` live for the call, and are those of pollables that exist: a source is deregistered
    // before its pollables go.
    unsafe { poll(handles.as_ptr(), handles.len(), &mut ready) };
    if ready.count == 0 {
        return Vec::new();
    }
    // SAFETY: the canonical ABI: the host had `cabi_realloc` allocate room for `count` numbers, filled them,
    // and left them to us. That function is the published bindings', over the global allocator.
    unsafe { Vec::from_raw_parts(ready.first, ready.count, ready.count) }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}
