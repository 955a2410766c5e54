//! Intervals: when they tick, how they handle missed ticks, how they are reset.

use std::task::{Context, Poll, Waker};

use wasio::time::{
    Duration, Instant, Interval, MissedTickBehavior, advance, interval, interval_at, sleep,
};

fn ms(n: u64) -> Duration {
    Duration::from_millis(n)
}

fn poll_tick(ticks: &mut Interval) -> Poll<Instant> {
    ticks.poll_tick(&mut Context::from_waker(Waker::noop()))
}

#[wasio::test(start_paused = true)]
async fn ticks_at_once_and_then_every_period() {
    let start = Instant::now();
    let mut ticks = interval(ms(10));
    assert_eq!(ticks.period(), ms(10));
    assert_eq!(ticks.missed_tick_behavior(), MissedTickBehavior::default());
    for n in 0..100 {
        assert_eq!(ticks.tick().await, start + ms(10 * n));
        assert_eq!(start.elapsed(), ms(10 * n));
    }
}

#[wasio::test(start_paused = true)]
async fn work_between_ticks_is_part_of_the_period() {
    let start = Instant::now();
    let mut ticks = interval(ms(10));
    for n in 0..10 {
        assert_eq!(ticks.tick().await, start + ms(10 * n));
        sleep(ms(7)).await;
    }
    assert_eq!(start.elapsed(), ms(97));
}

#[wasio::test(start_paused = true)]
async fn starts_when_told() {
    let start = Instant::now() + ms(25);
    let mut ticks = interval_at(start, ms(10));
    assert!(poll_tick(&mut ticks).is_pending());
    assert_eq!(ticks.tick().await, start);
    assert_eq!(ticks.tick().await, start + ms(10));
    assert_eq!(Instant::now(), start + ms(10));
}

/// The ticks that follow when the tick of 100 ms was taken at 250 ms, with a period of 100 ms.
async fn ticks_after_a_late_one(behavior: MissedTickBehavior) -> Vec<u64> {
    let start = Instant::now();
    let mut ticks = interval(ms(100));
    ticks.set_missed_tick_behavior(behavior);
    assert_eq!(ticks.missed_tick_behavior(), behavior);
    ticks.tick().await;
    sleep(ms(250)).await;
    let mut seen = Vec::new();
    for _ in 0..4 {
        let due = ticks.tick().await;
        seen.push(due.duration_since(start).as_millis() as u64);
        assert!(Instant::now() >= due);
    }
    seen
}

#[wasio::test(start_paused = true)]
async fn missed_ticks_burst() {
    assert_eq!(ticks_after_a_late_one(MissedTickBehavior::Burst).await, [100, 200, 300, 400]);
}

#[wasio::test(start_paused = true)]
async fn missed_ticks_delay() {
    assert_eq!(ticks_after_a_late_one(MissedTickBehavior::Delay).await, [100, 350, 450, 550]);
}

#[wasio::test(start_paused = true)]
async fn missed_ticks_are_skipped() {
    assert_eq!(ticks_after_a_late_one(MissedTickBehavior::Skip).await, [100, 300, 400, 500]);
}

#[wasio::test(start_paused = true)]
async fn a_tick_a_few_milliseconds_late_is_not_missed() {
    for behavior in [MissedTickBehavior::Delay, MissedTickBehavior::Skip] {
        let start = Instant::now();
        let mut ticks = interval(ms(100));
        ticks.set_missed_tick_behavior(behavior);
        ticks.tick().await;
        sleep(ms(105)).await;
        assert_eq!(ticks.tick().await, start + ms(100));
        assert_eq!(ticks.tick().await, start + ms(200));
    }
}

#[wasio::test(start_paused = true)]
async fn resets() {
    let start = Instant::now();
    let mut ticks = interval(ms(100));
    ticks.tick().await;

    sleep(ms(50)).await;
    ticks.reset();
    assert_eq!(ticks.tick().await, start + ms(150));

    ticks.reset_after(ms(20));
    assert_eq!(ticks.tick().await, start + ms(170));
    assert_eq!(ticks.tick().await, start + ms(270));

    sleep(ms(10)).await;
    ticks.reset_immediately();
    assert_eq!(ticks.tick().await, start + ms(280));
    assert_eq!(ticks.tick().await, start + ms(380));

    ticks.reset_at(start + ms(1_000));
    assert_eq!(ticks.tick().await, start + ms(1_000));
    assert_eq!(ticks.tick().await, start + ms(1_100));

    ticks.reset_at(start + ms(900));
    for at in [900, 1_000, 1_100, 1_200] {
        assert_eq!(ticks.tick().await, start + ms(at));
    }
    assert_eq!(start.elapsed(), ms(1_200));
}

#[wasio::test(start_paused = true)]
async fn a_ready_tick_does_not_arm_the_next() {
    let mut ticks = interval(ms(10));
    assert!(poll_tick(&mut ticks).is_ready());
    let start = Instant::now();
    // The clock would stop at 10 ms if the next tick were armed.
    sleep(ms(25)).await;
    assert_eq!(start.elapsed(), ms(25));
    assert!(poll_tick(&mut ticks).is_ready());
    assert!(poll_tick(&mut ticks).is_ready());
    assert!(poll_tick(&mut ticks).is_pending());
    advance(ms(5)).await;
    assert!(poll_tick(&mut ticks).is_ready());
}
