//! The wait list behind every primitive: a FIFO of wakers with O(1) insertion and removal by key.
//!
//! A waiting future owns a [`Key`] from the moment it starts to wait until it calls [`Waiters::remove`], whether or not
//! it was removed from the queue in between. So a key is never reused while it has an owner. Whatever an unlinked
//! waiter was given (permits, a notification) stays in its slot until the owner collects it, or passes it on when it is
//! dropped.
//!
//! The slots are in one slab, so waiting allocates nothing once the slab has grown. The slab does not move when it
//! grows beyond its first block: a vector would leave its old memory behind as a hole of its own size, in the memory of
//! a guest, which never shrinks. The list locks nothing and wakes nothing. Wakers are collected in [`Wakers`] and woken
//! outside the lock, because a waker may run any code. For the same reason every method that takes a waker out returns
//! it to the caller instead of dropping it.

use std::mem;
use std::task::Waker;

use crate::task::waker;

/// A link to no slot.
const NONE: u32 = u32::MAX;
/// As the link to the previous waiter: this waiter is not in the queue.
const UNQUEUED: u32 = u32::MAX - 1;

/// The number of slots in a block. A slab of more than one block is freed when its last waiter leaves.
const BLOCK: usize = 64;

/// The slot of one waiting future. Deliberately not `Clone`: it has one owner.
#[derive(Debug)]
pub(super) struct Key(u32);

impl Key {
    /// The number of every key is below this.
    pub(super) const NUMBERS: u32 = u32::MAX - 16;

    /// Converts the key into a number, for an owner that stores it in less space than an `Option` needs.
    #[inline]
    pub(super) fn into_number(self) -> u32 {
        self.0
    }

    /// Returns the key that `into_number` converted.
    #[inline]
    pub(super) fn from_number(number: u32) -> Key {
        Key(number)
    }
}

struct Slot<T> {
    waker: Option<Waker>,
    data: T,
    /// The previous waiter in the queue, or `UNQUEUED`.
    prev: u32,
    /// The next waiter in the queue, or the next free slot.
    next: u32,
}

/// A queue of waiting futures, first in, first out, each with its waker and a little data.
pub(super) struct Waiters<T> {
    /// The first block. It grows, because most lists are short.
    first: Vec<Slot<T>>,
    /// The other blocks.
    blocks: Vec<Vec<Slot<T>>>,
    head: u32,
    tail: u32,
    free: u32,
    /// The number of slots that have an owner.
    owned: usize,
}

impl<T: Copy> Waiters<T> {
    pub(super) const fn new() -> Self {
        Waiters {
            first: Vec::new(),
            blocks: Vec::new(),
            head: NONE,
            tail: NONE,
            free: NONE,
            owned: 0,
        }
    }

    #[inline]
    fn slot(&mut self, index: u32) -> &mut Slot<T> {
        match self.first.get_mut(index as usize) {
            Some(slot) => slot,
            None => Waiters::far(&mut self.blocks, index),
        }
    }

    /// Returns a slot that is not in the first block.
    #[cold]
    #[inline(never)]
    fn far(blocks: &mut [Vec<Slot<T>>], index: u32) -> &mut Slot<T> {
        let index = index as usize - BLOCK;
        &mut blocks[index / BLOCK][index % BLOCK]
    }

