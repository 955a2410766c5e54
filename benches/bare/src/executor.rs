//! The floor: what tasks cost on a queue with nothing around it, `async-task` on a `VecDeque`. Channels are one
//! place and two wakers. Those figures of the other executors for which that is enough.

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
    measure("mpsc", ping_pong).await;
    measure("oneshot", |rounds| {
        in_a_task(async move {
            for n in 0..rounds {
                let (answer, answered) = channel();
                spawn(async move { answer.send(n).await.expect("somebody waits") }).detach();
                assert_eq!(answered.recv().await, Some(n));
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

/// A channel of one place: it makes the sender wait while that is taken, and both ends know when the other is
/// gone. Two handles of it are its ends.
struct End(Rc<RefCell<Place>>);

#[derive(Default)]
struct Place {
    value: Option<u32>,
    closed: bool,
    reader: Option<Waker>,
    writer: Option<Waker>,
}

fn channel() -> (End, End) {
    let place = Rc::default();
    (End(Rc::clone(&place)), End(place))
}

impl End {
    async fn send(&self, value: u32) -> Result<(), u32> {
        poll_fn(|cx| {
            let mut place = self.0.borrow_mut();
            if place.closed {
                return Poll::Ready(Err(value));
            }
            if place.value.is_some() {
                place.writer = Some(cx.waker().clone());
                return Poll::Pending;
            }
            place.value = Some(value);
            wake(place.reader.take());
            Poll::Ready(Ok(()))
        })
        .await
    }

    async fn recv(&self) -> Option<u32> {
        poll_fn(|cx| {
            let mut place = self.0.borrow_mut();
            match place.value.take() {
                Some(value) => {
                    wake(place.writer.take());
                    Poll::Ready(Some(value))
                }
                None if place.closed => Poll::Ready(None),
                None => {
                    place.reader = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }
}

impl Drop for End {
    fn drop(&mut self) {
        let mut place = self.0.borrow_mut();
        place.closed = true;
        wake(place.reader.take());
        wake(place.writer.take());
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

/// Two tasks that answer each other. A round is there and back.
async fn ping_pong(rounds: u32) -> Duration {
    let (ping, pinged) = channel();
    let (pong, ponged) = channel();
    let answering = spawn(async move {
        while let Some(n) = pinged.recv().await {
            pong.send(n).await.expect("the other side waits");
        }
    });
    let took = in_a_task(async move {
        for n in 0..rounds {
            ping.send(n).await.expect("the other side listens");
            assert_eq!(ponged.recv().await, Some(n));
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
