//! Deadlines at the end of the clock's range neither overflow nor affect near ones.

use std::future::Future;
use std::task::{Context, Waker};

use wasio::time::{Duration, Instant, interval, sleep, sleep_until, timeout};

const YEAR: Duration = Duration::from_secs(365 * 24 * 3600);

#[wasio::test(start_paused = true)]
async fn the_longest_sleep_ends_after_thirty_years() {
    let start = Instant::now();
    sleep(Duration::MAX).await;
    assert_eq!(start.elapsed(), 30 * YEAR);
    // The clock continues from there.
    sleep(Duration::from_millis(5)).await;
    assert_eq!(start.elapsed(), 30 * YEAR + Duration::from_millis(5));
}

#[wasio::test(start_paused = true)]
async fn far_deadlines_do_not_disturb_near_ones() {
    let start = Instant::now();
    let mut far: Vec<_> =
        [Duration::MAX, Duration::from_secs(u64::MAX / 10), 300 * YEAR, 29 * YEAR]
            .into_iter()
            .map(|duration| Box::pin(sleep(duration)))
            .collect();
    if let Some(end) = last_instant() {
        far.push(Box::pin(sleep_until(end)));
    }
    let mut cx = Context::from_waker(Waker::noop());
    for timer in &mut far {
        assert!(timer.as_mut().poll(&mut cx).is_pending());
    }
    for n in 1..=1_000 {
        sleep(Duration::from_millis(1)).await;
        assert_eq!(start.elapsed(), Duration::from_millis(n));
    }
    assert!(far.iter().all(|timer| !timer.is_elapsed()));
}

#[wasio::test]
async fn far_deadlines_do_not_disturb_the_real_clock() {
    let start = Instant::now();
    let mut far = Box::pin(sleep(Duration::MAX));
    assert!(far.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    assert!(timeout(Duration::from_millis(2), far.as_mut()).await.is_err());
    assert!(start.elapsed() < Duration::from_secs(3600));
    far.as_mut().reset(Instant::now());
    far.await;
}

#[wasio::test(start_paused = true)]
async fn intervals_of_any_period() {
    let start = Instant::now();
    let mut ticks = interval(Duration::MAX);
    assert_eq!(ticks.tick().await, start);
    ticks.reset();
    ticks.reset_after(Duration::MAX);
    assert_eq!(ticks.tick().await, start + 30 * YEAR);
}

/// The latest instant that this system can represent, to the second.
fn last_instant() -> Option<Instant> {
    let (mut fits, mut too_far) = (0, u64::MAX);
    let now = Instant::now();
    while fits + 1 < too_far {
        let middle = fits + (too_far - fits) / 2;
        match now.checked_add(Duration::from_secs(middle)) {
            Some(_) => fits = middle,
            None => too_far = middle,
        }
    }
    now.checked_add(Duration::from_secs(fits))
}