    /// Adds a slot.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, slot: Slot<T>) -> u32 {
        if self.first.len() < BLOCK {
            self.first.push(slot);
            return self.first.len() as u32 - 1;
        }
        let block = match self.blocks.last_mut() {
            Some(block) if block.len() < BLOCK => block,
            _ => {
                self.blocks.push(Vec::with_capacity(BLOCK));
                self.blocks.last_mut().expect("it was just pushed")
            }
        };
        block.push(slot);
        let before = block.len() - 1;
        let index = self.blocks.len() * BLOCK + before;
        u32::try_from(index).ok().filter(|&i| i < Key::NUMBERS).expect("too many waiters")
    }

    /// Queues a waiter at the back.
    pub(super) fn push(&mut self, waker: Option<Waker>, data: T) -> Key {
        let slot = Slot { waker, data, prev: self.tail, next: NONE };
        let index = match self.free {
            NONE => self.grow(slot),
            index => {
                let free = self.slot(index);
                let next = free.next;
                *free = slot;
                self.free = next;
                index
            }
        };
        self.owned += 1;
        self.append(index);
        Key(index)
    }

    /// Queues a waiter again that was removed from the queue.
    pub(super) fn requeue(&mut self, key: &Key) {
        debug_assert!(!self.is_queued(key));
        let tail = self.tail;
        let slot = self.slot(key.0);
        slot.prev = tail;
        slot.next = NONE;
        self.append(key.0);
    }

    /// Links a slot, whose own links are those of the last one, at the end of the queue.
    fn append(&mut self, index: u32) {
        match mem::replace(&mut self.tail, index) {
            NONE => self.head = index,
            tail => self.slot(tail).next = index,
        }
    }

    /// Links the waiters before and after a slot to each other.
    fn close_gap(&mut self, prev: u32, next: u32) {
        match prev {
            NONE => self.head = next,
            _ => self.slot(prev).next = next,
        }
        match next {
            NONE => self.tail = prev,
            _ => self.slot(next).prev = prev,
        }
    }

    /// Returns whether the queue is empty.
    pub(super) fn is_empty(&self) -> bool {
        self.head == NONE
    }

    /// Returns the data of the waiter that has waited longest.
    pub(super) fn front(&mut self) -> Option<&mut T> {
        match self.head {
            NONE => None,
            head => Some(&mut self.slot(head).data),
        }
    }

    /// Removes the waiter that has waited longest from the queue. Its slot keeps `data` until its owner removes it.
    pub(super) fn pop_front(&mut self, data: T) -> Option<Option<Waker>> {
        self.pop(self.head, data)
    }

    /// Like [`pop_front`](Self::pop_front), for the waiter that came last.
    pub(super) fn pop_back(&mut self, data: T) -> Option<Option<Waker>> {
        self.pop(self.tail, data)
    }

    fn pop(&mut self, index: u32, data: T) -> Option<Option<Waker>> {
        if index == NONE {
            return None;
        }
        let slot = self.slot(index);
        slot.data = data;
        let waker = slot.waker.take();
        let (prev, next) = (mem::replace(&mut slot.prev, UNQUEUED), slot.next);
        self.close_gap(prev, next);
        Some(waker)
    }

    /// Returns whether the waiter is still in the queue.
    pub(super) fn is_queued(&mut self, key: &Key) -> bool {
        self.slot(key.0).prev != UNQUEUED
    }

    /// Sets the waker. Returns the old one, to be dropped outside the lock.
    #[must_use = "drop it after the lock was released"]
    pub(super) fn set_waker(&mut self, key: &Key, waker: &Waker) -> Option<Waker> {
        let slot = self.slot(key.0);
        match &slot.waker {
            Some(old) if old.will_wake(waker) => None,
            _ => slot.waker.replace(waker::clone(waker)),
        }
    }

    /// Ends the wait: frees the slot, and removes it from the queue if it is still there.
    #[must_use = "drop the waker after the lock was released"]
    pub(super) fn remove(&mut self, key: Key) -> (T, Option<Waker>) {
        let free = mem::replace(&mut self.free, key.0);
        let slot = self.slot(key.0);
        let removed = (slot.data, slot.waker.take());
        let prev = mem::replace(&mut slot.prev, UNQUEUED);
        let next = mem::replace(&mut slot.next, free);
        if prev != UNQUEUED {
            self.close_gap(prev, next);
        }
        self.owned -= 1;
        if self.owned == 0 && !self.blocks.is_empty() {
            *self = Waiters::new();
        }
        removed
    }
}

/// Wakers to be woken once the lock is released. Allocates only for the second one and later.
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

    /// Wakes them in the order in which they were collected.
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
    fn keeps_the_order_of_a_crowd() {
        let mut list = Waiters::new();
        let mut keys: Vec<_> = (0..1000).map(|n| list.push(None, n)).collect();
        for at in [999, 512, 192, 191, 127, 64, 63, 0] {
            let _ = list.remove(keys.remove(at));
        }
        keys.extend((1000..1100).map(|n| list.push(None, n)));
        let gone = [0, 63, 64, 127, 191, 192, 512, 999];
        assert!(drain(&mut list).into_iter().eq((0..1100).filter(|n| !gone.contains(n))));
        for key in keys {
            assert!(!list.is_queued(&key));
            let _ = list.remove(key);
        }
        assert!(list.blocks.is_empty());
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
        assert_eq!(list.first.capacity() + list.blocks.capacity(), 0);
    }
}
