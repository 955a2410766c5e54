//! What smol's executor costs: those figures of `executor.rs` for which it has something.

use std::rc::Rc;
use std::time::{Duration, Instant};

use async_executor::{LocalExecutor, Task};
use event_listener::Event;
use futures_lite::future::{block_on, yield_now};

mod measure;

use measure::{measure, wake_and_give_way};

/// So many tasks at once.
const TASKS: u32 = 10_000;

type Executor = Rc<LocalExecutor<'static>>;

fn main() {
    let executor = Executor::default();
    block_on(executor.run(figures(executor.clone())));
}

async fn figures(ex: Executor) {
    measure("spawn_join", |rounds| {
        let ex = ex.clone();
        async move {
            let started = Instant::now();
            spawn_joins(&ex, rounds).await;
            started.elapsed()
        }
    })
    .await;
    measure("spawn_join_task", |rounds| {
        let inner = ex.clone();
        in_a_task(&ex, async move { spawn_joins(&inner, rounds).await })
    })
    .await;
    measure("yield", |rounds| {
        in_a_task(&ex, async move {
            for _ in 0..rounds {
                yield_now().await;
            }
        })
    })
    .await;
    measure("wake", |rounds| {
        in_a_task(&ex, async move {
            for _ in 0..rounds {
                wake_and_give_way().await;
            }
        })
    })
    .await;
    measure("mpsc", |rounds| ping_pong(&ex, rounds)).await;
    measure("notify", |rounds| notifying(&ex, rounds)).await;
    measure("tasks", |rounds| {
        let inner = ex.clone();
        in_a_task(&ex, async move {
            let mut tasks = Vec::with_capacity(TASKS as usize);
            let mut left = rounds;
            while left > 0 {
                let count = left.min(TASKS);
                tasks.extend((0..count).map(|_| inner.spawn(yield_now())));
                for task in tasks.drain(..) {
                    task.await;
                }
                left -= count;
            }
        })
    })
    .await;
}

async fn spawn_joins(ex: &LocalExecutor<'_>, rounds: u32) {
    for _ in 0..rounds {
        ex.spawn(async {}).await;
    }
}

/// Two tasks that answer each other over channels of one place. A round is there and back.
fn ping_pong(ex: &LocalExecutor<'_>, rounds: u32) -> impl Future<Output = Duration> + use<> {
    let (ping, pings) = async_channel::bounded(1);
    let (pong, pongs) = async_channel::bounded(1);
    let answering = ex.spawn(async move {
        while let Ok(n) = pings.recv().await {
            pong.send(n).await.expect("the other side waits");
        }
    });
    let took = in_a_task(ex, async move {
        for n in 0..rounds {
            ping.send(n).await.expect("the other side listens");
            assert_eq!(pongs.recv().await, Ok(n));
        }
    });
    async move {
        let took = took.await;
        answering.await;
        took
    }
}

/// Two tasks that notify each other. A round is there and back.
fn notifying(ex: &LocalExecutor<'_>, rounds: u32) -> impl Future<Output = Duration> + use<> {
    let (ping, pong) = (Rc::new(Event::new()), Rc::new(Event::new()));
    let (pinged, ponged) = (ping.clone(), pong.clone());
    // Before anybody notifies: an event is lost when nobody listens.
    let mut listener = pinged.listen();
    let answering = ex.spawn(async move {
        for _ in 0..rounds {
            listener.await;
            listener = pinged.listen();
            pong.notify(1);
        }
    });
    let took = in_a_task(ex, async move {
        for _ in 0..rounds {
            let answered = ponged.listen();
            ping.notify(1);
            answered.await;
        }
    });
    async move {
        let took = took.await;
        answering.await;
        took
    }
}

fn in_a_task(ex: &LocalExecutor<'_>, work: impl Future<Output = ()> + 'static) -> Task<Duration> {
    ex.spawn(async move {
        let started = Instant::now();
        work.await;
        started.elapsed()
    })
}
