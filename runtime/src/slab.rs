//! A slab: a table of values with small keys, which are reused.
//!
//! SIZE: the crate `slab` links vacant entries through each other and has panics of its own, which for the reactor's
//! few calls takes three times as much of a guest.

use std::mem;

/// See the module's documentation.
pub(crate) struct Slab<T> {
    values: Vec<Option<T>>,
    /// The keys of vacant entries.
    vacant: Vec<usize>,
}

impl<T> Slab<T> {
    pub(crate) const fn new() -> Slab<T> {
        Slab { values: Vec::new(), vacant: Vec::new() }
    }

    /// Returns the key that the next value will have.
    pub(crate) fn next(&self) -> usize {
        self.vacant.last().copied().unwrap_or(self.values.len())
    }

    /// Stores a value. Returns its key.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let key = self.next();
        self.vacant.pop();
        match self.values.get_mut(key) {
            // The entry was vacant, so nothing is dropped.
            Some(entry) => mem::forget(entry.replace(value)),
            None => self.values.push(Some(value)),
        }
        key
    }

    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        self.values.get(key)?.as_ref()
    }

    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let value = self.values.get_mut(key)?.take()?;
        self.vacant.push(key);
        Some(value)
    }

    /// Returns whether there is no value.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.len() == self.vacant.len()
    }

    /// Every key is below this.
    pub(crate) fn end(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Slab;

    #[test]
    fn keys_are_small_and_reused() {
        let mut slab = Slab::new();
        assert!(slab.is_empty());
        assert_eq!([slab.insert('a'), slab.insert('b'), slab.insert('c')], [0, 1, 2]);
        assert_eq!(slab.remove(1), Some('b'));
        assert_eq!(slab.remove(1), None);
        assert_eq!(slab.get(1), None);
        assert_eq!(slab.next(), 1);
        assert_eq!((slab.insert('d'), slab.end(), slab.next()), (1, 3, 3));
        assert_eq!(slab.get(1), Some(&'d'));
        assert!([0, 1, 2].into_iter().all(|key| slab.remove(key).is_some()));
        assert!(slab.is_empty() && slab.remove(3).is_none());
    }
}
