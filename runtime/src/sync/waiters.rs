//! The wait list behind every primitive: a FIFO of wakers with O(1) insertion and removal by key.
//!
//! A waiting future owns a [`Key`] from the moment it starts to wait until it calls [`Waiters::remove`],
//! whether or not it was taken off the queue in between. So a key is never reused under its owner, and
//! what an unlinked waiter was handed (permits, a notification) stays in its slot until the owner
//! collects it, or passes it on when it is dropped.
//!
//! The slots live in one slab: after warm-up waiting allocates nothing. The list does no locking and
//! wakes nobody. Wakers are collected in [`Wakers`] and woken after the lock was released, because a
//! waker may run anything; for the same reason every method that takes a waker out hands it to the
//! caller instead of dropping it.

use std::task::Waker;

use crate::task::waker;

/// "No slot", as a link.
const NONE: u32 = u32::MAX;

/// A slab that was once larger than this is given back when its last waiter leaves.
const KEEP: usize = 64;

/// The slot of one waiting future. Deliberately not `Clone`: it has one owner.
#[derive(Debug)]
pub(super) struct Key(u32);

struct Slot<T> {
    waker: Option<Waker>,
    data: T,
    prev: u32,
    /// The next waiter in the queue, or the next free slot.
    next: u32,
    queued: bool,
}

/// A FIFO of waiting futures, each with its waker and a little data.
pub(super) struct Waiters<T> {
    slots: Vec<Slot<T>>,
    head: u32,
    tail: u32,
    free: u32,
    /// Slots that have an owner.
    owned: usize,
}

impl<T: Copy> Waiters<T> {
    pub(super) const fn new() -> Self {
        Waiters { slots: Vec::new(), head: NONE, tail: NONE, free: NONE, owned: 0 }
    }

    /// Queues a waiter at the back.
    pub(super) fn push(&mut self, waker: Option<Waker>, data: T) -> Key {
        let slot = Slot { waker, data, prev: NONE, next: NONE, queued: false };
        let index = if self.free == NONE {
            let index = u32::try_from(self.slots.len()).expect("too many waiters");
            self.slots.push(slot);
            index
        } else {
            let index = self.free;
            self.free = self.slots[index as usize].next;
            self.slots[index as usize] = slot;
            index
        };
        self.owned += 1;
        self.link(index);
        Key(index)
    }

    /// Queues a waiter again that had been taken off.
    pub(super) fn requeue(&mut self, key: &Key) {
        debug_assert!(!self.is_queued(key));
        self.link(key.0);
    }

    fn link(&mut self, index: u32) {
        let tail = self.tail;
        let slot = &mut self.slots[index as usize];
        slot.prev = tail;
        slot.next = NONE;
        slot.queued = true;
        match tail {
            NONE => self.head = index,
            _ => self.slots[tail as usize].next = index,
        }
        self.tail = index;
    }

    fn unlink(&mut self, index: u32) {
        let slot = &mut self.slots[index as usize];
        slot.queued = false;
        let (prev, next) = (slot.prev, slot.next);
        match prev {
            NONE => self.head = next,
            _ => self.slots[prev as usize].next = next,
        }
        match next {
            NONE => self.tail = prev,
            _ => self.slots[next as usize].prev = prev,
        }
    }

    /// Whether nobody is queued.
    pub(super) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// The data of the waiter that has waited longest.
    pub(super) fn front(&mut self) -> Option<&mut T> {
        match self.head {
            NONE => None,
            head => Some(&mut self.slots[head as usize].data),
        }
    }

    /// Takes the longest waiting off the queue. Its slot stays, holding `data`, until its owner removes it.
    pub(super) fn pop_front(&mut self, data: T) -> Option<Option<Waker>> {
        self.pop(self.head, data)
    }

    /// As [`pop_front`](Self::pop_front), for the one that came last.
    pub(super) fn pop_back(&mut self, data: T) -> Option<Option<Waker>> {
        self.pop(self.tail, data)
    }

    fn pop(&mut self, index: u32, data: T) -> Option<Option<Waker>> {
        if index == NONE {
            return None;
        }
        self.unlink(index);
        let slot = &mut self.slots[index as usize];
        slot.data = data;
        Some(slot.waker.take())
    }

    /// Whether the waiter has not been taken off the queue.
    pub(super) fn is_queued(&self, key: &Key) -> bool {
        self.slots[key.0 as usize].queued
    }

    /// Makes `waker` the one that is woken. Returns the old one, to be dropped outside of the lock.
    #[must_use = "drop it after the lock was released"]
    pub(super) fn set_waker(&mut self, key: &Key, waker: &Waker) -> Option<Waker> {
        let slot = &mut self.slots[key.0 as usize];
        match &slot.waker {
            Some(old) if old.will_wake(waker) => None,
            _ => slot.waker.replace(waker::clone(waker)),
        }
    }

    /// Ends the wait: frees the slot, taking it off the queue if it was still on it.
    #[must_use = "drop the waker after the lock was released"]
    pub(super) fn remove(&mut self, key: Key) -> (T, Option<Waker>) {
        if self.is_queued(&key) {
            self.unlink(key.0);
        }
        let slot = &mut self.slots[key.0 as usize];
        let removed = (slot.data, slot.waker.take());
        slot.next = self.free;
        self.free = key.0;
        self.owned -= 1;
        if self.owned == 0 && self.slots.len() > KEEP {
            *self = Waiters::new();
        }
        removed
    }
}

/// Wakers to be woken once the lock is released. Allocates only from the second one on.
#[derive(Default)]
#[must_use = "wake them after the lock was released"]
pub(super) struct Wakers {
    first: Option<Waker>,
    rest: Vec<Waker>,
}

impl Wakers {
    pub(super) fn push(&mut self, waker: Option<Waker>) {
        let Some(waker) = waker else { return };
        match self.first {
            None => self.first = Some(waker),
            Some(_) => self.rest.push(waker),
        }
    }

    /// Wakes them in the order they were collected.
    pub(super) fn wake(self) {
        waker::wake_any(self.first);
        for waker in self.rest {
            waker::wake(waker);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drain(list: &mut Waiters<u32>) -> Vec<u32> {
        let mut order = Vec::new();
        while let Some(data) = list.front().map(|d| *d) {
            order.push(data);
            let _ = list.pop_front(0);
        }
        order
    }

    #[test]
    fn keeps_the_order_when_some_leave() {
        let mut list = Waiters::new();
        let mut keys: Vec<_> = (1..=5).map(|n| list.push(None, n)).collect();
        let _ = list.remove(keys.remove(2));
        let _ = list.remove(keys.remove(0));
        let _ = list.remove(keys.pop().unwrap());
        let late = list.push(None, 6);
        assert_eq!(drain(&mut list), [2, 4, 6]);
        assert!(list.front().is_none());
        list.requeue(&late);
        assert!(list.is_queued(&late));
    }

    #[test]
    fn a_slot_stays_its_owners_until_removed() {
        let mut list = Waiters::new();
        let a = list.push(None, 1);
        assert!(list.pop_back(7).is_some());
        let b = list.push(None, 2);
        assert_eq!(list.remove(a).0, 7);
        assert_eq!(list.remove(b).0, 2);
        assert!(list.pop_front(0).is_none());
    }

    #[test]
    fn gives_memory_back_when_the_crowd_has_left() {
        let mut list = Waiters::new();
        let keys: Vec<_> = (0..1000).map(|n| list.push(None, n)).collect();
        for key in keys {
            let _ = list.remove(key);
        }
        assert_eq!(list.slots.capacity(), 0);
    }
}
