//! The metrics of a runtime.

use std::fmt;
use std::sync::atomic::Ordering;
use std::time::Duration;

use super::Handle;

/// The metrics of a runtime.
///
/// # Examples
///
/// ```
/// # wasio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
/// let metrics = wasio::runtime::Handle::current().metrics();
/// assert_eq!(metrics.num_alive_tasks(), 0);
/// let task = wasio::spawn(std::future::pending::<()>());
/// assert_eq!(metrics.num_alive_tasks(), 1);
/// # task.abort();
/// # std::io::Result::Ok(())
/// # })?;
/// # std::io::Result::Ok(())
/// ```
#[derive(Clone)]
pub struct RuntimeMetrics {
    handle: Handle,
}

impl RuntimeMetrics {
    pub(crate) fn new(handle: Handle) -> Self {
        handle.shared.busy.enable();
        RuntimeMetrics { handle }
    }

    /// Returns how many threads run tasks: always one.
    pub fn num_workers(&self) -> usize {
        1
    }

    /// Returns how many tasks exist that are not complete.
    pub fn num_alive_tasks(&self) -> usize {
        self.handle.shared.scheduler.alive_count()
    }

    /// Returns how many tasks are ready to run.
    pub fn global_queue_depth(&self) -> usize {
        self.handle.shared.scheduler.ready_count(usize::MAX)
    }

    /// Returns how long the worker was not parked.
    ///
    /// # Panics
    ///
    /// Panics if `worker` is not 0.
    ///
    /// # On WASI
    ///
    /// Measured after the first request for the runtime's metrics, from the next `block_on` or park on: it
    /// takes two calls of the host per park.
    pub fn worker_total_busy_duration(&self, worker: usize) -> Duration {
        check(worker);
        self.handle.shared.busy.total()
    }

    /// Returns how often the worker parked.
    ///
    /// # Panics
    ///
    /// Panics if `worker` is not 0.
    pub fn worker_park_count(&self, worker: usize) -> u64 {
        check(worker);
        self.handle.shared.parks.load(Ordering::Relaxed) / 2
    }

    /// Returns how often the worker parked and unparked. The number is odd while it is parked.
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
