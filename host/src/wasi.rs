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

use wasmtime_wasi::runtime::poll_noop;

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

/// wasmtime-wasi's state `C`, which is another for each ABI.
pub(crate) struct Wasi<C> {
    /// Nothing while a thread has it.
    ctx: Option<Box<C>>,
    pub(crate) threads: Threads,
    /// Of the files and folders that the guest has opened: they take descriptors as its sockets do.
    permits: Vec<Permit>,
    /// How many files and sockets all guests together may have open.
    most: usize,
}

impl<C: Send + 'static> Wasi<C> {
    pub(crate) fn new(ctx: C, threads: Threads, most: usize) -> Wasi<C> {
        Wasi { ctx: Some(Box::new(ctx)), threads, permits: Vec::new(), most }
    }

    /// What one more file or folder takes, to be [kept](Self::keep) while it is open, if there is any left.
    pub(crate) fn permit(&self) -> Option<Permit> {
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
        work: impl FnOnce(&mut C) -> T + Send + 'static,
    ) -> T {
        let mut ctx = self.ctx.take().expect(AWAY);
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
        self.ctx.as_deref().expect(AWAY)
    }
}

impl<C> DerefMut for Wasi<C> {
    fn deref_mut(&mut self) -> &mut C {
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
