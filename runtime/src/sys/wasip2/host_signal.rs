//! Signals on WASI 0.2: timers for instants that any other host takes to be centuries away.

use std::io;

use wasip2::clocks::monotonic_clock::subscribe_instant;

use super::pollable::AsyncPollable;

/// Ready at once on a host that delivers signals.
const QUESTION: u64 = 0xffff_ffff_d349_4700;
/// Both kinds of termination request.
const SIGNALS: u64 = QUESTION + 3;

/// A termination request that the host may deliver.
pub(crate) struct HostSignal(AsyncPollable);

impl HostSignal {
    /// Starts to listen. Returns `None` if the host does not support signals.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is being shut down.
    pub(crate) fn listen() -> io::Result<Option<HostSignal>> {
        // Some hosts end such a long timer at once. They are not given one to wait for.
        if !subscribe_instant(QUESTION).ready() {
            return Ok(None);
        }
        AsyncPollable::new(subscribe_instant(SIGNALS)).map(|pollable| Some(HostSignal(pollable)))
    }

    /// Waits for a signal delivered since `listen`.
    pub(crate) async fn wait(self) -> io::Result<()> {
        self.0.ready().await
    }
}
