//! What an executor costs: one program, built once with each runtime under the name `tokio`.
//!
//! Prints a line `NAME NANOSECONDS` for each figure: the time of one operation.

use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::task::yield_now;

/// A figure is taken over at least this long.
const LONG_ENOUGH: Duration = Duration::from_millis(300);

#[tokio::main(flavor = "current_thread")]
async fn main() {
    measure("spawn_join", spawn_join).await;
    measure("spawn_join_task", |rounds| in_a_task(spawn_joins(rounds))).await;
    measure("yield", yielding).await;
    measure("mpsc", ping_pong).await;
}

/// Runs `work` with more and more rounds until it took long enough.
async fn measure<F: Future<Output = Duration>>(name: &str, work: impl Fn(u32) -> F) {
    let mut rounds = 1000;
    loop {
        let took = work(rounds).await;
        if took >= LONG_ENOUGH {
            println!("{name} {:.2}", took.as_secs_f64() * 1e9 / f64::from(rounds));
            return;
        }
        rounds = if took * 20 < LONG_ENOUGH { rounds * 10 } else { rounds * 2 };
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

async fn in_a_task(work: impl Future<Output = ()> + Send + 'static) -> Duration {
    let task = tokio::spawn(async move {
        let started = Instant::now();
        work.await;
        started.elapsed()
    });
    task.await.expect("it does not panic")
}
