//! `Delay`, inside a runtime, in another executor, and without either.

use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use futures_timer::Delay;
use wasio::runtime::{Builder, Runtime};

const SHORT: Duration = Duration::from_millis(20);

fn is_ready(delay: &mut Delay) -> bool {
    Pin::new(delay).poll(&mut Context::from_waker(Waker::noop())).is_ready()
}

#[test]
fn it_can_be_sent_and_moved() {
    fn check<T: Send + Sync + Unpin + 'static>(_: &T) {}
    check(&Delay::new(SHORT));
    assert_eq!(format!("{:?}", Delay::new(SHORT)), "Delay");
}

#[test]
fn without_a_runtime() {
    let start = Instant::now();
    pollster::block_on(Delay::new(SHORT));
    assert!(start.elapsed() >= SHORT);
}

#[test]
fn in_tasks_of_both_kinds_of_runtime() {
    let current = Builder::new_current_thread().enable_all().build().unwrap();
    for runtime in [current, Runtime::new().unwrap()] {
        runtime.block_on(async {
            let start = Instant::now();
            let tasks: Vec<_> = (0..10).map(|_| wasio::spawn(Delay::new(SHORT))).collect();
            for task in tasks {
                task.await.unwrap();
            }
            assert!(start.elapsed() >= SHORT);
        });
    }
}

/// A runtime without timers of its own.
#[test]
fn it_needs_no_timers_of_the_runtime() {
    Builder::new_current_thread().build().unwrap().block_on(Delay::new(SHORT));
}

/// It belongs to no runtime, so it outlives the one that it was made in.
#[test]
fn it_outlives_a_runtime() {
    let runtime = Runtime::new().unwrap();
    let delay = {
        let _entered = runtime.enter();
        Delay::new(SHORT)
    };
    drop(runtime);
    pollster::block_on(delay);
}

#[test]
fn it_is_reset_before_and_after_it_ended() {
    let start = Instant::now();
    pollster::block_on(async {
        let mut delay = Delay::new(Duration::from_secs(3600));
        assert!(!is_ready(&mut delay));
        delay.reset(SHORT);
        poll_fn(|cx| Pin::new(&mut delay).poll(cx)).await;
        assert!(is_ready(&mut delay), "it stays ready");
        delay.reset(SHORT);
        assert!(!is_ready(&mut delay));
        (&mut delay).await;
        delay.reset(Duration::MAX);
        assert!(!is_ready(&mut delay));
    });
    assert!(start.elapsed() >= 2 * SHORT && start.elapsed() < Duration::from_secs(3000));
}

#[test]
fn none_lasts_as_long_as_wanted() {
    let mut delay = Delay::new(Duration::MAX);
    let polled = Pin::new(&mut delay).poll(&mut Context::from_waker(Waker::noop()));
    assert_eq!(polled, Poll::Pending);
    pollster::block_on(Delay::new(Duration::ZERO));
}
