//! Dropping a future that waits for time loses nothing, leaves nothing behind and affects no other timer.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Wake, Waker};

use wasio::time::{Duration, Instant, Sleep, advance, interval, sleep, timeout};

fn poll_once<F: Future>(future: Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

#[derive(Default)]
struct Count(AtomicUsize);

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Count {
    fn get(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

#[wasio::test(start_paused = true)]
async fn a_dropped_timer_no_longer_moves_the_clock() {
    let start = Instant::now();
    let mut first = Box::pin(sleep(Duration::from_millis(1)));
    let mut limited = Box::pin(timeout(Duration::from_millis(2), std::future::pending::<()>()));
    assert!(poll_once(first.as_mut()).is_pending());
    assert!(poll_once(limited.as_mut()).is_pending());
    drop(first);
    drop(limited);
    let mut last = Box::pin(sleep(Duration::from_millis(100)));
    let wakes = Arc::new(Count::default());
    let waker = Waker::from(wakes.clone());
    assert!(last.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    last.await;
    assert_eq!(start.elapsed(), Duration::from_millis(100));
}

#[wasio::test(start_paused = true)]
async fn a_dropped_timer_wakes_nobody_and_releases_its_waker() {
    let wakes = Arc::new(Count::default());
    let waker = Waker::from(wakes.clone());
    let mut timer = Box::pin(sleep(Duration::from_millis(1)));
    assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    assert_eq!(Arc::strong_count(&wakes), 2);
    drop(timer);
    assert_eq!(Arc::strong_count(&wakes), 1);
    advance(Duration::from_millis(2)).await;
    assert_eq!(wakes.get(), 0);
}

#[wasio::test(start_paused = true)]
async fn only_the_last_waker_is_woken() {
    let (first, second) = (Arc::new(Count::default()), Arc::new(Count::default()));
    let mut timer = Box::pin(sleep(Duration::from_millis(1)));
    for wakes in [&first, &second] {
        let waker = Waker::from(wakes.clone());
        assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    }
    assert_eq!(Arc::strong_count(&first), 1, "the replaced waker is dropped");
    advance(Duration::from_millis(1)).await;
    assert_eq!((first.get(), second.get()), (0, 1));
    assert!(timer.is_elapsed());
    assert!(poll_once(timer.as_mut()).is_ready());
}

#[wasio::test(start_paused = true)]
async fn a_dropped_tick_is_not_lost() {
    let mut ticks = interval(Duration::from_millis(10));
    let start = ticks.tick().await;
    for _ in 0..3 {
        let mut tick = Box::pin(ticks.tick());
        assert!(poll_once(tick.as_mut()).is_pending());
    }
    advance(Duration::from_millis(10)).await;
    assert_eq!(ticks.tick().await, start + Duration::from_millis(10));
    assert_eq!(ticks.tick().await, start + Duration::from_millis(20));
}

#[wasio::test(start_paused = true)]
async fn a_dropped_advance_has_moved_the_clock_once() {
    let start = Instant::now();
    let mut step = Box::pin(advance(Duration::from_millis(5)));
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(poll_once(step.as_mut()).is_pending());
    drop(step);
    assert_eq!(start.elapsed(), Duration::from_millis(5));
}

#[wasio::test(start_paused = true)]
async fn a_waker_may_drop_the_other_timers() {
    struct DropAll(Mutex<Vec<Pin<Box<Sleep>>>>, AtomicUsize);
    impl Wake for DropAll {
        fn wake(self: Arc<Self>) {
            self.1.fetch_add(1, Ordering::SeqCst);
            let timers = std::mem::take(&mut *self.0.lock().unwrap());
            drop(timers);
        }
    }
    let all = Arc::new(DropAll(Mutex::new(Vec::new()), AtomicUsize::new(0)));
    let waker = Waker::from(all.clone());
    let many = if cfg!(miri) { 100 } else { 1_000 };
    for n in 0..many {
        let mut timer = Box::pin(sleep(Duration::from_millis(1 + n % 3)));
        assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        all.0.lock().unwrap().push(timer);
    }
    sleep(Duration::from_millis(10)).await;
    let wakes = all.1.load(Ordering::SeqCst);
    assert!(
        (1..many as usize).contains(&wakes),
        "the first wake drops the later timers, saw {wakes}"
    );
    drop(waker);
    assert_eq!(Arc::strong_count(&all), 1);
}

#[wasio::test(start_paused = true)]
async fn a_waker_may_make_timers_when_it_is_dropped() {
    struct Rearm;
    impl Wake for Rearm {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for Rearm {
        fn drop(&mut self) {
            let mut timer = Box::pin(sleep(Duration::from_secs(1)));
            assert!(poll_once(timer.as_mut()).is_pending());
        }
    }
    let mut timer = Box::pin(sleep(Duration::from_secs(1)));
    let waker = Waker::from(Arc::new(Rearm));
    assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    // Replaces the waker, which is dropped.
    assert!(poll_once(timer.as_mut()).is_pending());
    let waker = Waker::from(Arc::new(Rearm));
    assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    drop(timer);
}

#[wasio::test(start_paused = true)]
async fn arming_and_cancelling_goes_on_for_ever() {
    let start = Instant::now();
    let mut kept = Box::pin(sleep(Duration::from_secs(60)));
    assert!(poll_once(kept.as_mut()).is_pending());
    let many = if cfg!(miri) { 200 } else { 20_000 };
    for n in 0..many {
        let mut timer = std::pin::pin!(sleep(Duration::from_millis(n % 30_000 + 1)));
        assert!(poll_once(timer.as_mut()).is_pending());
    }
    kept.await;
    assert_eq!(start.elapsed(), Duration::from_secs(60));
}
