//! Signals on preview 1: a descriptor that no other host has.
//!
//! Asking for its `fdstat` discards earlier signals, so only the first of several waiting tasks asks. A poll reports
//! the signal to all waiting tasks, and consumes it.
#![allow(unsafe_code)] // `fd_fdstat_get` is an import.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::io::Interest;
use crate::reactor::{Raw, Source};

/// Both kinds of termination request.
const SIGNALS: u32 = 0xd349_4703;

/// The number of waiting tasks, in all runtimes: signals belong to the guest, not to a runtime.
static WAITING: AtomicUsize = AtomicUsize::new(0);

/// `fdstat` of the WASI preview 1 witx.
#[repr(C, align(8))]
struct Fdstat([u8; 24]);

#[link(wasm_import_module = "wasi_snapshot_preview1")]
unsafe extern "C" {
    fn fd_fdstat_get(fd: u32, stat: *mut Fdstat) -> u32;
}

/// A termination request that the host may deliver.
pub(crate) struct HostSignal {
    source: Source,
}

impl HostSignal {
    /// Starts to listen. Returns `None` if the host does not support signals.
    ///
    /// # Errors
    ///
    /// Fails when the runtime is being shut down.
    pub(crate) fn listen() -> io::Result<Option<HostSignal>> {
        if WAITING.load(Ordering::Relaxed) == 0 {
            let mut stat = Fdstat([0; 24]);
            // SAFETY: `stat` has room for the `fdstat` that the host writes, and lives for the call.
            if unsafe { fd_fdstat_get(SIGNALS, &mut stat) } != 0 {
                return Ok(None);
            }
        }
        let source = Source::with_interest(SIGNALS as Raw, Interest::READABLE)?;
        WAITING.fetch_add(1, Ordering::Relaxed);
        Ok(Some(HostSignal { source }))
    }

    /// Waits for a signal delivered since `listen`.
    pub(crate) async fn wait(self) -> io::Result<()> {
        self.source.ready(Interest::READABLE).await.map(drop)
    }
}

impl Drop for HostSignal {
    fn drop(&mut self) {
        WAITING.fetch_sub(1, Ordering::Relaxed);
    }
}
