//! Decides which of the threads that block on a runtime drives it.

use std::thread::{self, Thread, ThreadId};

use crate::lock::Mutex;

#[derive(Default)]
struct Holder {
    thread: Option<ThreadId>,
    /// How often this thread holds the lock. A blocking section inside a task drives the runtime again.
    depth: usize,
    waiting: Vec<Thread>,
}

/// A lock that is held by the thread that drives a runtime. The same thread may acquire it again.
#[derive(Default)]
pub(crate) struct DriverLock {
    holder: Mutex<Holder>,
}

impl DriverLock {
    /// Returns whether this thread holds the lock.
    pub(crate) fn is_held(&self) -> bool {
        self.holder.lock().thread == Some(thread::current().id())
    }

    /// Acquires the lock, parking the thread until it is free. Returns `None` if `give_up` became true first.
    ///
    /// The code that makes `give_up` true also unparks the thread.
    pub(crate) fn acquire(&self, give_up: impl Fn() -> bool) -> Option<DriverGuard<'_>> {
        let current = thread::current();
        loop {
            {
                let mut holder = self.holder.lock();
                if holder.thread.is_none_or(|t| t == current.id()) {
                    holder.thread = Some(current.id());
                    holder.depth += 1;
                    return Some(DriverGuard { lock: self });
                }
                if !holder.waiting.iter().any(|t| t.id() == current.id()) {
                    holder.waiting.push(current.clone());
                }
            }
            if give_up() {
                return None;
            }
            thread::park();
        }
    }
}

/// Releases the lock when dropped.
pub(crate) struct DriverGuard<'a> {
    lock: &'a DriverLock,
}

impl Drop for DriverGuard<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut holder = self.lock.holder.lock();
            holder.depth -= 1;
            if holder.depth > 0 {
                return;
            }
            holder.thread = None;
            std::mem::take(&mut holder.waiting)
        };
        // One of these threads acquires the lock. The others park again, or give up.
        for thread in waiting {
            thread.unpark();
        }
    }
}
