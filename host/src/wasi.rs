//! wasmtime-wasi's state of one guest, and the threads on which it waits for files.
//!
//! wasmtime-wasi would have each of its operations on files done by tokio's blocking threads: all guests of a process
//! share these with everybody else, first come, first served. Here a whole call goes to a thread of the engine's pool
//! (`pool.rs`) with the state, and back. wasmtime-wasi is told that it may block where it is called.
//!
//! A guest whose call is dropped meanwhile is gone; the state is dropped by the thread when it returns. Nothing of a
//! guest runs while its state is away.

use std::ops::{Deref, DerefMut};
use std::pin::pin;

use wasmtime_wasi::p1::WasiP1Ctx;
use wasmtime_wasi::p1::wasi_snapshot_preview1::WasiSnapshotPreview1;
use wasmtime_wasi::runtime::poll_noop;

use crate::p1::errno::Errno;
use crate::permits::Permit;
use crate::pool::Client;

const AWAY: &str = "a guest's state is back when its call ends";

/// One guest's threads.
#[derive(Debug)]
pub(crate) struct Threads {
    /// For files and folders.
    pub(crate) files: Client,
    /// For names.
    pub(crate) lookups: Client,
}

pub(crate) struct Wasi {
    /// Nothing while a thread has it.
    ctx: Option<Box<WasiP1Ctx>>,
    pub(crate) threads: Threads,
    /// Of the files and folders that the guest has opened: they take descriptors as its sockets do.
    permits: Vec<Permit>,
    /// How many files and sockets all guests together may have open.
    most: usize,
}

impl Wasi {
    pub(crate) fn new(ctx: WasiP1Ctx, threads: Threads, most: usize) -> Wasi {
        Wasi { ctx: Some(Box::new(ctx)), threads, permits: Vec::new(), most }
    }

    /// What one more file or folder takes, to be [kept](Self::keep) while it is open.
    pub(crate) fn permit(&self) -> Result<Permit, Errno> {
        Permit::take(self.most)
    }

    pub(crate) fn keep(&mut self, permit: Permit) {
        self.permits.push(permit);
    }

    /// A file or folder was closed. The folders that the guest was given have no permits.
    pub(crate) fn closed(&mut self) {
        self.permits.pop();
    }

    /// Does `work` on a thread for files.
    pub(crate) async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut WasiP1Ctx) -> T + Send + 'static,
    ) -> T {
        let ctx = self.ctx.take().expect(AWAY);
        let (ctx, outcome) = self.threads.files.run(move || with(ctx, work)).await;
        self.ctx = Some(ctx);
        outcome
    }
}

/// Does `work` with the state, whose calls may copy all that they are given: that was bounded before.
fn with<T>(mut ctx: Box<WasiP1Ctx>, work: impl FnOnce(&mut WasiP1Ctx) -> T) -> (Box<WasiP1Ctx>, T) {
    WasiSnapshotPreview1::set_hostcall_fuel(&mut *ctx, usize::MAX);
    let outcome = work(&mut ctx);
    (ctx, outcome)
}

impl Deref for Wasi {
    type Target = WasiP1Ctx;

    fn deref(&self) -> &WasiP1Ctx {
        self.ctx.as_deref().expect(AWAY)
    }
}

impl DerefMut for Wasi {
    fn deref_mut(&mut self) -> &mut WasiP1Ctx {
        self.ctx.as_deref_mut().expect(AWAY)
    }
}

/// The outcome of an operation that blocks where it is called, and so is never pending.
///
/// # Errors
///
/// When it is.
pub(crate) fn at_once<T>(operation: impl Future<Output = T>) -> wasmtime::Result<T> {
    poll_noop(pin!(operation))
        .ok_or_else(|| wasmtime::Error::msg("an operation on a file was to be awaited"))
}
