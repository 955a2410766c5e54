//! Parks a thread until a deadline, or until another thread wakes it.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::threading::park_flag::ParkFlag;

/// Wakes the thread that is parked.
#[derive(Clone, Default)]
pub(crate) struct Unparker(Arc<Park>);

#[derive(Default)]
struct Park {
    parked: ParkFlag,
    is_unparked: Mutex<bool>,
    changed: Condvar,
}

impl Unparker {
    #[inline]
    pub(crate) fn unpark(&self) {
        if self.0.parked.take() {
            *self.0.is_unparked.lock().unwrap_or_else(PoisonError::into_inner) = true;
            self.0.changed.notify_one();
        }
    }

    /// Waits for up to `timeout`, or until the thread is unparked. Does not wait if `unless` returns true.
    pub(super) fn park(&self, timeout: Option<Duration>, unless: &dyn Fn() -> bool) {
        self.0.parked.raise();
        // Called without the lock, because it may take other locks.
        if !unless() {
            self.wait(timeout);
        }
        self.0.parked.lower();
    }

    /// A spurious return is harmless: the reactor's caller looks for work and parks again.
    fn wait(&self, timeout: Option<Duration>) {
        let Park { is_unparked, changed, .. } = &*self.0;
        let mut is_unparked = is_unparked.lock().unwrap_or_else(PoisonError::into_inner);
        if !*is_unparked {
            is_unparked = match timeout {
                Some(timeout) => {
                    let waited = changed.wait_timeout(is_unparked, timeout);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => changed.wait(is_unparked).unwrap_or_else(PoisonError::into_inner),
            };
        }
        *is_unparked = false;
    }
}
