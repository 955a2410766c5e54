//! Counts the running guests, and the ends of the others.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll};

use wasio_host::{Error, Exit, Snapshot};

/// The maximum number of distinct errors that are reported.
pub(super) const ERRORS: usize = 5;

/// The fleet's counters.
#[derive(Default)]
pub(super) struct Tally {
    started: AtomicU32,
    alive: AtomicU32,
    failed: AtomicU32,
    /// The current frame's number. `active` counts the guests that executed in it.
    frame: AtomicU64,
    active: AtomicU32,
    ends: Mutex<Ends>,
}

/// The outcomes of the guests that ended.
#[derive(Clone, Default)]
pub(super) struct Ends {
    /// The number of guests by exit code.
    pub(super) exited: BTreeMap<i32, u32>,
    /// Distinct outcomes other than exits with 0, in the order of their occurrence, up to [`ERRORS`].
    pub(super) errors: Vec<Failure>,
    pub(super) failed: u32,
    /// The start time of each guest, in nanoseconds.
    pub(super) starts: Vec<u32>,
    pub(super) totals: Snapshot,
}

/// An error, and how many guests ended with it.
#[derive(Clone)]
pub(super) struct Failure {
    pub(super) error: String,
    /// The number of the first guest with this error.
    pub(super) first: u32,
    pub(super) said: String,
    pub(super) guests: u32,
}

/// The fleet at one moment.
pub(super) struct Progress {
    pub(super) ended: u32,
    /// Guests that executed since the last frame.
    pub(super) running: u32,
    /// Guests that did not execute since the last frame.
    pub(super) suspended: u32,
    pub(super) failed: u32,
}

impl Tally {
    /// Counts a guest as alive until the result is dropped.
    pub(super) fn started(&self) -> Life<'_> {
        self.started.fetch_add(1, Relaxed);
        self.alive.fetch_add(1, Relaxed);
        Life(self)
    }

    pub(super) fn ended(
        &self,
        index: u32,
        outcome: Result<Exit, Error>,
        stats: &Snapshot,
        said: &str,
    ) {
        let mut ends = self.ends();
        ends.starts.push(u32::try_from(stats.starting.as_nanos()).unwrap_or(u32::MAX));
        ends.totals.add(stats);
        let error = match outcome {
            Ok(exit) => {
                *ends.exited.entry(exit.code()).or_default() += 1;
                if exit.success() {
                    return;
                }
                format!("exited with {}", exit.code())
            }
            Err(error) => {
                ends.failed += 1;
                error.to_string()
            }
        };
        self.failed.fetch_add(1, Relaxed);
        // All panics are the same trap, so they are distinguished by the guest's output. An error that finds no more
        // room counts as the first of its kind.
        let same = |f: &Failure| f.error == error && f.said == said;
        let full = ends.errors.len() >= ERRORS;
        let known = ends.errors.iter().position(same);
        let known = known.or_else(|| ends.errors.iter().position(|f| full && f.error == error));
        match known {
            Some(known) => ends.errors[known].guests += 1,
            None if full => {}
            None => {
                ends.errors.push(Failure { error, first: index, said: said.to_owned(), guests: 1 });
            }
        }
    }

    /// Returns the progress since the last call.
    pub(super) fn progress(&self) -> Progress {
        self.frame.fetch_add(1, Relaxed);
        let alive = self.alive.load(Relaxed);
        let running = self.active.swap(0, Relaxed).min(alive);
        Progress {
            ended: self.started.load(Relaxed).saturating_sub(alive),
            running,
            suspended: alive - running,
            failed: self.failed.load(Relaxed),
        }
    }

    /// Returns the number of guests that were started.
    pub(super) fn count_started(&self) -> u32 {
        self.started.load(Relaxed)
    }

    /// Takes the outcomes of the guests that ended.
    pub(super) fn take_ends(&self) -> Ends {
        std::mem::take(&mut *self.ends())
    }

    fn ends(&self) -> MutexGuard<'_, Ends> {
        self.ends.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A guest that is alive.
pub(super) struct Life<'a>(&'a Tally);

impl Drop for Life<'_> {
    fn drop(&mut self) {
        self.0.alive.fetch_sub(1, Relaxed);
    }
}

/// A guest's run, which records in which frames it executed.
pub(super) struct Watched<'a, F> {
    run: F,
    tally: &'a Tally,
    /// The number of the frame in which it last executed, plus 1.
    seen: u64,
}

impl<'a, F> Watched<'a, F> {
    pub(super) fn new(run: F, tally: &'a Tally) -> Watched<'a, F> {
        Watched { run, tally, seen: 0 }
    }
}

impl<F: Future + Unpin> Future for Watched<'_, F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        let now = self.tally.frame.load(Relaxed) + 1;
        if std::mem::replace(&mut self.seen, now) != now {
            self.tally.active.fetch_add(1, Relaxed);
        }
        Pin::new(&mut self.run).poll(cx)
    }
}
