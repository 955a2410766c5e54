//! WASI 0.2: keeps a dropped socket until its writes finish.
//!
//! Dropping a stream waits until the peer has read, which would stop every task. Forgetting the stream would lose what was
//! written. The reactor itself keeps such sockets: a task, or a waker of its own, would add one or two kilobytes to every
//! guest.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::sys::wasip2_io::{subscribe_duration, wait_for};
use super::{Core, Raw, Source};
use crate::io::Interest;

/// How long the end of a runtime waits for writes under way.
const LAST_WRITES: Duration = Duration::from_secs(1);
/// How often it looks meanwhile.
const STEP: Duration = Duration::from_millis(5);

impl Source {
    /// Has the reactor keep what was registered until it is written; false if that need not or cannot be.
    #[inline]
    pub(super) fn linger(&self) -> bool {
        // This and its owner have it, who is about to go; whoever else does goes on with it.
        Arc::strong_count(&self.raw) <= 2 && self.raw.close() && self.stay()
    }

    #[cold]
    #[inline(never)]
    fn stay(&self) -> bool {
        if self.reactor.is_closed() {
            finish(self.raw.clone());
            return false;
        }
        self.state.lingering.set(self.raw.clone());
        self.reactor.selector.arm(&self.raw, self.state.key, Interest::WRITABLE);
        true
    }
}

impl Core {
    /// The host says that something which is kept may be done.
    #[cold]
    #[inline(never)]
    pub(super) fn look_after(&self, key: usize, raw: &Raw) {
        if raw.close() {
            return self.selector.arm(raw, key, Interest::WRITABLE);
        }
        self.remove(raw, key);
    }
}

/// Waits a little for what was written, where nobody can tell when that is: the host forgets what it has not sent when
/// the guest ends.
#[cold]
#[inline(never)]
pub fn finish(raw: Raw) {
    for _ in 0..LAST_WRITES.as_millis() / STEP.as_millis() {
        if !raw.close() {
            return;
        }
        wait_for(subscribe_duration(STEP.as_nanos() as u64).handle());
    }
    // Closing would wait for ever, as for a peer that does not read. The guest's end closes it, too.
    mem::forget(raw);
}
