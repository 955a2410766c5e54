//! futures-timer, over wasio's timers.
//!
//! In the published crate, the first [`Delay`] starts a thread, which a guest cannot do. Here the timers belong to a
//! runtime of their own. On WASI every blocking call drives it: tokio's runtimes, and `block_on` of futures and of
//! pollster.

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::sync::OnceLock;
use std::task::{Context, Poll};
use std::time::Duration;

use wasio::runtime::{Builder, Runtime};
use wasio::time::{Instant, Sleep, sleep};

/// A future that completes after a duration.
///
/// It needs no runtime: it can be created and polled anywhere.
///
/// # Cancel safety
///
/// Dropping it cancels the timer. A completed delay stays ready until it is [`reset`](Delay::reset).
pub struct Delay {
    sleep: Pin<Box<Sleep>>,
}

impl Delay {
    /// Creates a delay that completes `duration` from now. A duration that the clock cannot represent is shortened to
    /// decades.
    ///
    /// # Panics
    ///
    /// Panics if the runtime for timers cannot be created.
    #[must_use]
    pub fn new(duration: Duration) -> Delay {
        let _entered = timers().enter();
        Delay { sleep: Box::pin(sleep(duration)) }
    }

    /// Makes the delay complete `duration` from now, whether or not it has completed.
    pub fn reset(&mut self, duration: Duration) {
        match Instant::now().checked_add(duration) {
            Some(deadline) => self.sleep.as_mut().reset(deadline),
            None => *self = Delay::new(duration),
        }
    }
}

impl Future for Delay {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.sleep.as_mut().poll(cx)
    }
}

impl fmt::Debug for Delay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delay").finish()
    }
}

/// The runtime that has the timers. It is a `multi_thread` one, so that every blocking call drives it.
fn timers() -> &'static Runtime {
    static TIMERS: OnceLock<Runtime> = OnceLock::new();
    TIMERS.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_time().thread_name("futures-timer");
        builder.build().expect("a runtime for timers")
    })
}
