//! Panics, whose messages say what to do. (On WASI a panic ends the program.)
#![cfg(panic = "unwind")]

use std::future::{Future, pending};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::{Context, Waker};

use wasio::runtime::Builder;
use wasio::time::{self, Duration, Instant};

fn message_of(f: impl FnOnce()) -> String {
    let payload = catch_unwind(AssertUnwindSafe(f)).expect_err("it should panic");
    match payload.downcast::<String>() {
        Ok(message) => *message,
        Err(payload) => payload.downcast::<&str>().expect("a message").to_string(),
    }
}

#[track_caller]
fn assert_says(message: &str, part: &str) {
    assert!(message.contains(part), "{message:?} does not say {part:?}");
}

#[test]
fn outside_of_a_runtime() {
    const TEXT: &str =
        "there is no reactor running, must be called from the context of a Tokio 1.x runtime";
    let second = Duration::from_secs(1);
    assert_says(&message_of(|| drop(time::sleep(second))), TEXT);
    assert_says(&message_of(|| drop(time::sleep_until(Instant::now()))), TEXT);
    assert_says(&message_of(|| drop(time::timeout(second, pending::<()>()))), TEXT);
    assert_says(&message_of(|| drop(time::timeout_at(Instant::now(), pending::<()>()))), TEXT);
    assert_says(&message_of(|| drop(time::interval(second))), TEXT);
    assert_says(&message_of(|| drop(time::interval_at(Instant::now(), second))), TEXT);
    const FROZEN: &str = "time cannot be frozen from outside the Tokio runtime";
    assert_says(&message_of(time::pause), FROZEN);
    assert_says(&message_of(time::resume), FROZEN);
}

#[test]
fn without_timers() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let _entered = runtime.enter();
    assert_says(
        &message_of(|| drop(time::sleep(Duration::ZERO))),
        "timers are disabled. Call `enable_time` on the runtime builder to enable timers.",
    );
}

#[test]
fn after_the_runtime_is_gone() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let mut timer = {
        let _entered = runtime.enter();
        Box::pin(time::sleep(Duration::from_secs(1)))
    };
    drop(runtime);
    let poll = || {
        let _ = timer.as_mut().poll(&mut Context::from_waker(Waker::noop()));
    };
    assert_says(&message_of(poll), "A Tokio 1.x context was found, but it is being shutdown");
}

#[test]
fn a_period_of_zero() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let _entered = runtime.enter();
    const TEXT: &str = "`period` must be non-zero.";
    assert_says(&message_of(|| drop(time::interval(Duration::ZERO))), TEXT);
    assert_says(&message_of(|| drop(time::interval_at(Instant::now(), Duration::ZERO))), TEXT);
}

#[test]
fn a_clock_in_the_wrong_state() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        assert_says(&message_of(time::resume), "time is not frozen");
        time::pause();
        assert_says(&message_of(time::pause), "time is already frozen");
        let mut too_far = Box::pin(time::advance(Duration::MAX));
        assert!(
            catch_unwind(AssertUnwindSafe(|| {
                let _ = too_far.as_mut().poll(&mut Context::from_waker(Waker::noop()));
            }))
            .is_err()
        );
        // The clock is unchanged and usable.
        let start = Instant::now();
        time::advance(Duration::from_millis(1)).await;
        assert_eq!(start.elapsed(), Duration::from_millis(1));
    });
}
