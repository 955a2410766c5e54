//! What an executor costs: one program, built once with each runtime under the name `tokio`.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Waker};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::yield_now;

mod measure;

use measure::{measure, wake_and_give_way};

/// So many tasks at once.
const TASKS: u32 = 10_000;

#[tokio::main(flavor = "current_thread")]
async fn main() {
    measure("spawn_join", spawn_join).await;
    measure("spawn_join_task", |rounds| in_a_task(spawn_joins(rounds))).await;
    measure("yield", yielding).await;
    measure("wake", waking).await;
    measure("mpsc", ping_pong).await;
    measure("oneshot", answers).await;
    measure("notify", notifying).await;
    measure("tasks", many_tasks).await;
    measure("select", selecting).await;
    for timers in [1000, 10_000, 100_000, 1_000_000] {
        timing(timers).await;
    }
}

/// Spawn a task that does nothing and wait for it, as `main` does it.
async fn spawn_join(rounds: u32) -> Duration {
    let started = Instant::now();
    spawn_joins(rounds).await;
    started.elapsed()
}

async fn spawn_joins(rounds: u32) {
    for _ in 0..rounds {
        tokio::spawn(async {}).await.expect("it does not panic");
    }
}

/// One task that gives way again and again.
async fn yielding(rounds: u32) -> Duration {
    in_a_task(async move {
        for _ in 0..rounds {
            yield_now().await;
        }
    })
    .await
}

/// One task that is woken again and again.
async fn waking(rounds: u32) -> Duration {
    in_a_task(async move {
        for _ in 0..rounds {
            wake_and_give_way().await;
        }
    })
    .await
}

/// Two tasks that answer each other over channels of one place. A round is there and back.
async fn ping_pong(rounds: u32) -> Duration {
    let (ping, mut pings) = mpsc::channel(1);
    let (pong, mut pongs) = mpsc::channel(1);
    let answering = tokio::spawn(async move {
        while let Some(n) = pings.recv().await {
            pong.send(n).await.expect("the other side waits");
        }
    });
    let took = in_a_task(async move {
        for n in 0..rounds {
            ping.send(n).await.expect("the other side listens");
            assert_eq!(pongs.recv().await, Some(n));
        }
    })
    .await;
    answering.await.expect("it does not panic");
    took
}

/// A task for each question, that answers it.
async fn answers(rounds: u32) -> Duration {
    in_a_task(async move {
        for n in 0..rounds {
            let (answer, answered) = oneshot::channel();
            tokio::spawn(async move { answer.send(n).expect("somebody waits") });
            assert_eq!(answered.await, Ok(n));
        }
    })
    .await
}

/// Two tasks that notify each other. A round is there and back.
async fn notifying(rounds: u32) -> Duration {
    let (ping, pong) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (pinged, ponged) = (ping.clone(), pong.clone());
    let answering = tokio::spawn(async move {
        for _ in 0..rounds {
            pinged.notified().await;
            pong.notify_one();
        }
    });
    let took = in_a_task(async move {
        for _ in 0..rounds {
            ping.notify_one();
            ponged.notified().await;
        }
    })
    .await;
    answering.await.expect("it does not panic");
    took
}

/// Ten thousand tasks at a time, each of which gives way once.
async fn many_tasks(rounds: u32) -> Duration {
    in_a_task(async move {
        let mut tasks = Vec::with_capacity(TASKS as usize);
        let mut left = rounds;
        while left > 0 {
            let count = left.min(TASKS);
            tasks.extend((0..count).map(|_| tokio::spawn(yield_now())));
            for task in tasks.drain(..) {
                task.await.expect("it does not panic");
            }
            left -= count;
        }
    })
    .await
}

/// The one of eight channels that has something.
async fn selecting(rounds: u32) -> Duration {
    let (senders, receivers): (Vec<_>, Vec<_>) = (0..8).map(|_| mpsc::channel(1)).unzip();
    let receivers: Result<[mpsc::Receiver<u32>; 8], _> = receivers.try_into();
    let [mut a, mut b, mut c, mut d, mut e, mut f, mut g, mut h] = receivers.expect("eight");
    in_a_task(async move {
        for n in 0..rounds {
            senders[n as usize % 8].try_send(n).expect("it was emptied");
            let got = tokio::select! {
                got = a.recv() => got,
                got = b.recv() => got,
                got = c.recv() => got,
                got = d.recv() => got,
                got = e.recv() => got,
                got = f.recv() => got,
                got = g.recv() => got,
                got = h.recv() => got,
            };
            assert_eq!(got, Some(n));
        }
    })
    .await
}

/// So many timers armed at once, and cancelled: the time for each of them.
async fn timing(timers: u32) {
    let work = |rounds: u32| {
        let sets = rounds.div_ceil(timers);
        in_a_task(async move {
            let mut armed = Vec::with_capacity(timers as usize);
            let from = tokio::time::Instant::now() + Duration::from_secs(3600);
            let mut random = 1_u32;
            for _ in 0..sets {
                for _ in 0..timers {
                    random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                    let deadline = from + Duration::from_millis(u64::from(random >> 8));
                    let mut timer = Box::pin(tokio::time::sleep_until(deadline));
                    let mut cx = Context::from_waker(Waker::noop());
                    assert!(Pin::new(&mut timer).poll(&mut cx).is_pending());
                    armed.push(timer);
                }
                armed.clear();
            }
        })
    };
    // A set is more than the rounds that were asked for.
    measure(&format!("timers/{timers}"), |rounds| {
        let (done, work) = (rounds.div_ceil(timers) * timers, work(rounds));
        async move { work.await.mul_f64(f64::from(rounds) / f64::from(done)) }
    })
    .await;
}

async fn in_a_task(work: impl Future<Output = ()> + Send + 'static) -> Duration {
    let task = tokio::spawn(async move {
        let started = Instant::now();
        work.await;
        started.elapsed()
    });
    task.await.expect("it does not panic")
}
