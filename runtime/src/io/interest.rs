//! The operations for which a task waits on a source.

use std::fmt;
use std::ops;

use super::Ready;
use crate::sys::HOST;

/// The kinds of readiness that a task waits for.
///
/// # Examples
///
/// ```
/// use wasio::io::Interest;
///
/// let interest = Interest::READABLE | Interest::WRITABLE;
/// assert!(interest.is_readable() && interest.is_writable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Interest(u8);

impl Interest {
    /// Reading.
    pub const READABLE: Interest = Interest(1);
    /// Writing.
    pub const WRITABLE: Interest = Interest(2);
    /// Out-of-band data: `PRIORITY`, on targets that have it.
    pub(crate) const URGENT: Interest = Interest(4);
    /// Errors. They are always reported as well with every other interest.
    pub const ERROR: Interest = Interest(8);

    /// Returns whether reading is included.
    pub const fn is_readable(self) -> bool {
        self.0 & 1 != 0
    }

    /// Returns whether writing is included.
    pub const fn is_writable(self) -> bool {
        self.0 & 2 != 0
    }

    /// Returns whether out-of-band data is included.
    pub(crate) const fn is_urgent(self) -> bool {
        HOST.has_priority && self.0 & Interest::URGENT.0 != 0
    }

    /// Returns whether errors are included.
    pub const fn is_error(self) -> bool {
        self.0 & 8 != 0
    }

    /// Returns the union of both interests.
    #[must_use = "this returns the result and changes nothing"]
    pub const fn add(self, other: Interest) -> Interest {
        Interest(self.0 | other.0)
    }

    /// Returns this interest without the other, or `None` if nothing is left.
    #[must_use = "this returns the result and changes nothing"]
    pub fn remove(self, other: Interest) -> Option<Interest> {
        match self.0 & !other.0 {
            0 => None,
            left => Some(Interest(left)),
        }
    }

    /// Returns the readiness that satisfies the interest.
    pub(crate) fn mask(self) -> Ready {
        let mut mask = Ready::EMPTY;
        if self.is_readable() {
            mask |= Ready::READABLE | Ready::READ_CLOSED;
        }
        if self.is_writable() {
            mask |= Ready::WRITABLE | Ready::WRITE_CLOSED;
        }
        if self.is_urgent() {
            mask |= Ready::URGENT | Ready::READ_CLOSED;
        }
        if self.is_error() {
            mask |= Ready::ERROR;
        }
        mask
    }
}

impl ops::BitOr for Interest {
    type Output = Interest;

    fn bitor(self, other: Interest) -> Interest {
        self.add(other)
    }
}

impl ops::BitOrAssign for Interest {
    fn bitor_assign(&mut self, other: Interest) {
        *self = self.add(other);
    }
}

impl fmt::Debug for Interest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = [(1, "READABLE"), (2, "WRITABLE"), (4, "PRIORITY"), (8, "ERROR")];
        let mut separator = "";
        for (bit, name) in names {
            if self.0 & bit != 0 {
                write!(f, "{separator}{name}")?;
                separator = " | ";
            }
        }
        Ok(())
    }
}
