//! The armed sources of a WASI host. One call polls all of them.
//!
//! The list that the host receives lives as long as the runtime and is edited in place. Arming appends an entry, and an
//! event marks its entry as spent. A spent entry is removed before the next poll unless it was armed again, as a busy
//! connection is. Entry 0 belongs to the clock. Each direction of a key has at most one entry.
//!
//! Recently armed entries are at the front, so that the host can be polled for them alone (`front.rs`). Recency is
//! counted in complete polls: polls for all entries.

use std::time::Duration;

use crate::io::Ready;
use crate::reactor::{Direction, PollMode};
use crate::sys::bug::bug;

/// A wait that only a signal can end, without a timer, is renewed after this long.
const MAX_WAIT: u64 = 3600 * 1_000_000_000;

/// The owner of the clock's entry. Any other owner is a key and a direction.
pub(in crate::sys) const CLOCK: usize = usize::MAX;

/// The owner of the entry for a direction of `key`.
pub(in crate::sys) fn owner(key: usize, direction: Direction) -> usize {
    key << 1 | direction as usize
}

/// Returns the key and the direction of an owner that is not the clock.
pub(in crate::sys) fn key_and_direction(owner: usize) -> (usize, Direction) {
    (owner >> 1, if owner & 1 == 0 { Direction::Read } else { Direction::Write })
}

/// The place in the list of a source's direction, if it has one. Four bytes.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Slot(u32);

impl Slot {
    /// The direction has no entry: index 0 is the clock's.
    const IDLE: Slot = Slot(0);
    /// Set when the event was reported. The entry is removed before the next poll unless it is armed again.
    const SPENT: u32 = 1;

    fn armed(index: usize) -> Slot {
        Slot((index as u32) << 1)
    }

    fn index(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn is_spent(self) -> bool {
        self.0 & Slot::SPENT != 0
    }

    /// Returns the same state at another index.
    fn moved(self, index: usize) -> Slot {
        Slot((index as u32) << 1 | self.0 & Slot::SPENT)
    }

    fn spent(self) -> Slot {
        Slot(self.0 | Slot::SPENT)
    }
}

/// The bookkeeping of one entry.
#[derive(Clone, Copy)]
struct Mark {
    /// The entry's owner.
    owner: usize,
    /// The value of `Armed::complete_polls` when the entry was last armed.
    last_armed: u32,
}

/// The list of armed entries. `T` is the type that the host receives for each.
pub(in crate::sys) struct Armed<T> {
    entries: Vec<T>,
    /// Parallel to `entries`.
    marks: Vec<Mark>,
    /// The number of entries at the front, including the clock's.
    front: usize,
    /// Counts complete polls.
    complete_polls: u32,
    /// Indexed by owner.
    slots: Vec<Slot>,
    /// Owners of entries that were marked as spent.
    spent: Vec<usize>,
    count: usize,
}

impl<T> Armed<T> {
    pub(in crate::sys) fn new(clock: T) -> Armed<T> {
        Armed {
            entries: vec![clock],
            marks: vec![Mark { owner: CLOCK, last_armed: 0 }],
            front: 1,
            complete_polls: 0,
            slots: Vec::new(),
            spent: Vec::new(),
            count: 0,
        }
    }

    /// Returns whether nothing is armed.
    pub(in crate::sys) fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// Returns the entries that the host receives, the clock first.
    pub(in crate::sys) fn entries(&self) -> &[T] {
        &self.entries
    }

    pub(in crate::sys) fn clock(&mut self) -> &mut T {
        at(&mut self.entries, 0)
    }

