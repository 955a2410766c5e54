//! The clock behind interruption: advances the engine's epoch while guests run.
//!
//! A guest that computes without calling the host yields at every tick. Ticks cost nothing while no guest executes: the
//! thread then parks.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll};
use std::thread;
use std::time::{Duration, Instant};

use crate::events;
use crate::stats::Stats;

/// The longest time for which a computing guest occupies the executor.
const TICK: Duration = Duration::from_millis(10);
/// The number of ticks without a running guest before the thread parks, so that a busy server does not wake it at every
/// request.
const IDLE_TICKS: u32 = 20;

#[derive(Debug)]
struct Shared {
    /// The number of guests that are executing right now.
    running: AtomicUsize,
    parked: AtomicBool,
    stopped: AtomicBool,
}

/// Owns the thread; dropping it ends the thread.
#[derive(Debug)]
pub(crate) struct Ticker {
    shared: Arc<Shared>,
    thread: thread::Thread,
}

impl Ticker {
    pub(crate) fn start(engine: &wasmtime::Engine) -> std::io::Result<Ticker> {
        let shared = Arc::new(Shared {
            running: AtomicUsize::new(0),
            parked: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
        });
        let (engine, own) = (engine.weak(), shared.clone());
        let thread = thread::Builder::new().name("wasio-ticker".to_owned()).spawn(move || {
            give_up_descriptors();
            let mut idle = 0;
            while !own.stopped.load(SeqCst) {
                idle = if own.running.load(SeqCst) > 0 { 0 } else { idle + 1 };
                if idle > IDLE_TICKS {
                    own.parked.store(true, SeqCst);
                    // A guest that starts running after this check sees `parked`.
                    if own.running.load(SeqCst) == 0 && !own.stopped.load(SeqCst) {
                        thread::park();
                    }
                    own.parked.store(false, SeqCst);
                    idle = 0;
                }
                thread::sleep(TICK);
                match engine.upgrade() {
                    Some(engine) => engine.increment_epoch(),
                    None => break,
                }
            }
        })?;
        Ok(Ticker { shared, thread: thread.thread().clone() })
    }

    fn enter(&self) {
        self.shared.running.fetch_add(1, SeqCst);
        if self.shared.parked.load(SeqCst) {
            self.thread.unpark();
        }
    }

    fn leave(&self) {
        self.shared.running.fetch_sub(1, SeqCst);
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.shared.stopped.store(true, SeqCst);
        self.thread.unpark();
    }
}

/// Leaves the process's file table to the other threads.
///
/// PERF: as long as only one thread uses the table, Linux looks up the file of a descriptor without counting its users.
/// That is 0.6 % of a request of 64 bytes and its answer, for a runner whose guests run on one thread
/// (`docs/decisions/0023-the-ticker-gives-up-the-processs-descriptors.md`).
#[cfg(target_os = "linux")]
#[expect(unsafe_code, reason = "no crate has the call, see SAFETY")]
fn give_up_descriptors() {
    // SAFETY: the call takes no pointers. It gives this thread its own file table and closes everything in it. The
    // table of the other threads is unchanged. Nothing on this thread uses a file. A kernel before 5.9 refuses, and
    // nothing changes.
    unsafe {
        libc::syscall(libc::SYS_close_range, 0, libc::c_uint::MAX, libc::CLOSE_RANGE_UNSHARE);
    }
}

#[cfg(not(target_os = "linux"))]
fn give_up_descriptors() {}

/// A guest's call that notifies the ticker and measures the time at every poll.
pub(crate) struct Ticked<F> {
    future: F,
    ticker: Arc<Ticker>,
    stats: Stats,
    suspended_at: Option<Instant>,
}

impl<F: Future + Unpin> Ticked<F> {
    pub(crate) fn new(future: F, ticker: Arc<Ticker>, stats: Stats) -> Ticked<F> {
        Ticked { future, ticker, stats, suspended_at: None }
    }
}

impl<F: Future + Unpin> Future for Ticked<F> {
    type Output = F::Output;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<F::Output> {
        /// Leaves the ticker on drop, also when a host function panics.
        struct Running<'a>(&'a Ticker);
        impl Drop for Running<'_> {
            fn drop(&mut self) {
                self.0.leave();
            }
        }

        let this = &mut *self;
        let start = Instant::now();
        if let Some(at) = this.suspended_at.take() {
            this.stats.was_suspended(start - at);
        }
        this.ticker.enter();
        let running = Running(&this.ticker);
        let outcome = Pin::new(&mut this.future).poll(cx);
        drop(running);
        let end = Instant::now();
        this.stats.ran(end - start);
        this.suspended_at = Some(end);
        if outcome.is_pending() {
            events::suspended();
        }
        outcome
    }
}
