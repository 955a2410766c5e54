//! Descriptors that can only be polled: signals (`SIGNALS.md`), and the queue of extended polls (`POLL_EXTENSION.md`).
//! Their numbers are negative, which no host uses for files.

use crate::signals::{ALL, Mask};

/// The descriptor for an empty set of signals. The mask is added to it.
const FIRST_SIGNAL: u32 = 0xd349_4700;
/// The descriptor of the queue: the letters `POL` with the highest bit set, and the version.
const QUEUE: i32 = 0xd04f_4c01_u32 as i32;

/// Returns the signals of a descriptor.
pub(crate) fn signals(fd: i32) -> Option<Mask> {
    let mask = (fd as u32).checked_sub(FIRST_SIGNAL)?;
    (1..=u32::from(ALL)).contains(&mask).then_some(mask as Mask)
}

/// Returns whether `fd` is the descriptor by which a guest asks for extended polls.
pub(crate) fn is_queue(fd: i32) -> bool {
    fd == QUEUE
}

/// The `fdstat` of these descriptors.
pub(crate) fn fdstat() -> [u8; 24] {
    const CHARACTER_DEVICE: u8 = 2;
    const RIGHT_POLL: u32 = 1 << 27;
    let mut stat = [0; 24];
    stat[0] = CHARACTER_DEVICE;
    stat[8..12].copy_from_slice(&RIGHT_POLL.to_le_bytes());
    stat
}
