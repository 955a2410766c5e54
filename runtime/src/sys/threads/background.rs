//! With threads, a blocking thread drives its own runtime only: there are no background runtimes. Other runtimes have
//! threads of their own.

use std::time::Duration;

use crate::runtime::{Handle, Shared};

pub(crate) fn run(_: &Shared, _: usize) -> usize {
    0
}

pub(crate) fn is_idle(_: &Shared) -> bool {
    true
}

pub(crate) fn park_timeout(_: &Shared, timeout: Option<Duration>) -> Option<Duration> {
    timeout
}

pub(crate) fn fire(_: &Shared) {}

pub(crate) fn is_host_awaited() -> bool {
    false
}

pub(crate) fn any() -> Option<Handle> {
    None
}

/// Does nothing: other threads drive a runtime while one of its blocking closures runs.
pub(crate) struct BackgroundGuard;

pub(crate) fn add_current() -> BackgroundGuard {
    BackgroundGuard
}
