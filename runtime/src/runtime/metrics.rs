//! Numbers about a runtime.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Handle;

/// Reads numbers off a runtime.
#[derive(Clone)]
pub struct RuntimeMetrics {
    handle: Handle,
}

impl RuntimeMetrics {
    pub(crate) fn new(handle: Handle) -> Self {
        handle.shared.busy.want();
        RuntimeMetrics { handle }
    }

    /// How many threads run tasks: always one.
    pub fn num_workers(&self) -> usize {
        1
    }

    /// How many tasks exist that are not complete.
    pub fn num_alive_tasks(&self) -> usize {
        self.handle.shared.scheduler.alive_count()
    }

    /// How many tasks are ready to run.
    pub fn global_queue_depth(&self) -> usize {
        self.handle.shared.scheduler.ready_count(usize::MAX)
    }

    /// For how long the worker was not parked.
    ///
    /// # Panics
    ///
    /// Panics if `worker` is not 0.
    ///
    /// # On WASI
    ///
    /// Measured once somebody has asked for the runtime's metrics, from the next `block_on` or park on: it
    /// takes two calls of the host per park.
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        check(worker);
        self.handle.shared.busy.total()
    }

    /// How often the worker waited for something to happen.
    ///
    /// # Panics
    ///
    /// Panics if `worker` is not 0.
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        check(worker);
        self.handle.shared.parks.load(Ordering::Relaxed) / 2
    }

    /// How often the worker began or ended waiting: odd while it waits.
    ///
    /// # Panics
    ///
    /// Panics if `worker` is not 0.
    pub fn worker_park_unpark_count(&self, worker: usize) -> u64 {
        check(worker);
        self.handle.shared.parks.load(Ordering::Relaxed)
    }
}

#[track_caller]
fn check(worker: usize) {
    assert_eq!(worker, 0, "there is one worker, and its number is 0");
}

impl fmt::Debug for RuntimeMetrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeMetrics")
            .field("num_alive_tasks", &self.num_alive_tasks())
            .finish_non_exhaustive()
    }
}