    /// Returns the owner of the entry at this index, or the clock if there is none.
    #[cfg_attr(
        target_env = "p1",
        expect(dead_code, reason = "events of preview 1 carry the owner")
    )]
    pub(in crate::sys) fn owner_at(&self, index: usize) -> usize {
        self.marks.get(index).map_or(CLOCK, |mark| mark.owner)
    }

    /// Arms a direction of `key`. Returns its entry if the caller has to write it, which is the case unless the
    /// direction was armed already. The entry is the spent one, or a new one that `blank` makes.
    pub(in crate::sys) fn arm(
        &mut self,
        key: usize,
        direction: Direction,
        blank: impl FnOnce(usize) -> T,
    ) -> Option<&mut T> {
        let owner = owner(key, direction);
        // SIZE: not `resize`, which is unrolled to a quarter of a kilobyte.
        while self.slots.len() <= owner {
            self.slots.push(Slot::IDLE);
        }
        let slot = at(&mut self.slots, owner);
        let mut index = slot.index();
        let is_armed = *slot != Slot::IDLE && !slot.is_spent();
        if *slot == Slot::IDLE {
            index = self.entries.len();
            self.entries.push(blank(owner));
            self.marks.push(Mark { owner, last_armed: 0 });
        }
        *slot = Slot::armed(index);
        self.count += usize::from(!is_armed);
        let index = self.move_to_front(index);
        if is_armed { None } else { self.entries.get_mut(index) }
    }

    /// Returns the number of entries at the front of the list, which were armed recently. The clock is one.
    pub(in crate::sys) fn front(&self) -> usize {
        self.front
    }

    /// Moves an entry to the front. Returns its new index.
    fn move_to_front(&mut self, index: usize) -> usize {
        at(&mut self.marks, index).last_armed = self.complete_polls;
        if index < self.front {
            return index;
        }
        self.front += 1;
        self.swap(index, self.front - 1);
        self.front - 1
    }

    /// Begins a complete poll. Entries that were not armed in the last three complete polls leave the front.
    #[inline(never)] // SIZE: a complete poll follows.
    pub(in crate::sys) fn age_front(&mut self) {
        self.complete_polls = self.complete_polls.wrapping_add(1);
        for index in (1..self.front).rev() {
            if self.complete_polls.wrapping_sub(at(&mut self.marks, index).last_armed) > 2 {
                self.front -= 1;
                self.swap(index, self.front);
            }
        }
    }

    #[inline(never)]
    fn swap(&mut self, a: usize, b: usize) {
        if a == b {
            return;
        }
        // SIZE: the compiler's own check would link a message with the line in this file.
        if a.max(b) >= self.marks.len().min(self.entries.len()) {
            bug("an entry to swap is not in the list");
        }
        self.marks.swap(a, b);
        self.entries.swap(a, b);
        self.update_slot(a);
        self.update_slot(b);
    }

    /// Updates the slot of the entry at this index.
    #[inline(never)]
    fn update_slot(&mut self, index: usize) {
        let slot = at(&mut self.slots, at(&mut self.marks, index).owner);
        debug_assert!(*slot != Slot::IDLE, "an entry without a slot");
        *slot = slot.moved(index);
    }

    /// Removes a direction from the list. Returns whether it was armed.
    #[inline(never)]
    fn remove(&mut self, owner: usize) -> bool {
        let Some(&slot) = self.slots.get(owner).filter(|slot| **slot != Slot::IDLE) else {
            return false;
        };
        let (mut index, was_armed) = (slot.index(), !slot.is_spent());
        self.count -= usize::from(was_armed);
        if index < self.front {
            self.front -= 1;
            self.swap(index, self.front);
            index = self.front;
        }
        let last = self.entries.len() - 1;
        self.swap(index, last);
        self.entries.truncate(last);
        self.marks.truncate(last);
        *at(&mut self.slots, owner) = Slot::IDLE;
        was_armed
    }

    /// Removes both directions. Returns those that were armed.
    pub(in crate::sys) fn remove_key(&mut self, key: usize) -> Ready {
        let mut ready = Ready::EMPTY;
        if self.remove(owner(key, Direction::Read)) {
            ready |= Ready::READABLE;
        }
        if self.remove(owner(key, Direction::Write)) {
            ready |= Ready::WRITABLE;
        }
        ready
    }

    /// Marks an entry as spent, because its event was reported.
    pub(in crate::sys) fn spend(&mut self, owner: usize) {
        let Some(slot) = self.slots.get_mut(owner) else { return };
        if *slot != Slot::IDLE && !slot.is_spent() {
            *slot = slot.spent();
            self.count -= 1;
            self.spent.push(owner);
        }
    }

    /// Removes the entries that are still spent, and returns how long to wait, in nanoseconds. `Some(None)` is without
    /// limit. `None` means that there is nothing to wait for (`is_empty`).
    pub(in crate::sys) fn prepare(
        &mut self,
        mode: PollMode<'_>,
        is_empty: bool,
    ) -> Option<Option<u64>> {
        while let Some(owner) = self.spent.pop() {
            if at(&mut self.slots, owner).is_spent() {
                self.remove(owner);
            }
        }
        match mode {
            PollMode::Throttled | PollMode::NonBlocking if is_empty => None,
            PollMode::Throttled | PollMode::NonBlocking => Some(Some(0)),
            PollMode::Blocking { unless, .. } if unless() => None,
            PollMode::Blocking { timeout, .. } if is_empty => {
                Some(Some(timeout.map_or(MAX_WAIT, nanos)))
            }
            PollMode::Blocking { timeout, .. } => Some(timeout.map(nanos)),
        }
    }
}

/// Returns an element that exists.
// SIZE: each of the compiler's own checks takes 30 bytes of a guest.
#[inline(always)]
fn at<E>(list: &mut [E], index: usize) -> &mut E {
    match list.get_mut(index) {
        Some(element) => element,
        None => bug("an armed entry is not in the list"),
    }
}

/// Does nothing: no other thread could be parked.
#[derive(Clone)]
pub(crate) struct Unparker;

impl Unparker {
    pub(crate) fn unpark(&self) {}
}

/// Returns the nanoseconds, at most 584 years.
// SIZE: `Duration`'s own conversion multiplies in 128 bits.
fn nanos(duration: Duration) -> u64 {
    const MAX_SECS: u64 = u64::MAX / 1_000_000_000 - 1;
    duration.as_secs().min(MAX_SECS) * 1_000_000_000 + u64::from(duration.subsec_nanos())
}
