//! A future that is ready when its deadline has passed.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::timer::Timer;
use super::{Duration, FAR_FUTURE, Instant};

/// Waits until `deadline`.
///
/// The deadline is rounded up to a whole millisecond. Nothing is armed until the future is polled, and
/// nothing happens while it waits.
///
/// # Panics
///
/// Panics outside a runtime, or on one without timers
/// ([`Builder::enable_time`](crate::runtime::Builder::enable_time)). The call itself panics, not the
/// `await`: `block_on(sleep_until(..))` does, `block_on(async { sleep_until(..).await })` does not.
///
/// # Cancel safety
///
/// Dropping the future cancels the timer.
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, Instant, sleep_until};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let deadline = Instant::now() + Duration::from_millis(10);
/// sleep_until(deadline).await;
/// assert!(Instant::now() >= deadline);
/// # }
/// ```
#[doc(alias = "delay_until")]
#[track_caller]
pub fn sleep_until(deadline: Instant) -> Sleep {
    Sleep { timer: Timer::new(deadline) }
}

/// Waits until `duration` has passed since the call.
///
/// The same as [`sleep_until`] with a deadline `duration` from now, except that a duration beyond what a
/// clock can represent is cut to about thirty years.
///
/// # Panics
///
/// Panics outside a runtime, or on one without timers, as [`sleep_until`] does.
///
/// # Cancel safety
///
/// Dropping the future cancels the timer.
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, sleep};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// sleep(Duration::from_millis(10)).await;
/// println!("10 ms later");
/// # }
/// ```
#[doc(alias = "delay_for")]
#[doc(alias = "wait")]
#[track_caller]
pub fn sleep(duration: Duration) -> Sleep {
    Sleep { timer: Timer::new(Instant::now() + duration.min(FAR_FUTURE)) }
}

/// Like [`sleep_until`], for operations that also work on a runtime without timers.
#[doc(hidden)]
#[track_caller]
pub fn sleep_anyway(deadline: Instant) -> Sleep {
    Sleep { timer: Timer::new_even_if_disabled(deadline) }
}

pin_project! {
    /// The future of [`sleep`] and [`sleep_until`].
    ///
    /// Once ready it stays so until it is [`reset`](Sleep::reset). It is not `Unpin`, as tokio's is not: pin
    /// it to poll it by hand, or to use it in more than one `select!`.
    ///
    /// Polling it after its runtime was shut down panics.
    ///
    /// # Examples
    ///
    /// One timer for many rounds of a `select!`:
    ///
    /// ```
    /// use wasio::time::{Duration, Instant, sleep};
    ///
    /// # #[wasio::main(flavor = "current_thread", start_paused = true)]
    /// # async fn main() {
    /// let timer = sleep(Duration::from_millis(10));
    /// wasio::pin!(timer);
    /// for _ in 0..3 {
    ///     wasio::select! {
    ///         () = &mut timer => {
    ///             timer.as_mut().reset(Instant::now() + Duration::from_millis(50));
    ///         }
    ///     }
    /// }
    /// # }
    /// ```
    #[project(!Unpin)]
    #[doc(alias = "Delay")]
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Sleep {
        timer: Timer,
    }
}

impl Sleep {
    /// Returns when the future becomes ready, before rounding.
    pub fn deadline(&self) -> Instant {
        self.timer.deadline()
    }

    /// Returns whether the timer has fired since it was armed, which the first poll or a [`reset`](Sleep::reset) does.
    pub fn is_elapsed(&self) -> bool {
        self.timer.is_elapsed()
    }

    /// Moves the deadline and arms the timer again, before or after it has elapsed.
    ///
    /// Moving an armed timer to a later time is the cheapest thing one can do with it.
    ///
    /// # Examples
    ///
    /// ```
    /// use wasio::time::{Duration, Instant, sleep};
    ///
    /// # #[wasio::main(flavor = "current_thread")]
    /// # async fn main() {
    /// let timer = sleep(Duration::from_secs(3600));
    /// wasio::pin!(timer);
    /// timer.as_mut().reset(Instant::now() + Duration::from_millis(5));
    /// timer.await;
    /// # }
    /// ```
    pub fn reset(self: Pin<&mut Self>, deadline: Instant) {
        self.project().timer.reset(deadline);
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        self.project().timer.poll(cx)
    }
}
