//! On one thread there is no lock, no thread to unpark, and no worker.

use std::io;
use std::time::Duration;

use super::background;
use crate::context;
use crate::runtime::Handle;

/// The one thread drives every runtime that it blocks on.
#[derive(Default)]
pub(crate) struct DriverLock(());

pub(crate) struct DriverGuard;

impl DriverLock {
    pub(crate) fn is_held(&self) -> bool {
        true
    }

    pub(crate) fn acquire(&self, _: impl Fn() -> bool) -> Option<DriverGuard> {
        Some(DriverGuard)
    }
}

/// Accepts the builder's thread options, and ignores them.
#[derive(Clone, Default)]
pub(crate) struct ThreadConfig(());

impl ThreadConfig {
    pub(crate) fn set_name(&mut self, _: impl Fn() -> String) {}
    pub(crate) fn set_stack_size(&mut self, _: usize) {}
    pub(crate) fn set_max_blocking(&mut self, _: usize) {}
    pub(crate) fn set_keep_alive(&mut self, _: Duration) {}
    pub(crate) fn set_on_start(&mut self, _: impl Fn()) {}
    pub(crate) fn set_on_stop(&mut self, _: impl Fn()) {}
}

pub(crate) struct OwnerThread;

impl OwnerThread {
    pub(crate) fn current() -> OwnerThread {
        OwnerThread
    }

    pub(crate) fn is_current(&self) -> bool {
        true
    }
}

pub(crate) struct BlockedThread;

impl BlockedThread {
    pub(crate) fn current() -> BlockedThread {
        BlockedThread
    }

    pub(crate) fn unpark(&self) {}
}

/// Stands for the thread of a `multi_thread` runtime: every thread that blocks drives the runtime.
pub(crate) struct Worker;

impl Worker {
    pub(crate) fn start(handle: &Handle) -> io::Result<Worker> {
        background::add(handle);
        Ok(Worker)
    }
}

/// Shuts a runtime down: drops its tasks, and runs its queued closures for at most `timeout` (`None`: without limit).
pub(crate) fn shut_down(handle: &Handle, worker: Option<Worker>, timeout: Option<Duration>) {
    if worker.is_some() {
        background::remove(&handle.shared);
    }
    let _entered = context::enter(handle.clone());
    handle.shared.close();
    handle.shared.blocking.close(timeout);
}
