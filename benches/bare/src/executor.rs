//! The floor: what tasks cost on a queue with nothing around it, `async-task` on a `VecDeque`. Channels are one
//! place and its wakers. Those figures of the other executors for which that is enough.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::pin;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::task::{Context, Poll, Wake, Waker};
use std::time::{Duration, Instant};

use async_task::{Runnable, Task};

#[path = "../../src/measure.rs"]
mod measure;

use measure::{measure, wake_and_give_way};

/// So many tasks at once.
const TASKS: u32 = 10_000;

thread_local! {
    static QUEUE: RefCell<VecDeque<Runnable>> = RefCell::default();
}

fn main() {
    block_on(figures());
}

async fn figures() {
    measure("spawn_join", |rounds| async move {
        let started = Instant::now();
        spawn_joins(rounds).await;
        started.elapsed()
    })
    .await;
    measure("spawn_join_task", |rounds| in_a_task(spawn_joins(rounds))).await;
    // There is nothing but waking.
    for name in ["yield", "wake"] {
        measure(name, |rounds| {
            in_a_task(async move {
                for _ in 0..rounds {
                    wake_and_give_way().await;
                }
            })
        })
        .await;
    }
    // Nor are there several kinds of channels.
    for name in ["mpsc", "notify"] {
        measure(name, ping_pong).await;
    }
    measure("oneshot", |rounds| {
        in_a_task(async move {
            for n in 0..rounds {
                let answer = Place::default();
                let answered = answer.clone();
                spawn(async move { answer.put(n) }).detach();
                assert_eq!(answered.take().await, n);
            }
        })
    })
    .await;
    measure("tasks", |rounds| {
        in_a_task(async move {
            let mut tasks = Vec::with_capacity(TASKS as usize);
            let mut left = rounds;
            while left > 0 {
                let count = left.min(TASKS);
                tasks.extend((0..count).map(|_| spawn(wake_and_give_way())));
                for task in tasks.drain(..) {
                    task.await;
                }
                left -= count;
            }
        })
    })
    .await;
}

fn spawn<T: 'static>(future: impl Future<Output = T> + 'static) -> Task<T> {
    let schedule = |runnable| QUEUE.with(|queue| queue.borrow_mut().push_back(runnable));
    // SAFETY: this program starts no thread, so nothing needs to be `Send`; and everything is 'static.
    let (runnable, task) = unsafe { async_task::spawn_unchecked(future, schedule) };
    runnable.schedule();
    task
}

struct Root(AtomicBool);

impl Wake for Root {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Relaxed);
    }

    fn wake_by_ref(self: &Arc<Self>) {
        self.0.store(true, Relaxed);
    }
}

fn block_on(future: impl Future<Output = ()>) {
    let root = Arc::new(Root(AtomicBool::new(true)));
    let waker = Waker::from(root.clone());
    let mut cx = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        if root.0.swap(false, Relaxed) && future.as_mut().poll(&mut cx).is_ready() {
            return;
        }
        while let Some(runnable) = QUEUE.with(|queue| queue.borrow_mut().pop_front()) {
            runnable.run();
        }
    }
}

async fn spawn_joins(rounds: u32) {
    for _ in 0..rounds {
        spawn(async {}).await;
    }
}

/// What one task leaves for another.
#[derive(Clone, Default)]
struct Place(Rc<RefCell<Left>>);

#[derive(Default)]
struct Left {
    value: Option<u32>,
    reader: Option<Waker>,
}

impl Place {
    fn put(&self, value: u32) {
        let mut left = self.0.borrow_mut();
        left.value = Some(value);
        if let Some(reader) = left.reader.take() {
            reader.wake();
        }
    }

    async fn take(&self) -> u32 {
        poll_fn(|cx| {
            let mut left = self.0.borrow_mut();
            match left.value.take() {
                Some(value) => Poll::Ready(value),
                None => {
                    left.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

/// Two tasks that answer each other. A round is there and back.
async fn ping_pong(rounds: u32) -> Duration {
    let (ping, pong) = (Place::default(), Place::default());
    let (pinged, ponged) = (ping.clone(), pong.clone());
    let answering = spawn(async move {
        for _ in 0..rounds {
            pong.put(pinged.take().await);
        }
    });
    let took = in_a_task(async move {
        for n in 0..rounds {
            ping.put(n);
            assert_eq!(ponged.take().await, n);
        }
    })
    .await;
    answering.await;
    took
}

async fn in_a_task(work: impl Future<Output = ()> + 'static) -> Duration {
    spawn(async move {
        let started = Instant::now();
        work.await;
        started.elapsed()
    })
    .await
}
