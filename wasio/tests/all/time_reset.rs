//! `Sleep::reset`: to earlier, to later, to the past; before, while and after the timer is armed.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use wasio::time::{Duration, Instant, Sleep, advance, sleep, sleep_until};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn poll_once(timer: &mut Pin<Box<Sleep>>) -> Poll<()> {
    timer.as_mut().poll(&mut Context::from_waker(Waker::noop()))
}

fn armed(duration: Duration) -> Pin<Box<Sleep>> {
    let mut timer = Box::pin(sleep(duration));
    assert!(poll_once(&mut timer).is_pending());
    timer
}

#[wasio::test(start_paused = true)]
async fn to_a_later_time() {
    let start = Instant::now();
    let mut timer = armed(ms(10));
    timer.as_mut().reset(start + ms(30));
    assert_eq!(timer.deadline(), start + ms(30));
    sleep(ms(20)).await;
    assert!(!timer.is_elapsed(), "the first deadline no longer counts");
    assert!(poll_once(&mut timer).is_pending());
    timer.await;
    assert_eq!(start.elapsed(), ms(30));
}

#[wasio::test(start_paused = true)]
async fn to_an_earlier_time() {
    let start = Instant::now();
    let mut timer = armed(ms(1_000));
    timer.as_mut().reset(start + ms(5));
    timer.await;
    assert_eq!(start.elapsed(), ms(5));
}

#[wasio::test(start_paused = true)]
async fn back_and_forth() {
    let start = Instant::now();
    let mut timer = armed(ms(50));
    for n in 1..=1_000 {
        timer.as_mut().reset(start + ms(1 + n * 7919 % 100));
    }
    timer.as_mut().reset(start + ms(42));
    timer.await;
    assert_eq!(start.elapsed(), ms(42));
}

#[wasio::test(start_paused = true)]
async fn to_the_past_wakes_the_task() {
    struct Flag(AtomicBool);
    impl Wake for Flag {
        fn wake(self: Arc<Self>) {
            self.0.store(true, Ordering::SeqCst);
        }
    }
    let start = Instant::now();
    let flag = Arc::new(Flag(AtomicBool::new(false)));
    let waker = Waker::from(flag.clone());
    let mut timer = Box::pin(sleep(ms(100)));
    assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
    advance(ms(50)).await;
    timer.as_mut().reset(start + ms(40));
    assert!(flag.0.load(Ordering::SeqCst));
    assert!(timer.is_elapsed());
    assert!(poll_once(&mut timer).is_ready());
    assert_eq!(start.elapsed(), ms(50));
}

#[wasio::test(start_paused = true)]
async fn after_it_fired_arms_it_again() {
    let start = Instant::now();
    let mut timer = armed(ms(10));
    timer.as_mut().await;
    assert!(timer.is_elapsed());
    assert!(poll_once(&mut timer).is_ready(), "it stays ready");
    timer.as_mut().reset(start + ms(25));
    assert!(!timer.is_elapsed());
    assert!(poll_once(&mut timer).is_pending());
    timer.await;
    assert_eq!(start.elapsed(), ms(25));
}

#[wasio::test(start_paused = true)]
async fn after_it_fired_unseen_arms_it_again() {
    let start = Instant::now();
    let mut timer = armed(ms(10));
    advance(ms(11)).await;
    assert!(timer.is_elapsed());
    timer.as_mut().reset(start + ms(20));
    assert!(!timer.is_elapsed());
    timer.await;
    assert_eq!(start.elapsed(), ms(20));
}

#[wasio::test(start_paused = true)]
async fn before_the_first_poll_arms_it() {
    let start = Instant::now();
    let mut timer = Box::pin(sleep(ms(1_000)));
    assert!(!timer.is_elapsed());
    timer.as_mut().reset(start + ms(5));
    sleep(ms(10)).await;
    assert!(timer.is_elapsed());
    assert!(poll_once(&mut timer).is_ready());
}

#[wasio::test(start_paused = true)]
async fn a_timer_that_was_never_polled_has_not_elapsed() {
    let timer = Box::pin(sleep_until(Instant::now()));
    advance(ms(10)).await;
    assert!(!timer.is_elapsed());
}

#[wasio::test(start_paused = true)]
async fn moved_timers_queue_up_behind_those_of_the_same_deadline() {
    use std::sync::Mutex;
    struct Log(&'static str, Arc<Mutex<Vec<&'static str>>>);
    impl Wake for Log {
        fn wake(self: Arc<Self>) {
            self.1.lock().unwrap().push(self.0);
        }
    }
    let log = Arc::new(Mutex::new(Vec::new()));
    let start = Instant::now();
    let arm = |name, at| {
        let waker = Waker::from(Arc::new(Log(name, log.clone())));
        let mut timer = Box::pin(sleep(ms(at)));
        assert!(timer.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        timer
    };
    let mut a = arm("a", 10);
    let mut b = arm("b", 30);
    let _c = arm("c", 20);
    a.as_mut().reset(start + ms(20));
    b.as_mut().reset(start + ms(20));
    let _d = arm("d", 20);
    advance(ms(20)).await;
    assert_eq!(*log.lock().unwrap(), ["c", "a", "b", "d"]);
}
