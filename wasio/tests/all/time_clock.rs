//! The clock: pausing, advancing, resuming, and one clock per runtime.

use std::future::Future;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Waker};

use wasio::runtime::{Builder, Runtime};
use wasio::task;
use wasio::time::{self, Duration, Instant, advance, sleep};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn runtime(is_paused: bool) -> Runtime {
    Builder::new_current_thread().enable_time().start_paused(is_paused).build().unwrap()
}

#[wasio::test(start_paused = true)]
async fn a_paused_clock_stands_still_while_tasks_run() {
    let start = Instant::now();
    let mut timer = Box::pin(sleep(ms(1)));
    assert!(timer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    for _ in 0..1_000 {
        task::yield_now().await;
    }
    assert_eq!(start.elapsed(), Duration::ZERO);
    assert!(!timer.is_elapsed());
}

#[wasio::test(start_paused = true)]
async fn the_clock_waits_for_every_task() {
    static STEPS: AtomicUsize = AtomicUsize::new(0);
    let start = Instant::now();
    let worker = task::spawn(async {
        for _ in 0..500 {
            task::yield_now().await;
            STEPS.fetch_add(1, Ordering::Relaxed);
        }
    });
    sleep(ms(1)).await;
    assert_eq!(STEPS.load(Ordering::Relaxed), 500);
    assert_eq!(start.elapsed(), ms(1));
    worker.await.unwrap();
}

#[wasio::test(start_paused = true)]
async fn advance_fires_everything_in_between() {
    let start = Instant::now();
    let sleepers: Vec<_> = (0..10).map(|n| task::spawn(sleep(ms(n)))).collect();
    task::yield_now().await;
    advance(ms(20)).await;
    for sleeper in sleepers {
        sleeper.await.unwrap();
    }
    assert_eq!(start.elapsed(), ms(20));
}

#[wasio::test(start_paused = true)]
async fn advance_is_exact_below_a_millisecond() {
    let start = Instant::now();
    let mut timer = Box::pin(sleep(ms(1)));
    for n in 1..=4 {
        assert!(timer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        advance(Duration::from_micros(250)).await;
        assert_eq!(start.elapsed(), Duration::from_micros(250 * n));
    }
    assert!(timer.is_elapsed());
}

#[wasio::test]
async fn pause_and_resume() {
    time::pause();
    let paused = Instant::now();
    sleep(Duration::from_secs(60)).await;
    // One millisecond more, because the clock was paused between two.
    assert!((60_000..=60_001).contains(&paused.elapsed().as_millis()));
    time::resume();
    let resumed = Instant::now();
    assert!(resumed >= paused + Duration::from_secs(60), "it goes on, it does not fall back");
    sleep(ms(2)).await;
    assert!(resumed.elapsed() >= ms(2));
    time::pause();
    let again = Instant::now();
    sleep(Duration::from_secs(60)).await;
    assert!(again.elapsed() >= Duration::from_secs(60));
}

#[test]
fn each_runtime_has_its_own_clock() {
    let (paused, running) = (runtime(true), runtime(false));
    let start = paused.block_on(async {
        let start = Instant::now();
        sleep(Duration::from_secs(3600)).await;
        assert!(start.elapsed() >= Duration::from_secs(3600));
        start
    });
    running.block_on(async {
        assert!(start.elapsed() < Duration::from_secs(1800));
        sleep(ms(1)).await;
    });
    assert!(start.elapsed() < Duration::from_secs(1800), "outside of a runtime it is the system's");
    let _entered = paused.enter();
    assert_eq!(start.elapsed(), Duration::from_secs(3600));
}

#[test]
fn a_timer_stays_with_the_runtime_it_was_made_on() {
    let (made_on, polled_on) = (runtime(true), runtime(true));
    let mut timer = {
        let _entered = made_on.enter();
        Box::pin(sleep(ms(10)))
    };
    polled_on.block_on(async {
        assert!(timer.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
        sleep(ms(100)).await;
        assert!(!timer.is_elapsed());
    });
    made_on.block_on(async {
        let start = Instant::now();
        timer.await;
        assert_eq!(start.elapsed(), ms(10));
    });
}

#[test]
fn instants_convert_and_compare() {
    let std = std::time::Instant::now();
    let instant = Instant::from_std(std);
    assert_eq!(std::time::Instant::from(instant), std);
    assert_eq!(Instant::from(std).into_std(), std);
    let later = instant + ms(5);
    assert_eq!(later - instant, ms(5));
    assert_eq!(instant - later, Duration::ZERO);
    assert_eq!(instant.duration_since(later), Duration::ZERO);
    assert_eq!(instant.saturating_duration_since(later), Duration::ZERO);
    assert_eq!(instant.checked_duration_since(later), None);
    assert_eq!(later.checked_duration_since(instant), Some(ms(5)));
    assert_eq!(later.checked_sub(ms(5)), Some(instant));
    assert_eq!(instant.checked_add(ms(5)), Some(later));
    assert_eq!(instant.checked_add(Duration::MAX), None);
    let mut moved = instant;
    moved += ms(7);
    moved -= ms(2);
    assert_eq!(moved, later);
    assert_eq!(later - ms(5), instant);
    assert_eq!(format!("{instant:?}"), format!("{std:?}"));
}

#[test]
fn a_timer_of_a_runtime_that_is_gone_wakes_its_task() {
    struct Flag(AtomicUsize);
    impl std::task::Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let flag = Arc::new(Flag(AtomicUsize::new(0)));
    let runtime = runtime(true);
    let mut timer = {
        let _entered = runtime.enter();
        Box::pin(sleep(ms(10)))
    };
    let waker = Waker::from(flag.clone());
    assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    drop(runtime);
    assert_eq!(flag.0.load(Ordering::SeqCst), 1);
    assert!(timer.is_elapsed());
}

#[cfg(unix)]
#[test]
fn a_timer_armed_by_another_thread_wakes_the_parked_runtime() {
    let runtime = runtime(false);
    let handle = runtime.handle().clone();
    let (tx, rx) = std::sync::mpsc::channel();
    let other = std::thread::spawn(move || {
        let _entered = handle.enter();
        for _ in 0..50 {
            let waker: Waker = rx.recv().unwrap();
            // Lets the thread park.
            std::thread::sleep(Duration::from_micros(300));
            let mut timer = Box::pin(sleep(ms(1)));
            let is_ready = timer.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            assert!(!is_ready);
            while !timer.is_elapsed() {
                std::thread::yield_now();
            }
        }
    });
    runtime.block_on(async {
        let mut far = Box::pin(sleep(Duration::from_secs(3600)));
        for _ in 0..50 {
            let mut polls = 0;
            std::future::poll_fn(|cx| {
                assert!(far.as_mut().poll(cx).is_pending());
                polls += 1;
                if polls == 1 {
                    tx.send(cx.waker().clone()).unwrap();
                    return std::task::Poll::Pending;
                }
                std::task::Poll::Ready(())
            })
            .await;
        }
    });
    other.join().unwrap();
}
