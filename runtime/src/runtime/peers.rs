//! WASI: the runtimes that a blocking thread drives beside its own.
//!
//! Under tokio a `multi_thread` runtime has its own threads, so its tasks run whether or not a thread blocks on it. So do
//! the tasks of any runtime while a closure of its `spawn_blocking` waits. Here there is one thread. It runs the tasks of
//! all of these whenever it blocks, on whichever runtime or on none. A `current_thread` runtime that no thread blocks on is
//! not among them, as under tokio.
//!
//! The driver reaches them through a table of functions, which is set by the first of them. A program with one
//! `current_thread` runtime links none of this.

use std::sync::Arc;
use std::time::Duration;

use super::{Handle, Shared};
use crate::context;
use crate::lock::Mutex;
use crate::once::Once;

/// In the order in which they joined. A runtime with nested blocking closures occurs several times.
static PEERS: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

static TABLE: Once<&'static dyn Drive> = Once::new();

/// What a driver does with the runtimes that are not its own.
pub(crate) trait Drive: Sync {
    /// Runs up to so many of each one's tasks that are ready now, in turn. Returns how many that were.
    fn run(&self, own: &Shared, most: usize) -> usize;
    /// Whether none has a task that is ready.
    fn is_idle(&self, own: &Shared) -> bool;
    /// The least of what their timers permit and `timeout`.
    fn park_timeout(&self, own: &Shared, timeout: Option<Duration>) -> Option<Duration>;
    /// Fires the timers that are due.
    fn fire(&self, own: &Shared);
    /// Whether only the host can complete what some task waits for.
    fn is_host_awaited(&self) -> bool;
    /// One of them.
    fn any(&self) -> Option<Handle>;
    /// A runtime is not among them any more, or once less.
    fn leave(&self, shared: &Shared);
}

/// The table, if there ever was a runtime in it.
#[inline]
pub(crate) fn get() -> Option<&'static dyn Drive> {
    TABLE.get().copied()
}

/// From now on whoever blocks drives this runtime.
pub(crate) fn join(handle: &Handle) {
    TABLE.set(&Peers);
    PEERS.lock().push(handle.shared.clone());
}

/// Leaves when dropped.
pub(crate) struct Joined(Option<Handle>);

/// As `join`, of the runtime that is entered, until the guard is dropped.
pub(crate) fn join_current() -> Joined {
    let handle = context::handle();
    if let Some(handle) = &handle {
        join(handle);
    }
    Joined(handle)
}

impl Drop for Joined {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            Peers.leave(&handle.shared);
        }
    }
}

struct Peers;

impl Peers {
    /// Each but `own`, once. The list may change meanwhile.
    fn each(&self, own: &Shared, mut f: impl FnMut(&Arc<Shared>)) {
        let mut place = 0;
        loop {
            let peers = PEERS.lock();
            let Some(peer) = peers.get(place).cloned() else { return };
            let again = peers.iter().take(place).any(|earlier| Arc::ptr_eq(earlier, &peer));
            drop(peers);
            if !again && !std::ptr::eq(&*peer, own) {
                f(&peer);
            }
            place += 1;
        }
    }
}

impl Drive for Peers {
    fn run(&self, own: &Shared, most: usize) -> usize {
        let mut ran = 0;
        self.each(own, |peer| {
            if peer.is_idle() {
                return;
            }
            let _runtime = context::enter(Handle { shared: peer.clone() });
            ran += peer.scheduler.run_some(peer.scheduler.ready_count(most));
            ran += peer.blocking.run_some(1);
        });
        ran
    }

    fn is_idle(&self, own: &Shared) -> bool {
        let mut is_idle = true;
        self.each(own, |peer| is_idle &= peer.is_idle());
        is_idle
    }

    fn park_timeout(&self, own: &Shared, mut timeout: Option<Duration>) -> Option<Duration> {
        self.each(own, |peer| {
            timeout = timeout.into_iter().chain(peer.time.park_timeout()).min();
        });
        timeout
    }

    fn fire(&self, own: &Shared) {
        self.each(own, |peer| _ = peer.time.fire());
    }

    fn is_host_awaited(&self) -> bool {
        PEERS.lock().iter().any(|peer| peer.is_host_awaited())
    }

    fn any(&self) -> Option<Handle> {
        PEERS.lock().first().map(|shared| Handle { shared: shared.clone() })
    }

    fn leave(&self, shared: &Shared) {
        let mut peers = PEERS.lock();
        let place = peers.iter().rposition(|peer| std::ptr::eq(&**peer, shared));
        let left = place.map(|place| peers.remove(place));
        drop(peers);
        // Outside of the lock: it may be the last to have it.
        drop(left);
    }
}
