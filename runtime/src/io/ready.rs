//! Readiness: the operations that a source can do without waiting.

use std::fmt;
use std::ops;

use super::Interest;
use crate::sys::HOST;

/// A set of readiness states.
///
/// # Examples
///
/// ```
/// use wasio::io::Ready;
///
/// let ready = Ready::READABLE | Ready::READ_CLOSED;
/// assert!(ready.is_readable() && ready.is_read_closed());
/// assert!(!ready.is_writable());
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Ready(u8);

impl Ready {
    /// Nothing.
    pub const EMPTY: Ready = Ready(0);
    /// A read would not wait.
    pub const READABLE: Ready = Ready(1);
    /// A write would not wait.
    pub const WRITABLE: Ready = Ready(2);
    /// The reading half is closed.
    pub const READ_CLOSED: Ready = Ready(4);
    /// The writing half is closed.
    pub const WRITE_CLOSED: Ready = Ready(8);
    /// Out-of-band data: `PRIORITY`, on targets that have it.
    pub(crate) const URGENT: Ready = Ready(16);
    /// An error is there.
    pub const ERROR: Ready = Ready(32);

    /// Everything.
    pub const ALL: Ready = if HOST.has_priority { Ready(63) } else { Ready(47) };

    /// Returns whether nothing is ready.
    pub fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether a read would not wait: there is data, or the half is closed.
    pub fn is_readable(self) -> bool {
        self.0 & (1 | 4) != 0
    }

    /// Returns whether a write would not wait: there is room, or the half is closed.
    pub fn is_writable(self) -> bool {
        self.0 & (2 | 8) != 0
    }

    /// Returns whether the reading half is closed.
    pub fn is_read_closed(self) -> bool {
        self.0 & 4 != 0
    }

    /// Returns whether the writing half is closed.
    pub fn is_write_closed(self) -> bool {
        self.0 & 8 != 0
    }

    /// Returns whether there is an error.
    pub fn is_error(self) -> bool {
        self.0 & 32 != 0
    }

    /// Returns the part of the readiness that satisfies `interest`.
    pub(crate) fn intersection(self, interest: Interest) -> Ready {
        self & interest.mask()
    }

    pub(crate) fn without(self, other: Ready) -> Ready {
        Ready(self.0 & !other.0)
    }
}

impl ops::BitOr for Ready {
    type Output = Ready;

    fn bitor(self, other: Ready) -> Ready {
        Ready(self.0 | other.0)
    }
}

impl ops::BitOrAssign for Ready {
    fn bitor_assign(&mut self, other: Ready) {
        self.0 |= other.0;
    }
}

impl ops::BitAnd for Ready {
    type Output = Ready;

    fn bitand(self, other: Ready) -> Ready {
        Ready(self.0 & other.0)
    }
}

impl ops::Sub for Ready {
    type Output = Ready;

    fn sub(self, other: Ready) -> Ready {
        self.without(other)
    }
}

impl fmt::Debug for Ready {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut f = f.debug_struct("Ready");
        f.field("is_readable", &self.is_readable())
            .field("is_writable", &self.is_writable())
            .field("is_read_closed", &self.is_read_closed())
            .field("is_write_closed", &self.is_write_closed())
            .field("is_error", &self.is_error());
        if HOST.has_priority {
            f.field("is_priority", &!(*self & Ready::URGENT).is_empty());
        }
        f.finish()
    }
}
