//! A future with a time limit.

use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::task::{Context, Poll};

use pin_project_lite::pin_project;

use super::error::Elapsed;
use super::timer::Timer;
use super::{Duration, Instant};
use crate::task::coop;

/// Requires a future to complete within `duration`.
///
/// The future is polled first: if it is ready, its output is returned even when the time is over. A future
/// that does not yield is not interrupted. A `duration` beyond what the clock can represent is no limit.
///
/// # Errors
///
/// [`Elapsed`] if the time is over first. The future is then dropped together with the `Timeout`.
///
/// # Panics
///
/// Panics outside a runtime, or on one without timers
/// ([`Builder::enable_time`](crate::runtime::Builder::enable_time)).
///
/// # Cancel safety
///
/// Dropping it drops the future and cancels the timer: as safe as the future is.
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, timeout};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let never = std::future::pending::<()>();
/// assert!(timeout(Duration::from_millis(10), never).await.is_err());
/// assert_eq!(timeout(Duration::from_millis(10), async { 42 }).await, Ok(42));
/// # }
/// ```
#[track_caller]
pub fn timeout<F>(duration: Duration, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    #[expect(clippy::manual_map, reason = "a panic in a closure would not name the caller's line")]
    let timer = match Instant::now().checked_add(duration) {
        Some(deadline) => Some(Timer::new(deadline)),
        None => None,
    };
    Timeout { future: future.into_future(), timer }
}

/// Requires a future to complete before `deadline`.
///
/// # Errors
///
/// [`Elapsed`] if the deadline passes first.
///
/// # Panics
///
/// Panics outside a runtime, or on one without timers, as [`timeout()`] does.
///
/// # Cancel safety
///
/// Dropping it drops the future and cancels the timer: as safe as the future is.
///
/// # Examples
///
/// ```
/// use wasio::time::{Duration, Instant, timeout_at};
///
/// # #[wasio::main(flavor = "current_thread")]
/// # async fn main() {
/// let deadline = Instant::now() + Duration::from_millis(10);
/// assert!(timeout_at(deadline, std::future::pending::<()>()).await.is_err());
/// # }
/// ```
#[track_caller]
pub fn timeout_at<F>(deadline: Instant, future: F) -> Timeout<F::IntoFuture>
where
    F: IntoFuture,
{
    Timeout { future: future.into_future(), timer: Some(Timer::new(deadline)) }
}

pin_project! {
    /// The future of [`timeout()`] and [`timeout_at`].
    #[project(!Unpin)]
    #[derive(Debug)]
    #[must_use = "futures do nothing unless you `.await` or poll them"]
    pub struct Timeout<T> {
        #[pin]
        future: T,
        // `None`: the deadline is beyond the clock's range.
        timer: Option<Timer>,
    }
}

impl<T> Timeout<T> {
    /// Returns the inner future.
    pub fn get_ref(&self) -> &T {
        &self.future
    }

    /// Returns the inner future.
    pub fn get_mut(&mut self) -> &mut T {
        &mut self.future
    }

    /// Returns the inner future without its limit.
    pub fn into_inner(self) -> T {
        self.future
    }
}

impl<T: Future> Future for Timeout<T> {
    type Output = Result<T::Output, Elapsed>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        let this = self.project();
        let had_budget = coop::has_budget_remaining();
        if let Poll::Ready(output) = this.future.poll(cx) {
            return Poll::Ready(Ok(output));
        }
        match this.timer {
            Some(timer) => poll_timer(timer, had_budget, cx).map(|()| Err(Elapsed::new())),
            None => Poll::Pending,
        }
    }
}

/// Polls the timer. A future that spends the whole budget in every poll must not keep its own time limit from being
/// checked.
fn poll_timer(timer: &mut Timer, had_budget: bool, cx: &mut Context<'_>) -> Poll<()> {
    if had_budget && !coop::has_budget_remaining() {
        coop::with_unconstrained(|| timer.poll(cx))
    } else {
        timer.poll(cx)
    }
}
