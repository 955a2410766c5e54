//! The timers of one runtime in the order of their deadlines. The queue has deadlines and wakers, but no clock.
//!
//! A table holds the state of each timer. Arming a timer only lists it as new. When the order is needed, which is
//! before every wait, the new timers go into a binary heap of small nodes. A timer that is cancelled before the
//! executor looks, such as the timeout of an operation that did not have to wait, costs a few field accesses and no
//! arithmetic.
//!
//! Cancelling a timer or moving it to a later time leaves its node in place. The node is recognised as dead, or moved
//! to its new place, when it reaches the top. This is the common case: a timeout is armed, and cancelled or extended
//! long before it would fire. When most of the nodes are dead, the heap is swept. An operation pays for at most a
//! constant share of the sweep.
//!
//! Arming is O(1). Its part of the work before the next wait is O(1) on average and O(log n) at worst. Cancelling and
//! moving are O(1) amortised, firing is O(log n). Nothing allocates once the heap and the table have grown.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::mem;
use std::task::Waker;
use std::time::Instant;

use super::ticks::Ticks;

/// A sweep is not worthwhile for fewer dead nodes than this.
const SWEEP_FROM: usize = 64;

/// Identifies a timer in the queue.
pub(super) type Key = u32;

/// All keys are below this. The owner of a timer uses the remaining numbers for states of its own.
pub(super) const KEYS: Key = u32::MAX - 1;

/// Marks the end of the list of vacant entries.
const END: Key = Key::MAX;

// The state of a timer. Any other number is the sequence number of its node in the heap.
/// The timer is not armed.
const UNARMED: u32 = 0;
/// The timer is not armed, but is still listed as new.
const UNARMED_NEW: u32 = u32::MAX - 1;
/// The timer is armed, and is listed as new.
const NEW: u32 = u32::MAX;

/// A node of the heap: a timer's tick, sequence number and key as one integer, because one comparison of integers is
/// the heap's most frequent operation.
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

/// A timer. It stays in the table until its owner removes it, whether or not it has fired.
struct Entry {
    /// When the timer fires. Its node may still have an earlier time. Meaningless if the timer is not armed.
    deadline: Instant,
    /// Its place among equal deadlines. In a vacant entry: the next vacant one.
    seq: u32,
    /// The state of the timer. A node with another sequence number is dead.
    node: u32,
    waker: Option<Waker>,
}

impl Entry {
    fn is_armed(&self) -> bool {
        self.node != UNARMED && self.node != UNARMED_NEW
    }
}

/// See the module's documentation.
pub(super) struct Queue {
    ticks: Ticks,
    entries: Vec<Entry>,
    /// The first vacant entry.
    vacant: Key,
    /// The timers that are `NEW` or `UNARMED_NEW`, each once.
    new: Vec<Key>,
    /// Every other armed timer has exactly one live node here.
    heap: BinaryHeap<Reverse<Node>>,
    /// The number of armed timers.
    armed: usize,
    /// Sequence numbers are assigned in ascending order, so that equal deadlines fire in the order in which they were
    /// set.
    last_seq: u32,
}

