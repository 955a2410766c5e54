//! WASI 0.2: instants that every other host takes for centuries away.

use std::io;

use wasip2::clocks::monotonic_clock::subscribe_instant;

use super::pollable::AsyncPollable;

/// Ready at once where there are signals.
const QUESTION: u64 = 0xffff_ffff_d349_4700;
/// Both kinds of request to end.
const SIGNALS: u64 = QUESTION + 3;

/// A request to end that the host may deliver.
pub(crate) struct HostSignal(AsyncPollable);

impl HostSignal {
    /// Starts to listen. `None` when the host knows nothing of signals.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is being shut down.
    pub(crate) fn listen() -> io::Result<Option<HostSignal>> {
        // Some hosts end a timer so long at once: they are not given one to wait for.
        if !subscribe_instant(QUESTION).ready() {
            return Ok(None);
        }
        AsyncPollable::new(subscribe_instant(SIGNALS)).map(|pollable| Some(HostSignal(pollable)))
    }

    /// Waits until a signal was delivered since.
    pub(crate) async fn wait(self) -> io::Result<()> {
        self.0.ready().await
    }
}
