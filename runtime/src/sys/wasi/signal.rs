//! How a guest learns of signals, as `SIGNALS.md` of `wasio-host` specifies. `HostSignal` is the target's part.

use std::future::pending;
use std::io;
use std::sync::atomic::Ordering;

use crate::reactor::Source;
use crate::runtime::Handle;
use crate::sys::host_signal::HostSignal;

/// Waits until the host delivers a signal. If the host delivers none, waits forever.
#[track_caller]
pub(crate) fn ctrl_c() -> impl Future<Output = io::Result<()>> {
    let awaited = Awaited::new();
    async move {
        let _awaited = awaited;
        if Source::is_available() {
            if let Some(signal) = HostSignal::listen()? {
                return signal.wait().await;
            }
        }
        pending().await
    }
}

/// Keeps the runtime from treating the wait as a deadlock.
struct Awaited {
    handle: Handle,
}

impl Awaited {
    #[track_caller]
    fn new() -> Awaited {
        let handle = Handle::current();
        handle.shared.host_waits.fetch_add(1, Ordering::Relaxed);
        Awaited { handle }
    }
}

impl Drop for Awaited {
    fn drop(&mut self) {
        self.handle.shared.host_waits.fetch_sub(1, Ordering::Relaxed);
    }
}
