//! Timers fire in the order of their deadlines, and equal ones in the order in which they were armed.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use wasio::task::{self, LocalSet};
use wasio::time::{Duration, Instant, sleep, sleep_until};

const MANY: u64 = if cfg!(miri) { 50 } else { 10_000 };

/// A pseudo-random sequence, the same in every run.
fn scramble(n: u64) -> u64 {
    (n.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (n << 7)) >> 32
}

#[wasio::test(start_paused = true)]
async fn ten_thousand_timers_fire_in_order() {
    static FIRED: Mutex<Vec<(u64, u64)>> = Mutex::new(Vec::new());
    let start = Instant::now();
    let tasks: Vec<_> = (0..MANY)
        .map(|n| {
            let at = scramble(n) % 2_000;
            wasio::task::spawn(async move {
                sleep_until(start + Duration::from_millis(at)).await;
                assert_eq!(start.elapsed(), Duration::from_millis(at));
                FIRED.lock().unwrap().push((at, n));
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let fired = FIRED.lock().unwrap();
    assert_eq!(fired.len() as u64, MANY);
    assert!(fired.is_sorted(), "by deadline, and within one deadline in the order of arming");
}

#[wasio::test(start_paused = true)]
async fn timers_keep_their_order_while_tasks_are_busy() {
    let local = LocalSet::new();
    let fired = Rc::new(RefCell::new(Vec::new()));
    let is_over = Rc::new(RefCell::new(false));
    for _ in 0..10 {
        let is_over = is_over.clone();
        local.spawn_local(async move {
            while !*is_over.borrow() {
                // Work between the deadlines, in which the clock may move on.
                for _ in 0..10 {
                    task::yield_now().await;
                }
                sleep(Duration::from_millis(1)).await;
            }
        });
    }
    local
        .run_until(async {
            let mut tasks = Vec::new();
            for n in 0..1_000 {
                let fired = fired.clone();
                let at = Duration::from_millis(1 + scramble(n) % 100);
                tasks.push(task::spawn_local(async move {
                    sleep(at).await;
                    fired.borrow_mut().push(at);
                }));
            }
            for task in tasks {
                task.await.unwrap();
            }
            *is_over.borrow_mut() = true;
        })
        .await;
    assert_eq!(fired.borrow().len(), 1_000);
    assert!(fired.borrow().is_sorted());
}

#[wasio::test(start_paused = true)]
async fn cancelled_timers_do_not_disturb_the_others() {
    static FIRED: AtomicUsize = AtomicUsize::new(0);
    let tasks: Vec<_> = (0..MANY)
        .map(|n| {
            task::spawn(async move {
                sleep(Duration::from_millis(1 + scramble(n) % 500)).await;
                FIRED.fetch_add(1, Ordering::Relaxed);
            })
        })
        .collect();
    task::yield_now().await;
    for task in tasks.iter().step_by(3) {
        task.abort();
    }
    for (n, task) in tasks.into_iter().enumerate() {
        assert_eq!(task.await.is_ok(), n % 3 != 0);
    }
    assert_eq!(FIRED.load(Ordering::Relaxed), MANY as usize - (MANY as usize).div_ceil(3));
}

#[wasio::test(start_paused = true)]
async fn a_deadline_between_two_milliseconds_is_rounded_up() {
    let start = Instant::now();
    sleep(Duration::from_micros(1)).await;
    assert_eq!(start.elapsed(), Duration::from_millis(1));
    sleep(Duration::from_micros(2_001)).await;
    assert_eq!(start.elapsed(), Duration::from_millis(4));
    sleep(Duration::from_millis(3)).await;
    assert_eq!(start.elapsed(), Duration::from_millis(7));
}

#[wasio::test]
async fn on_the_real_clock_nothing_fires_early() {
    for micros in [0, 1, 300, 999, 1_000, 1_001, 2_500] {
        let duration = Duration::from_micros(micros);
        let start = Instant::now();
        sleep(duration).await;
        assert!(start.elapsed() >= duration);
    }
}

#[wasio::test]
async fn a_timer_fires_although_a_task_is_always_ready() {
    let busy = task::spawn(async {
        loop {
            task::yield_now().await;
        }
    });
    let start = Instant::now();
    sleep(Duration::from_millis(5)).await;
    assert!(start.elapsed() >= Duration::from_millis(5));
    busy.abort();
    assert!(busy.await.unwrap_err().is_cancelled());
}
