//! WASI 0.2: keeps a dropped socket until its writes finish.
//!
//! Dropping a stream waits until the peer has read, which would stop every task. Forgetting the stream would lose data
//! that was written. The reactor itself keeps such sockets.
//!
//! SIZE: a task, or a waker of its own, would add one or two kilobytes to every guest.

use std::mem;
use std::sync::Arc;
use std::time::Duration;

use super::Raw;
use super::host::{subscribe_duration, wait_for};
use crate::io::Interest;
use crate::once::Once;
use crate::reactor::io_state::IoState;
use crate::reactor::{Core, Source};

/// How long the end of a runtime waits for writes that are under way.
const MAX_WAIT: Duration = Duration::from_secs(1);
/// The time between two looks during that wait.
const STEP: Duration = Duration::from_millis(5);

/// The source itself, if its owner has dropped it and it is kept until its writes finish.
pub(crate) struct Lingering(Once<Raw>);

impl Lingering {
    pub(crate) const fn new() -> Lingering {
        Lingering(Once::new())
    }
}

#[inline]
pub(crate) fn linger(source: &Source) -> bool {
    // There are two references: this one, and that of the owner, which is being dropped. If there are more, the source
    // is still in use.
    Arc::strong_count(&source.raw) <= 2 && source.raw.close() && keep(source)
}

#[cold]
#[inline(never)]
fn keep(source: &Source) -> bool {
    if source.reactor.is_closed() {
        finish(source.raw.clone());
        return false;
    }
    source.state.lingering.0.set(source.raw.clone());
    source.reactor.selector.arm(&source.raw, source.state.key, Interest::WRITABLE);
    true
}

#[inline]
pub(crate) fn drop_if_done(core: &Core, state: &IoState) -> bool {
    let raw = state.lingering.0.get();
    if let Some(raw) = raw {
        drop_or_rearm(core, state.key, raw);
    }
    raw.is_some()
}

#[cold]
#[inline(never)]
fn drop_or_rearm(core: &Core, key: usize, raw: &Raw) {
    if raw.close() {
        return core.selector.arm(raw, key, Interest::WRITABLE);
    }
    core.remove(raw, key);
}

#[inline]
pub(crate) fn end_lingering(core: &Core, state: &IoState) -> bool {
    let raw = state.lingering.0.get();
    if let Some(raw) = raw {
        finish(raw.clone());
        core.remove(raw, state.key);
    }
    raw.is_some()
}

/// Waits a little for pending writes. There is no sign of when they are done, and the host discards data that it has
/// not sent when the guest ends.
#[cold]
#[inline(never)]
pub fn finish(raw: Raw) {
    for _ in 0..MAX_WAIT.as_millis() / STEP.as_millis() {
        if !raw.close() {
            return;
        }
        wait_for(subscribe_duration(STEP.as_nanos() as u64).handle());
    }
    // Closing would wait forever, as for a peer that does not read. The end of the guest closes the source, too.
    mem::forget(raw);
}