impl Queue {
    pub(super) fn new(ticks: Ticks) -> Queue {
        Queue {
            ticks,
            entries: Vec::new(),
            vacant: END,
            new: Vec::new(),
            heap: BinaryHeap::new(),
            armed: 0,
            last_seq: 0,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.armed == 0
    }

    /// Adds a timer.
    #[inline]
    pub(super) fn insert(&mut self, deadline: Instant, waker: Option<Waker>) -> Key {
        let seq = self.take_seq();
        self.armed += 1;
        let key = self.vacant;
        let Some(entry) = self.entries.get_mut(key as usize) else {
            return self.grow(Entry { deadline, seq, node: NEW, waker });
        };
        self.vacant = mem::replace(&mut entry.seq, seq);
        entry.deadline = deadline;
        entry.waker = waker;
        if mem::replace(&mut entry.node, NEW) != UNARMED_NEW {
            self.new.push(key);
        }
        key
    }

    /// Adds a timer at the end of the table.
    #[cold]
    #[inline(never)]
    fn grow(&mut self, entry: Entry) -> Key {
        let key = self.entries.len() as Key;
        assert!(self.entries.len() < KEYS as usize, "too many timers");
        self.entries.push(entry);
        self.new.push(key);
        key
    }

    /// Moves a timer to another time, and arms it again if it had fired.
    pub(super) fn reset(&mut self, key: Key, deadline: Instant) {
        let seq = self.take_seq();
        let entry = self.entry(key);
        let was_armed = entry.is_armed();
        let is_later = deadline >= entry.deadline;
        entry.deadline = deadline;
        entry.seq = seq;
        if was_armed && (is_later || entry.node == NEW) {
            return;
        }
        if mem::replace(&mut entry.node, NEW) != UNARMED_NEW {
            self.new.push(key);
        }
        if was_armed {
            self.sweep_if_worth();
        } else {
            self.armed += 1;
        }
    }

    /// Fires a timer now. Returns the waker to call.
    #[inline]
    pub(super) fn elapse(&mut self, key: Key) -> Option<Waker> {
        let entry = self.entry(key);
        let was_armed = entry.is_armed();
        entry.node = if entry.node >= UNARMED_NEW { UNARMED_NEW } else { UNARMED };
        let waker = entry.waker.take();
        if was_armed {
            self.disarmed();
        }
        waker
    }

    /// Removes a timer, whether or not it has fired. Returns the waker, so that the caller can drop it outside the
    /// lock.
    #[inline]
    pub(super) fn remove(&mut self, key: Key) -> Option<Waker> {
        let waker = self.elapse(key);
        let vacant = mem::replace(&mut self.vacant, key);
        self.entry(key).seq = vacant;
        waker
    }

    pub(super) fn is_armed(&self, key: Key) -> bool {
        self.entries[key as usize].is_armed()
    }

    /// Returns the waker that the timer calls when it fires.
    pub(super) fn waker(&mut self, key: Key) -> &mut Option<Waker> {
        &mut self.entry(key).waker
    }

    /// Returns the tick of the earliest deadline.
    pub(super) fn next(&mut self) -> Option<u64> {
        if !self.new.is_empty() {
            self.sort_in();
        }
        while let Some(mut top) = self.heap.peek_mut() {
            let node = top.0;
            let entry = &mut self.entries[node.key() as usize];
            if entry.node != node.seq() {
                PeekMut::pop(top);
            } else if entry.seq == node.seq() {
                return Some(node.tick());
            } else {
                // The timer was moved to a later time. The node sinks to its new place.
                top.0 = Node::new(self.ticks.ceil(entry.deadline), entry.seq, node.key());
                entry.node = entry.seq;
            }
        }
        None
    }

    /// Fires the earliest timer if it is due. Returns its waker, if it has one.
    pub(super) fn pop_due(&mut self, now: u64) -> Option<Option<Waker>> {
        if self.next()? > now {
            return None;
        }
        let Reverse(node) = self.heap.pop()?;
        self.armed -= 1;
        let entry = self.entry(node.key());
        entry.node = UNARMED;
        Some(entry.waker.take())
    }

    fn entry(&mut self, key: Key) -> &mut Entry {
        &mut self.entries[key as usize]
    }

    /// Moves the new timers into the heap.
    #[inline(never)]
    fn sort_in(&mut self) {
        let Queue { ticks, entries, new, heap, .. } = self;
        heap.extend(new.drain(..).filter_map(|key| {
            let entry = &mut entries[key as usize];
            if entry.node == UNARMED_NEW {
                entry.node = UNARMED;
                return None;
            }
            entry.node = entry.seq;
            Some(Reverse(Node::new(ticks.ceil(entry.deadline), entry.seq, key)))
        }));
        self.sweep_if_worth();
    }

    /// Accounts for a timer that was disarmed while its node stays in the heap.
    #[inline]
    fn disarmed(&mut self) {
        self.armed -= 1;
        if self.armed == 0 {
            self.heap.clear();
        } else {
            self.sweep_if_worth();
        }
    }

    #[inline]
    fn sweep_if_worth(&mut self) {
        if self.heap.len() > SWEEP_FROM + 3 * self.armed {
            self.sweep();
        }
    }

    #[cold]
    #[inline(never)]
    fn sweep(&mut self) {
        let entries = &self.entries;
        self.heap.retain(|Reverse(node)| entries[node.key() as usize].node == node.seq());
    }

    #[inline]
    fn take_seq(&mut self) -> u32 {
        if self.last_seq == UNARMED_NEW - 1 {
            self.renumber();
        }
        self.last_seq += 1;
        self.last_seq
    }

    /// Renumbers the armed timers from the lowest number, in the same order. Runs once in 2^32 operations.
    #[cold]
    #[inline(never)]
    fn renumber(&mut self) {
        self.sort_in();
        let mut armed: Vec<_> =
            (0..).zip(&mut self.entries).filter(|(_, e)| e.is_armed()).collect();
        armed.sort_unstable_by_key(|(_, entry)| entry.seq);
        self.heap.clear();
        self.last_seq = 0;
        for (key, entry) in armed {
            self.last_seq += 1;
            entry.seq = self.last_seq;
            entry.node = self.last_seq;
            self.heap.push(Reverse(Node::new(self.ticks.ceil(entry.deadline), entry.seq, key)));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::time::Duration;

    use super::*;

    /// A pseudo-random sequence, the same in every run.
    struct Random(u64);

    impl Random {
        fn below(&mut self, n: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
            (self.0 >> 33) % n
        }
    }

    /// Returns a queue and the times of its ticks.
    fn queue() -> (Queue, Ticks) {
        let ticks = Ticks::new(Instant::now());
        (Queue::new(ticks), ticks)
    }

    /// Runs random operations on a queue and on an ordered map, which must agree on which timers fire and when. The
    /// order is asked for before one in `looks` operations.
    fn check_against_model(seed: u64, first_seq: u32, steps: usize, most_alive: usize, looks: u64) {
        let mut random = Random(seed);
        let (mut queue, ticks) = queue();
        queue.last_seq = first_seq;
        let mut model = BTreeMap::new();
        let mut alive: Vec<(Key, Option<(u64, u64)>)> = Vec::new();
        let mut order = 0;
        let mut now = 0;
        let mut fired_count = 0;
        for _ in 0..steps {
            let tick = now + 1 + random.below(50);
            // Some deadlines are within their millisecond, not at its end.
            let deadline = ticks.time(tick) - Duration::from_nanos(random.below(3) * 333_333);
            order += 1;
            match random.below(6) {
                0 | 1 if alive.len() < most_alive => {
                    let key = queue.insert(deadline, None);
                    assert!(queue.is_armed(key));
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
                    queue.reset(*key, deadline);
                    model.insert((tick, order), *key);
                    *place = Some((tick, order));
                }
                4 if !alive.is_empty() => {
                    let n = random.below(alive.len() as u64) as usize;
                    let (key, place) = &mut alive[n];
                    queue.elapse(*key);
                    assert!(!queue.is_armed(*key));
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
                        fired_count += 1;
                    }
                }
            }
            if random.below(looks) == 0 {
                let next = model.first_key_value().map(|((tick, _), _)| *tick);
                assert_eq!(queue.next(), next);
                assert!(queue.heap.len() <= SWEEP_FROM + 3 * queue.armed);
            }
            assert_eq!(queue.armed, model.len());
            assert!(queue.entries.len() <= most_alive);
            assert!(queue.new.len() <= queue.entries.len(), "each is among the new ones once");
        }
        assert!(fired_count > steps / 50);
    }

    #[test]
    fn agrees_with_an_ordered_map() {
        for seed in 0..20 {
            check_against_model(seed, 0, 3_000, 200, 1);
            check_against_model(seed, 0, 3_000, 200, 20);
        }
        for seed in 20..60 {
            check_against_model(seed, 0, 500, 3, 1);
            check_against_model(seed, 0, 500, 3, 5);
        }
    }

    #[test]
    fn keeps_the_order_of_equal_deadlines_when_its_numbers_run_out() {
        for looks in [1, 20] {
            check_against_model(7, UNARMED_NEW - 700, 3_000, 100, looks);
        }
    }

    #[test]
    fn does_not_grow_when_timers_are_armed_and_cancelled() {
        for looks in [false, true] {
            let (mut queue, ticks) = queue();
            let far = queue.insert(ticks.time(1_000_000), None);
            for tick in 0..100_000 {
                let key = queue.insert(ticks.time(tick), None);
                if looks {
                    assert_eq!(queue.next(), Some(tick));
                }
                queue.reset(key, ticks.time(tick + 7));
                queue.reset(key, ticks.time(tick + 3));
                queue.remove(key);
            }
            assert!(queue.heap.capacity() <= 4 * SWEEP_FROM);
            assert!(queue.new.capacity() <= 4 && queue.entries.capacity() <= 4);
            assert_eq!(queue.next(), Some(1_000_000));
            queue.remove(far);
            assert_eq!(queue.next(), None);
        }
    }
}
