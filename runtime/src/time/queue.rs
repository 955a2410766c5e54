//! The timers of one runtime in the order of their deadlines. Knows ticks and wakers, but no clock.
//!
//! A binary heap of small nodes orders the deadlines; a table holds what each timer's owner needs. Both
//! cancelling a timer and moving it to a later time leave its node where it is: the node is recognised as
//! dead, or moved to its new place, when it reaches the top. So both cost a few field accesses, which is
//! what happens to timers most of the time: a timeout is armed, and cancelled or extended long before it
//! would fire. Whenever most of the nodes are dead, the heap is swept; an operation pays for at most a
//! constant share of the sweep.
//!
//! Arming is O(1) on average and O(log n) at worst, cancelling and moving O(1) amortised, firing O(log n).
//! Once the heap and the table have grown nothing allocates.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::task::Waker;

/// Fewer dead nodes than this are not worth a sweep.
const SWEEP_FROM: usize = 64;

/// The tick of a timer that is not armed.
const NEVER: u64 = u64::MAX;

/// Names a timer in the queue.
pub(super) type Key = u32;

/// A timer's place in the order: its tick, its sequence number and its key as one integer, because one
/// comparison of integers is what the heap does most.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Node(u128);

impl Node {
    fn new(tick: u64, seq: u32, key: Key) -> Node {
        Node(u128::from(tick) << 64 | u128::from(seq) << 32 | u128::from(key))
    }

    fn tick(self) -> u64 {
        (self.0 >> 64) as u64
    }

    fn seq(self) -> u32 {
        (self.0 >> 32) as u32
    }

    fn key(self) -> Key {
        self.0 as u32
    }
}

/// A timer. It stays in the table until its owner removes it, fired or not.
struct Entry {
    /// When it fires; its node may still say an earlier time. `NEVER` if it is not armed.
    tick: u64,
    /// Its place among equal deadlines.
    seq: u32,
    /// The sequence number of its node; a node with another one is dead.
    node: u32,
    waker: Option<Waker>,
}

impl Entry {
    fn is_armed(&self) -> bool {
        self.tick != NEVER
    }

    fn owns(&self, node: Node) -> bool {
        self.is_armed() && self.node == node.seq()
    }
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Reverse<Node>>,
    entries: Vec<Entry>,
    /// The entries without a timer.
    vacant: Vec<Key>,
    /// How many entries are armed; every one has exactly one living node.
    armed: usize,
    /// Given out in ascending order: equal deadlines fire in the order they were set.
    last_seq: u32,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// Adds a timer.
    pub(super) fn insert(&mut self, tick: u64, waker: Option<Waker>) -> Key {
        let tick = tick.min(NEVER - 1);
        let seq = self.take_seq();
        let entry = Entry { tick, seq, node: seq, waker };
        let key = match self.vacant.pop() {
            Some(key) => {
                *self.entry(key) = entry;
                key
            }
            None => {
                let key = Key::try_from(self.entries.len()).expect("at most 2^32 timers");
                self.entries.push(entry);
                key
            }
        };
        self.armed += 1;
        self.heap.push(Reverse(Node::new(tick, seq, key)));
        key
    }

    /// Moves a timer to another time, and arms it again if it had fired.
    pub(super) fn reset(&mut self, key: Key, tick: u64) {
        let tick = tick.min(NEVER - 1);
        let seq = self.take_seq();
        let entry = self.entry(key);
        let was_armed = entry.is_armed();
        let is_later = was_armed && tick >= entry.tick;
        entry.tick = tick;
        entry.seq = seq;
        if is_later {
            return;
        }
        entry.node = seq;
        self.heap.push(Reverse(Node::new(tick, seq, key)));
        if was_armed {
            self.sweep_if_worth();
        } else {
            self.armed += 1;
        }
    }

    /// Makes a timer elapse now; returns whom to wake.
    pub(super) fn elapse(&mut self, key: Key) -> Option<Waker> {
        let entry = self.entry(key);
        let was_armed = entry.is_armed();
        entry.tick = NEVER;
        let waker = entry.waker.take();
        if was_armed {
            self.disarmed();
        }
        waker
    }

