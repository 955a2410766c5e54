//! The closures of `spawn_blocking`, which run between the tasks.

use std::panic::Location;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::ThreadConfig;
use crate::reactor::Unparker;
use crate::runtime::Handle;
use crate::task::{BlockingFuture, Id, JoinHandle, Runnable, Scheduler, WakeTarget};

/// The blocking closures of a runtime.
pub(crate) struct Blocking {
    scheduler: Arc<Scheduler>,
}

/// No thread pool exists.
pub(crate) enum Pool {}

impl Pool {
    pub(crate) fn push(&self, _: Runnable) {
        match *self {}
    }
}

impl Blocking {
    pub(crate) fn new(_: &ThreadConfig, unparker: &Unparker) -> Blocking {
        Blocking { scheduler: Scheduler::new(WakeTarget::Runtime(unparker.clone())) }
    }

    pub(crate) fn spawn<F, R>(
        &self,
        _: &Handle,
        work: F,
        id: Id,
        spawned_at: &'static Location<'static>,
    ) -> JoinHandle<R>
    where
        F: FnOnce() -> R + Send + 'static,
        R: Send + 'static,
    {
        self.scheduler.spawn(BlockingFuture::new(work), id, spawned_at)
    }

    pub(crate) fn is_in_flight(&self) -> bool {
        false
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.scheduler.is_idle()
    }

    pub(crate) fn run_some(&self, max: usize) -> usize {
        self.scheduler.run_some(max)
    }

    /// Runs the queued closures, for at most `timeout` (`None`: without limit), and drops the rest. The runtime must
    /// be entered.
    pub(crate) fn close(&self, timeout: Option<Duration>) {
        // SIZE: only a program that sets a limit links the clock.
        let limit = timeout.map(|limit| (Instant::now(), limit));
        let in_time = || limit.is_none_or(|(started, limit)| started.elapsed() < limit);
        while in_time() && self.run_some(1) == 1 {}
        self.scheduler.close();
    }
}
