//! Without threads and without a host that waits, a runtime cannot park.

use std::time::Duration;

/// Does nothing: no other thread could be parked.
#[derive(Clone, Default)]
pub(crate) struct Unparker;

impl Unparker {
    pub(crate) fn unpark(&self) {}

    /// # Panics
    ///
    /// Panics unless there is something to do.
    pub(super) fn park(&self, _: Option<Duration>, unless: &dyn Fn() -> bool) {
        assert!(
            unless(),
            "this target cannot wait: no task is ready, and no host can be asked to wake this one"
        );
    }
}
