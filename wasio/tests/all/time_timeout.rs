//! `timeout`: which side wins, what it returns, and that no future outruns its limit.

use std::future::{pending, ready};
use std::io;
use std::task::{Context, Waker};

use wasio::task::coop;
use wasio::time::error::Elapsed;
use wasio::time::{Duration, Instant, advance, sleep, timeout, timeout_at};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

#[wasio::test(start_paused = true)]
async fn the_future_in_time() {
    let start = Instant::now();
    let answer = timeout(ms(10), async {
        sleep(ms(5)).await;
        42
    });
    assert_eq!(answer.await, Ok(42));
    assert_eq!(start.elapsed(), ms(5));
}

#[wasio::test(start_paused = true)]
async fn the_time_over() {
    let start = Instant::now();
    let error: Elapsed = timeout(ms(10), pending::<()>()).await.unwrap_err();
    assert_eq!(start.elapsed(), ms(10));
    assert_eq!(error.to_string(), "deadline has elapsed");
    assert_eq!(io::Error::from(error).kind(), io::ErrorKind::TimedOut);
    assert!(timeout_at(start + ms(25), pending::<()>()).await.is_err());
    assert_eq!(start.elapsed(), ms(25));
}

#[wasio::test(start_paused = true)]
async fn a_ready_future_wins_over_a_deadline_that_has_passed() {
    let past = Instant::now();
    advance(ms(10)).await;
    assert_eq!(timeout_at(past, ready(1)).await, Ok(1));
    assert_eq!(timeout(Duration::ZERO, ready(1)).await, Ok(1));
    assert!(timeout(Duration::ZERO, pending::<()>()).await.is_err());
}

#[wasio::test(start_paused = true)]
async fn the_time_counts_from_the_call() {
    let start = Instant::now();
    let limited = timeout(ms(10), pending::<()>());
    sleep(ms(8)).await;
    assert!(limited.await.is_err());
    assert_eq!(start.elapsed(), ms(10));
}

#[wasio::test(start_paused = true)]
async fn without_a_limit_beyond_the_clock() {
    let start = Instant::now();
    let answer = timeout(Duration::MAX, async {
        sleep(Duration::from_secs(365 * 24 * 3600)).await;
        7
    });
    assert_eq!(answer.await, Ok(7));
    assert_eq!(start.elapsed(), Duration::from_secs(365 * 24 * 3600));
}

#[wasio::test(start_paused = true)]
async fn nested() {
    let start = Instant::now();
    let inner = timeout(ms(10), pending::<()>());
    assert_eq!(timeout(ms(20), inner).await.map(|inner| inner.is_err()), Ok(true));
    assert_eq!(start.elapsed(), ms(10));
    let inner = timeout(ms(20), pending::<()>());
    assert!(timeout(ms(10), inner).await.is_err());
    assert_eq!(start.elapsed(), ms(20));
}

#[wasio::test]
async fn a_future_that_spends_the_whole_budget_does_not_outrun_it() {
    let greedy = async {
        loop {
            coop::consume_budget().await;
        }
    };
    assert!(timeout(ms(2), greedy).await.is_err());
}

#[wasio::test]
async fn gives_the_future_back() {
    let mut limited = timeout(ms(10), ready(1));
    assert_eq!(limited.get_ref().clone().into_inner(), 1);
    *limited.get_mut() = ready(2);
    assert_eq!(limited.into_inner().into_inner(), 2);
}

#[wasio::test]
async fn takes_what_turns_into_a_future() {
    struct Later;
    impl IntoFuture for Later {
        type Output = u8;
        type IntoFuture = std::future::Ready<u8>;
        fn into_future(self) -> Self::IntoFuture {
            ready(3)
        }
    }
    assert_eq!(timeout(ms(10), Later).await, Ok(3));
}

#[wasio::test(start_paused = true)]
async fn dropping_it_drops_the_future() {
    let token = std::sync::Arc::new(());
    let held = token.clone();
    let mut limited = Box::pin(timeout(ms(10), async move {
        let _held = held;
        pending::<()>().await;
    }));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(std::future::Future::poll(limited.as_mut(), &mut cx).is_pending());
    assert_eq!(std::sync::Arc::strong_count(&token), 2);
    drop(limited);
    assert_eq!(std::sync::Arc::strong_count(&token), 1);
}
