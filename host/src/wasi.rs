//! wasmtime-wasi's state of one guest, and the threads on which it waits for files.
//!
//! By default wasmtime-wasi runs each operation on a file on tokio's blocking threads. All guests of a process share
//! these with everything else, first come, first served. Here a whole call moves to a thread of the engine's pool
//! (`pool.rs`) together with the state, and back. wasmtime-wasi is told that it may block where it is called.
//!
//! If the call's future is dropped meanwhile, the guest is gone, and the thread drops the state when it returns. No
//! code of a guest runs while its state is on another thread.

use std::ops::{Deref, DerefMut};
use std::pin::pin;

use wasmtime_wasi::runtime::poll_noop;

use crate::permits::Permit;
use crate::pool::Client;

const NOT_LENT: &str = "a guest's state is back when its call ends";

/// One guest's threads.
#[derive(Debug)]
pub(crate) struct Threads {
    /// The threads for files and folders.
    pub(crate) files: Client,
    /// The threads for name look-ups.
    pub(crate) lookups: Client,
}

/// wasmtime-wasi's state `C`, which differs by ABI.
pub(crate) struct Wasi<C> {
    /// `None` while a thread has it.
    ctx: Option<Box<C>>,
    pub(crate) threads: Threads,
    /// The permits of the files and folders that the guest has opened. They take descriptors as its sockets do.
    permits: Vec<Permit>,
    /// How many files and sockets all guests together may have open.
    most: usize,
}

impl<C: Send + 'static> Wasi<C> {
    pub(crate) fn new(ctx: C, threads: Threads, most: usize) -> Wasi<C> {
        Wasi { ctx: Some(Box::new(ctx)), threads, permits: Vec::new(), most }
    }

    /// Takes a permit for one more file or folder, if one is left. [Keep](Self::keep) it while the file is open.
    pub(crate) fn permit(&self) -> Option<Permit> {
        Permit::take(self.most)
    }

    pub(crate) fn keep(&mut self, permit: Permit) {
        self.permits.push(permit);
    }

    /// Returns the permit of a closed file or folder. The folders that the guest was given have none.
    pub(crate) fn closed(&mut self) {
        self.permits.pop();
    }

    /// Runs `work` on a thread for files.
    pub(crate) async fn on_thread<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> T {
        let mut ctx = self.ctx.take().expect(NOT_LENT);
        let (ctx, outcome) = self
            .threads
            .files
            .run(move || {
                let outcome = work(&mut ctx);
                (ctx, outcome)
            })
            .await;
        self.ctx = Some(ctx);
        outcome
    }
}

impl<C> Deref for Wasi<C> {
    type Target = C;

    fn deref(&self) -> &C {
        self.ctx.as_deref().expect(NOT_LENT)
    }
}

impl<C> DerefMut for Wasi<C> {
    fn deref_mut(&mut self) -> &mut C {
        self.ctx.as_deref_mut().expect(NOT_LENT)
    }
}

/// Returns the outcome of an operation that blocks where it is called, and so is never pending.
///
/// # Errors
///
/// An error if the operation is pending.
pub(crate) fn at_once<T>(operation: impl Future<Output = T>) -> wasmtime::Result<T> {
    poll_noop(pin!(operation))
        .ok_or_else(|| wasmtime::Error::msg("an operation on a file was to be awaited"))
}
