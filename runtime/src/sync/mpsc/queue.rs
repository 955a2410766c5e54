//! The values in a channel. The first is stored apart, so that a channel that never holds more than one allocates
//! nothing for them.

use std::collections::VecDeque;

/// An empty queue that has grown larger than this is freed.
const KEEP: usize = 1024;

/// First in, first out.
pub(super) struct Queue<T> {
    /// Present unless the queue is empty.
    first: Option<T>,
    others: VecDeque<T>,
}

impl<T> Queue<T> {
    pub(super) fn new() -> Self {
        Queue { first: None, others: VecDeque::new() }
    }

    #[inline]
    pub(super) fn is_empty(&self) -> bool {
        self.first.is_none()
    }

    pub(super) fn len(&self) -> usize {
        usize::from(self.first.is_some()) + self.others.len()
    }

    /// Returns whether [`push`](Self::push) does not allocate.
    #[inline(always)]
    pub(super) fn has_room(&self) -> bool {
        self.is_empty() || self.others.len() < self.others.capacity()
    }

    /// Returns whether [`pop`](Self::pop) does not free memory.
    #[inline(always)]
    pub(super) fn keeps_memory(&self) -> bool {
        self.others.is_empty() || self.others.capacity() <= KEEP
    }

    #[inline(always)]
    pub(super) fn push(&mut self, value: T) {
        if self.is_empty() {
            self.first = Some(value);
        } else {
            self.others.push_back(value);
        }
    }

    #[inline(always)]
    pub(super) fn pop(&mut self) -> Option<T> {
        let value = self.first.take();
        if !self.others.is_empty() {
            self.first = self.others.pop_front();
            self.shrink();
        }
        value
    }

    /// Moves the first `n` values, or all if there are fewer, to the end of `buffer`. Returns the number moved.
    pub(super) fn pop_into(&mut self, buffer: &mut Vec<T>, n: usize) -> usize {
        let n = n.min(self.len());
        if n > 0 {
            buffer.reserve(n);
            buffer.extend(self.first.take());
            buffer.extend(self.others.drain(..n - 1));
            self.first = self.others.pop_front();
            self.shrink();
        }
        n
    }

    #[inline]
    fn shrink(&mut self) {
        if self.others.capacity() > KEEP && self.others.is_empty() {
            self.give_back();
        }
    }

    #[cold]
    fn give_back(&mut self) {
        self.others = VecDeque::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keeps_the_order() {
        let mut queue = Queue::new();
        let mut next = 0;
        let mut expected = 0;
        for (pushed, popped) in [(1, 1), (3, 1), (2, 3), (1, 2), (4, 4), (1, 1)] {
            for _ in 0..pushed {
                queue.push(next);
                next += 1;
            }
            for _ in 0..popped {
                assert_eq!(queue.pop(), Some(expected));
                expected += 1;
            }
            assert_eq!(queue.len(), next - expected);
            assert_eq!(queue.is_empty(), next == expected);
        }
        assert_eq!(queue.pop(), None);
    }

    #[test]
    fn moves_several_at_once() {
        let mut queue = Queue::new();
        (0..5).for_each(|n| queue.push(n));
        let mut buffer = Vec::new();
        assert_eq!(queue.pop_into(&mut buffer, 0), 0);
        assert_eq!(queue.pop_into(&mut buffer, 1), 1);
        assert_eq!(queue.pop_into(&mut buffer, 2), 2);
        assert_eq!(queue.pop_into(&mut buffer, 9), 2);
        assert_eq!(queue.pop_into(&mut buffer, 9), 0);
        assert_eq!(buffer, [0, 1, 2, 3, 4]);
    }

    #[test]
    fn gives_memory_back() {
        let mut queue = Queue::new();
        (0..3 * KEEP).for_each(|n| queue.push(n));
        while queue.pop().is_some() {}
        assert!(queue.others.capacity() <= KEEP);
    }
}
