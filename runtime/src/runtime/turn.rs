//! Decides which of the native threads that block on a runtime drives it.

use std::thread::{self, Thread, ThreadId};

use crate::lock::Mutex;

#[derive(Default)]
struct Holder {
    thread: Option<ThreadId>,
    /// How often the thread holds it: blocking sections inside tasks drive again.
    depth: usize,
    waiting: Vec<Thread>,
}

/// At most one thread drives at a time; the same thread may take the turn again.
#[derive(Default)]
pub(crate) struct Turn {
    holder: Mutex<Holder>,
}

impl Turn {
    /// Whether this thread drives.
    pub(crate) fn is_mine(&self) -> bool {
        self.holder.lock().thread == Some(thread::current().id())
    }

    /// Takes the turn, parking the thread until it is free; `None` when `give_up` became true first.
    ///
    /// The code that makes `give_up` true also unparks the thread.
    pub(crate) fn take(&self, give_up: impl Fn() -> bool) -> Option<Guard<'_>> {
        let current = thread::current();
        loop {
            {
                let mut holder = self.holder.lock();
                if holder.thread.is_none_or(|t| t == current.id()) {
                    holder.thread = Some(current.id());
                    holder.depth += 1;
                    return Some(Guard { turn: self });
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

/// Gives the turn back when dropped.
pub(crate) struct Guard<'a> {
    turn: &'a Turn,
}

impl Drop for Guard<'_> {
    fn drop(&mut self) {
        let waiting = {
            let mut holder = self.turn.holder.lock();
            holder.depth -= 1;
            if holder.depth > 0 {
                return;
            }
            holder.thread = None;
            std::mem::take(&mut holder.waiting)
        };
        // One of them gets it; the others, and those that no longer want it, find out for themselves.
        for thread in waiting {
            thread.unpark();
        }
    }
}
