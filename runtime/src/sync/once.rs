//! The value of a `OnceCell` or `SetOnce`: std's `OnceLock`, or a value that was there from the start.
//!
//! The second case exists because a `OnceLock` cannot be created with a value in a `const`.

use std::sync::OnceLock;

pub(super) enum Once<T> {
    Given(T),
    Later(OnceLock<T>),
}

impl<T> Once<T> {
    pub(super) const fn empty() -> Self {
        Once::Later(OnceLock::new())
    }

    pub(super) fn get(&self) -> Option<&T> {
        match self {
            Once::Given(value) => Some(value),
            Once::Later(cell) => cell.get(),
        }
    }

    pub(super) fn get_mut(&mut self) -> Option<&mut T> {
        match self {
            Once::Given(value) => Some(value),
            Once::Later(cell) => cell.get_mut(),
        }
    }

    pub(super) fn set(&self, value: T) -> Result<(), T> {
        match self {
            Once::Given(_) => Err(value),
            Once::Later(cell) => cell.set(value),
        }
    }

    pub(super) fn into_inner(self) -> Option<T> {
        match self {
            Once::Given(value) => Some(value),
            Once::Later(cell) => cell.into_inner(),
        }
    }
}

/// The traits that both cells have.
macro_rules! once_traits {
    ($cell:ident) => {
        impl<T> Default for $cell<T> {
            fn default() -> Self {
                Self::new()
            }
        }

        impl<T: std::fmt::Debug> std::fmt::Debug for $cell<T> {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.debug_struct(stringify!($cell)).field("value", &self.get()).finish()
            }
        }

        impl<T: Clone> Clone for $cell<T> {
            fn clone(&self) -> Self {
                Self::new_with(self.get().cloned())
            }
        }

        impl<T: PartialEq> PartialEq for $cell<T> {
            fn eq(&self, other: &Self) -> bool {
                self.get() == other.get()
            }
        }

        impl<T: Eq> Eq for $cell<T> {}

        impl<T> From<T> for $cell<T> {
            fn from(value: T) -> Self {
                Self::const_new_with(value)
            }
        }
    };
}
pub(super) use once_traits;
