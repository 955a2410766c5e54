//! The timers of one runtime in the order of their deadlines. Knows ticks and wakers, but no clock.
//!
//! A binary heap of small nodes orders the deadlines; a slab holds what each timer's owner needs. Both
//! cancelling a timer and moving it to a later time leave its node where it is: the node is recognised as
//! dead, or moved to its new place, when it reaches the top. So both cost a few field accesses, which is
//! what timers are for most of the time: a timeout is armed, and cancelled or extended long before it would
//! fire. Whenever more than half of the nodes are dead, the heap is swept; an operation pays for at most a
//! constant share of the sweep.
//!
//! Arming is O(1) on average and O(log n) at worst, cancelling and moving O(1) amortised, firing O(log n).
//! Once the heap and the slab have grown nothing allocates.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::task::Waker;

use slab::Slab;

/// Below this size dead nodes are not worth a sweep.
const SWEEP_FROM: usize = 64;

/// Names a timer in the queue.
pub(super) type Key = usize;

/// A timer's place in the order. The earliest is the greatest, as `BinaryHeap` pops the greatest.
#[derive(Clone, Copy)]
struct Node {
    tick: u64,
    /// Given out in ascending order: equal deadlines fire in the order they were set.
    seq: u32,
    key: u32,
}

impl Ord for Node {
    fn cmp(&self, other: &Node) -> Ordering {
        // `seq` wraps around after 2^32 operations, so its distance is compared. Should timers that far
        // apart ever meet on one tick, their order is lost; the ticks' order never depends on it.
        let order = || (other.seq.wrapping_sub(self.seq) as i32).cmp(&0);
        other.tick.cmp(&self.tick).then_with(order)
    }
}

impl PartialOrd for Node {
    fn partial_cmp(&self, other: &Node) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Node) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Node {}

/// A timer. It stays in the slab until its owner removes it, fired or not.
struct Entry {
    /// When it fires. Its node may still say an earlier time.
    tick: u64,
    /// Its place among equal deadlines.
    seq: u32,
    /// The `seq` of its node; a node with another one is dead.
    node: u32,
    armed: bool,
    waker: Option<Waker>,
}

/// See the module's documentation.
#[derive(Default)]
pub(super) struct Queue {
    heap: BinaryHeap<Node>,
    entries: Slab<Entry>,
    /// How many entries are armed; every one has exactly one living node.
    armed: usize,
    next_seq: u32,
}

impl Queue {
    pub(super) fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// Adds a timer.
    pub(super) fn insert(&mut self, tick: u64, waker: Option<Waker>) -> Key {
        let seq = self.take_seq();
        let key = self.entries.insert(Entry { tick, seq, node: seq, armed: true, waker });
        self.armed += 1;
        self.heap.push(Node { tick, seq, key: node_key(key) });
        key
    }

    /// Moves a timer to another time, and arms it again if it had fired.
    pub(super) fn reset(&mut self, key: Key, tick: u64) {
        let seq = self.take_seq();
        let entry = &mut self.entries[key];
        let later = entry.armed && tick >= entry.tick;
        entry.tick = tick;
        entry.seq = seq;
        if later {
            return;
        }
        entry.node = seq;
        if !entry.armed {
            entry.armed = true;
            self.armed += 1;
        }
        self.heap.push(Node { tick, seq, key: node_key(key) });
        self.sweep_if_worth();
    }

    /// Makes a timer elapse now; returns whom to wake.
    pub(super) fn elapse(&mut self, key: Key) -> Option<Waker> {
        let entry = &mut self.entries[key];
        let waker = entry.waker.take();
        if entry.armed {
            entry.armed = false;
            self.disarmed();
        }
        waker
    }

    /// Removes a timer, fired or not. The waker is returned so that the caller can drop it without a lock.
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        let entry = self.entries.remove(key);
        if entry.armed {
            self.disarmed();
        }
        entry.waker
    }

    pub(super) fn is_armed(&self, key: Key) -> bool {
        self.entries[key].armed
    }

    /// Whom the timer wakes when it fires.
    pub(super) fn waker(&mut self, key: Key) -> &mut Option<Waker> {
        &mut self.entries[key].waker
    }

    /// The earliest deadline.
    pub(super) fn next(&mut self) -> Option<u64> {
        while let Some(mut top) = self.heap.peek_mut() {
            match self.entries.get(top.key as usize) {
                Some(entry) if entry.armed && entry.node == top.seq => {
                    if entry.tick == top.tick && entry.seq == top.seq {
                        return Some(top.tick);
                    }
                    // Moved to a later time since: the node sinks to where it belongs.
                    (top.tick, top.seq) = (entry.tick, entry.seq);
                    let (key, seq) = (top.key as usize, top.seq);
                    drop(top);
                    self.entries[key].node = seq;
                }
                _ => {
                    std::collections::binary_heap::PeekMut::pop(top);
                }
            }
        }
        None
    }

    /// Fires the earliest timer if it is due; returns whom to wake, which may be nobody.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Option<Waker>> {
        if self.next()? > now {
            return None;
        }
        let node = self.heap.pop()?;
        let entry = &mut self.entries[node.key as usize];
        entry.armed = false;
        self.armed -= 1;
        Some(entry.waker.take())
    }

    fn take_seq(&mut self) -> u32 {
        self.next_seq = self.next_seq.wrapping_add(1);
        self.next_seq
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
        if self.heap.len() > SWEEP_FROM + 2 * self.armed {
            let entries = &self.entries;
            self.heap.retain(|node| {
                entries.get(node.key as usize).is_some_and(|e| e.armed && e.node == node.seq)
            });
        }
    }
}

/// A slab that fits in memory never has more than 2^32 entries of this size.
fn node_key(key: Key) -> u32 {
    u32::try_from(key).expect("more than 2^32 timers")
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
        let mut queue = Queue { next_seq: first_seq, ..Queue::default() };
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
            assert!(queue.heap.len() <= SWEEP_FROM + 2 * queue.armed);
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
    fn keeps_the_order_of_equal_deadlines_when_its_numbers_wrap_around() {
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
