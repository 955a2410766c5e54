//! A table of values with small numbers, which are reused.
//!
//! The crate `slab` does the same. It links free places through each other and has panics of its own, which for the
//! reactor's few calls takes three times as much of a guest.

use std::mem;

/// See the module's documentation.
pub(crate) struct Places<T> {
    values: Vec<Option<T>>,
    /// The numbers of vacant places.
    free: Vec<usize>,
}

impl<T> Places<T> {
    pub(crate) const fn new() -> Places<T> {
        Places { values: Vec::new(), free: Vec::new() }
    }

    /// Returns the number that the next value will have.
    pub(crate) fn next(&self) -> usize {
        self.free.last().copied().unwrap_or(self.values.len())
    }

    /// Stores a value. Returns its number.
    pub(crate) fn insert(&mut self, value: T) -> usize {
        let key = self.next();
        self.free.pop();
        match self.values.get_mut(key) {
            // The place was vacant, so nothing is dropped.
            Some(place) => mem::forget(place.replace(value)),
            None => self.values.push(Some(value)),
        }
        key
    }

    pub(crate) fn get(&self, key: usize) -> Option<&T> {
        self.values.get(key)?.as_ref()
    }

    pub(crate) fn remove(&mut self, key: usize) -> Option<T> {
        let value = self.values.get_mut(key)?.take()?;
        self.free.push(key);
        Some(value)
    }

    /// Returns whether there is no value.
    pub(crate) fn is_empty(&self) -> bool {
        self.values.len() == self.free.len()
    }

    /// Every number is below this.
    pub(crate) fn end(&self) -> usize {
        self.values.len()
    }
}

#[cfg(test)]
mod tests {
    use super::Places;

    #[test]
    fn numbers_are_small_and_used_again() {
        let mut places = Places::new();
        assert!(places.is_empty());
        assert_eq!([places.insert('a'), places.insert('b'), places.insert('c')], [0, 1, 2]);
        assert_eq!(places.remove(1), Some('b'));
        assert_eq!(places.remove(1), None);
        assert_eq!(places.get(1), None);
        assert_eq!(places.next(), 1);
        assert_eq!((places.insert('d'), places.end(), places.next()), (1, 3, 3));
        assert_eq!(places.get(1), Some(&'d'));
        assert!([0, 1, 2].into_iter().all(|key| places.remove(key).is_some()));
        assert!(places.is_empty() && places.remove(3).is_none());
    }
}