    /// Removes a timer, fired or not. The waker is returned so that the caller can drop it without a lock.
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        let waker = self.elapse(key);
        self.vacant.push(key);
        if self.vacant.len() == self.entries.len() {
            // Handed out in order again: neighbours in time are neighbours in memory.
            self.entries.clear();
            self.vacant.clear();
        }
        waker
    }

    pub(super) fn is_armed(&self, key: Key) -> bool {
        self.entries[key as usize].is_armed()
    }

    /// Whom the timer wakes when it fires.
    pub(super) fn waker(&mut self, key: Key) -> &mut Option<Waker> {
        &mut self.entry(key).waker
    }

    /// The earliest deadline.
    pub(super) fn next(&mut self) -> Option<u64> {
        while let Some(mut top) = self.heap.peek_mut() {
            let node = top.0;
            let entry = &mut self.entries[node.key() as usize];
            if !entry.owns(node) {
                PeekMut::pop(top);
            } else if entry.seq == node.seq() {
                return Some(node.tick());
            } else {
                // Moved to a later time since: the node sinks to where it belongs.
                top.0 = Node::new(entry.tick, entry.seq, node.key());
                entry.node = entry.seq;
            }
        }
        None
    }

    /// Fires the earliest timer if it is due; returns whom to wake, which may be nobody.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Option<Waker>> {
        if self.next()? > now {
            return None;
        }
        let Reverse(node) = self.heap.pop()?;
        self.armed -= 1;
        let entry = self.entry(node.key());
        entry.tick = NEVER;
        Some(entry.waker.take())
    }

    fn entry(&mut self, key: Key) -> &mut Entry {
        &mut self.entries[key as usize]
    }

    /// A timer was disarmed without its node being taken out.
    fn disarmed(&mut self) {
        self.armed -= 1;
        if self.armed == 0 {
            self.heap.clear();
        } else {
            self.sweep_if_worth();
        }
    }

    fn sweep_if_worth(&mut self) {
        if self.heap.len() > SWEEP_FROM + 3 * self.armed {
            let entries = &self.entries;
            self.heap.retain(|Reverse(node)| entries[node.key() as usize].owns(*node));
        }
    }

    fn take_seq(&mut self) -> u32 {
        if self.last_seq == u32::MAX {
            self.renumber();
        }
        self.last_seq += 1;
        self.last_seq
    }

    /// Gives the armed timers the lowest numbers, in the same order. Once in 2^32 operations.
    #[cold]
    fn renumber(&mut self) {
        let mut armed: Vec<_> =
            (0..).zip(&mut self.entries).filter(|(_, e)| e.is_armed()).collect();
        armed.sort_unstable_by_key(|(_, entry)| entry.seq);
        self.heap.clear();
        self.last_seq = 0;
        for (key, entry) in armed {
            self.last_seq += 1;
            entry.seq = self.last_seq;
            entry.node = self.last_seq;
            self.heap.push(Reverse(Node::new(entry.tick, entry.seq, key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// Numbers without a pattern, the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) % n
        }
    }

    /// Runs random operations on a queue and on an ordered map, which must agree on what fires and when.
    fn check_against_model(seed: u64, first_seq: u32, steps: usize, most_alive: usize) {
        let mut random = Random(seed);
        let mut queue = Queue { last_seq: first_seq, ..Queue::default() };
        let mut model = BTreeMap::new();
        let mut alive: Vec<(Key, Option<(u64, u64)>)> = Vec::new();
        let mut order = 0;
        let mut now = 0;
        for _ in 0..steps {
            let tick = now + 1 + random.below(50);
            order += 1;
            match random.below(6) {
                0 | 1 if alive.len() < most_alive => {
                    let key = queue.insert(tick, None);
                    model.insert((tick, order), key);
                    alive.push((key, Some((tick, order))));
                }
                2 if !alive.is_empty() => {
                    let (key, place) = alive.swap_remove(random.below(alive.len() as u64) as usize);
                    queue.remove(key);
                    place.map(|place| model.remove(&place));
                }
                3 if !alive.is_empty() => {
                    let n = random.below(alive.len() as u64) as usize;
                    let (key, place) = &mut alive[n];
                    place.map(|place| model.remove(&place));
                    queue.reset(*key, tick);
                    model.insert((tick, order), *key);
                    *place = Some((tick, order));
                }
                4 if !alive.is_empty() => {
                    let n = random.below(alive.len() as u64) as usize;
                    let (key, place) = &mut alive[n];
                    queue.elapse(*key);
                    place.take().map(|place| model.remove(&place));
                }
                _ => {
                    now += random.below(10);
                    while queue.pop_due(now).is_some() {
                        let ((tick, order), key) =
                            model.pop_first().expect("the model has one too");
                        assert!(tick <= now);
                        assert!(!queue.is_armed(key), "another timer than the earliest fired");
                        let fired =
                            alive.iter_mut().find(|(_, place)| *place == Some((tick, order)));
                        fired.expect("it was alive").1 = None;
                    }
                }
            }
            assert_eq!(queue.next(), model.first_key_value().map(|((tick, _), _)| *tick));
            assert_eq!(queue.is_empty(), model.is_empty());
            assert!(queue.heap.len() <= SWEEP_FROM + 3 * queue.armed);
        }
        assert!(now > 0);
    }

    #[test]
    fn agrees_with_an_ordered_map() {
        for seed in 0..20 {
            check_against_model(seed, 0, 3_000, 200);
        }
        for seed in 20..60 {
            check_against_model(seed, 0, 500, 3);
        }
    }

    #[test]
    fn keeps_the_order_of_equal_deadlines_when_its_numbers_run_out() {
        check_against_model(7, u32::MAX - 700, 3_000, 100);
    }

    #[test]
    fn does_not_grow_when_timers_are_armed_and_cancelled() {
        let mut queue = Queue::default();
        let far = queue.insert(1_000_000, None);
        for tick in 0..100_000 {
            let key = queue.insert(tick, None);
            queue.reset(key, tick + 7);
            queue.reset(key, tick + 3);
            queue.remove(key);
        }
        assert!(queue.heap.capacity() <= 4 * SWEEP_FROM);
        assert_eq!(queue.next(), Some(1_000_000));
        queue.remove(far);
        assert_eq!(queue.next(), None);
    }
}
