//! Background runtimes: the runtimes that a blocking thread drives besides its own.
//!
//! Under tokio a `multi_thread` runtime has its own threads, so its tasks run whether or not a thread blocks on it. The
//! tasks of any runtime also run while a closure of its `spawn_blocking` waits. Here there is one thread. Whenever it
//! blocks, on a runtime or on none, it runs the tasks of all these runtimes. A `current_thread` runtime that no thread
//! blocks on is not among them, as under tokio.
//!
//! SIZE: the driver calls these functions through a trait object, which the first background runtime sets, so that a
//! program with one `current_thread` runtime links none of this.

use std::sync::Arc;
use std::time::Duration;

use crate::context;
use crate::lock::Mutex;
use crate::once::Once;
use crate::runtime::{Handle, Shared};

/// In the order in which they were added. A runtime with nested blocking closures is listed several times.
static RUNTIMES: Mutex<Vec<Arc<Shared>>> = Mutex::new(Vec::new());

static OPS: Once<&'static dyn BackgroundOps> = Once::new();

/// The operations of a driver on the background runtimes. The functions of the same names do nothing until there is
/// one.
trait BackgroundOps: Sync {
    fn run(&self, own: &Shared, max: usize) -> usize;
    fn is_idle(&self, own: &Shared) -> bool;
    fn park_timeout(&self, own: &Shared, timeout: Option<Duration>) -> Option<Duration>;
    fn fire(&self, own: &Shared);
    fn is_host_awaited(&self) -> bool;
    fn any(&self) -> Option<Handle>;
    fn remove(&self, shared: &Shared);
}

/// Runs up to `max` ready tasks of each background runtime. Returns the number of tasks that ran.
pub(crate) fn run(own: &Shared, max: usize) -> usize {
    ops().map_or(0, |background| background.run(own, max))
}

/// Returns whether no background runtime has a ready task.
pub(crate) fn is_idle(own: &Shared) -> bool {
    ops().is_none_or(|background| background.is_idle(own))
}

/// Returns the shorter of `timeout` and the time until the next timer of a background runtime.
pub(crate) fn park_timeout(own: &Shared, timeout: Option<Duration>) -> Option<Duration> {
    match ops() {
        Some(background) => background.park_timeout(own, timeout),
        None => timeout,
    }
}

/// Fires the due timers of the background runtimes.
pub(crate) fn fire(own: &Shared) {
    if let Some(background) = ops() {
        background.fire(own);
    }
}

/// Returns whether a task of a background runtime waits for something that only the host can complete.
pub(crate) fn is_host_awaited() -> bool {
    ops().is_some_and(|background| background.is_host_awaited())
}

/// Returns one of the background runtimes.
pub(crate) fn any() -> Option<Handle> {
    ops().and_then(|background| background.any())
}

/// Removes a runtime from the list. If it is listed several times, one entry is removed.
pub(super) fn remove(shared: &Shared) {
    if let Some(background) = ops() {
        background.remove(shared);
    }
}

fn ops() -> Option<&'static dyn BackgroundOps> {
    OPS.get().copied()
}

/// Adds a runtime: from now on every blocking thread drives it.
pub(super) fn add(handle: &Handle) {
    OPS.set(&Background);
    RUNTIMES.lock().push(handle.shared.clone());
}

/// Removes the runtime from the list when dropped.
pub(crate) struct BackgroundGuard(Option<Handle>);

/// Adds the runtime that is entered until the guard is dropped.
pub(crate) fn add_current() -> BackgroundGuard {
    let handle = context::handle();
    if let Some(handle) = &handle {
        add(handle);
    }
    BackgroundGuard(handle)
}

impl Drop for BackgroundGuard {
    fn drop(&mut self) {
        if let Some(handle) = &self.0 {
            Background.remove(&handle.shared);
        }
    }
}

struct Background;

impl Background {
    /// Calls `f` once with each background runtime but `own`. The list may change meanwhile.
    fn each(&self, own: &Shared, mut f: impl FnMut(&Arc<Shared>)) {
        let mut place = 0;
        loop {
            let runtimes = RUNTIMES.lock();
            let Some(runtime) = runtimes.get(place).cloned() else { return };
            let again = runtimes.iter().take(place).any(|earlier| Arc::ptr_eq(earlier, &runtime));
            drop(runtimes);
            if !again && !std::ptr::eq(&*runtime, own) {
                f(&runtime);
            }
            place += 1;
        }
    }
}

impl BackgroundOps for Background {
    fn run(&self, own: &Shared, max: usize) -> usize {
        let mut ran = 0;
        self.each(own, |runtime| {
            if runtime.is_idle() {
                return;
            }
            let _runtime = context::enter(Handle { shared: runtime.clone() });
            ran += runtime.scheduler.run_some(runtime.scheduler.ready_count(max));
            ran += runtime.blocking.run_some(1);
        });
        ran
    }

    fn is_idle(&self, own: &Shared) -> bool {
        let mut is_idle = true;
        self.each(own, |runtime| is_idle &= runtime.is_idle());
        is_idle
    }

    fn park_timeout(&self, own: &Shared, mut timeout: Option<Duration>) -> Option<Duration> {
        self.each(own, |runtime| {
            timeout = timeout.into_iter().chain(runtime.time.park_timeout()).min();
        });
        timeout
    }

    fn fire(&self, own: &Shared) {
        self.each(own, |runtime| _ = runtime.time.fire());
    }

    fn is_host_awaited(&self) -> bool {
        RUNTIMES.lock().iter().any(|runtime| runtime.is_host_awaited())
    }

    fn any(&self) -> Option<Handle> {
        RUNTIMES.lock().first().map(|shared| Handle { shared: shared.clone() })
    }

    fn remove(&self, shared: &Shared) {
        let mut runtimes = RUNTIMES.lock();
        let place = runtimes.iter().rposition(|runtime| std::ptr::eq(&**runtime, shared));
        let removed = place.map(|place| runtimes.remove(place));
        drop(runtimes);
        // Dropped outside the lock, because it may be the last reference.
        drop(removed);
    }
}
