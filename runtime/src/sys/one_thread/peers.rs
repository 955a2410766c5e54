//! The runtimes that a blocking thread drives beside its own.
//!
//! Under tokio a `multi_thread` runtime has its own threads, so its tasks run whether or not a thread blocks on it. The
//! tasks of any runtime also run while a closure of its `spawn_blocking` waits. Here there is one thread. Whenever it
//! blocks, on a runtime or on none, it runs the tasks of all these runtimes. A `current_thread` runtime that no thread
//! blocks on is not among them, as under tokio.
//!
//! SIZE: a driver reaches its peers through a table of functions, which the first peer sets, so that a program with one
//! `current_thread` runtime links none of this.

use std::sync::Arc;
use std::time::Duration;

use crate::context;
use crate::lock::Mutex;
use crate::once::Once;
use crate::runtime::{Handle, Shared};

/// In the order in which they joined. A runtime with nested blocking closures is listed several times.
static PEERS: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

static TABLE: Once<&'static dyn Drive> = Once::new();

/// The operations of a driver on its peers. The functions of the same names call them if there ever was a peer.
trait Drive: Sync {
    fn run(&self, own: &Shared, max: usize) -> usize;
    fn is_idle(&self, own: &Shared) -> bool;
    fn park_timeout(&self, own: &Shared, timeout: Option<Duration>) -> Option<Duration>;
    fn fire(&self, own: &Shared);
    fn is_host_awaited(&self) -> bool;
    fn any(&self) -> Option<Handle>;
    fn leave(&self, shared: &Shared);
}

/// Runs up to `max` ready tasks of each peer. Returns the number of tasks that ran.
#[inline]
pub(crate) fn run(own: &Shared, max: usize) -> usize {
    table().map_or(0, |peers| peers.run(own, max))
}

/// Returns whether no peer has a ready task.
#[inline]
pub(crate) fn is_idle(own: &Shared) -> bool {
    table().is_none_or(|peers| peers.is_idle(own))
}

/// Returns the shorter of `timeout` and the time until the peers' next timer.
#[inline]
pub(crate) fn park_timeout(own: &Shared, timeout: Option<Duration>) -> Option<Duration> {
    match table() {
        Some(peers) => peers.park_timeout(own, timeout),
        None => timeout,
    }
}

/// Fires the peers' due timers.
#[inline]
pub(crate) fn fire(own: &Shared) {
    if let Some(peers) = table() {
        peers.fire(own);
    }
}

/// Returns whether a task of some peer waits for something that only the host can complete.
#[inline]
pub(crate) fn is_host_awaited() -> bool {
    table().is_some_and(|peers| peers.is_host_awaited())
}

/// Returns one of the peers.
pub(crate) fn any() -> Option<Handle> {
    table().and_then(|peers| peers.any())
}

/// Removes a runtime from the peers. If it is listed several times, one entry is removed.
pub(super) fn leave(shared: &Shared) {
    if let Some(peers) = table() {
        peers.leave(shared);
    }
}

#[inline]
fn table() -> Option<&'static dyn Drive> {
    TABLE.get().copied()
}

/// Makes a runtime a peer: from now on every blocking thread drives it.
pub(super) fn join(handle: &Handle) {
    TABLE.set(&Peers);
    PEERS.lock().push(handle.shared.clone());
}

/// Removes the runtime from the peers when dropped.
pub(crate) struct Joined(Option<Handle>);

/// Makes the runtime that is entered a peer until the guard is dropped.
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
    /// Calls `f` once with each peer but `own`. The list may change meanwhile.
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
    fn run(&self, own: &Shared, max: usize) -> usize {
        let mut ran = 0;
        self.each(own, |peer| {
            if peer.is_idle() {
                return;
            }
            let _runtime = context::enter(Handle { shared: peer.clone() });
            ran += peer.scheduler.run_some(peer.scheduler.ready_count(max));
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
        // Dropped outside the lock, because it may be the last reference.
        drop(left);
    }
}
