//! Tasks: results, aborts, the order of drops, and the end of the runtime.

use std::future::{pending, poll_fn};
use std::pin::pin;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use wasio::runtime::{Builder, Runtime};
use wasio::task::{JoinSet, yield_now};

/// Counts the clones that were dropped.
#[derive(Clone, Default)]
struct Drops(Arc<AtomicUsize>);

struct Dropped(Drops);

impl Drop for Dropped {
    fn drop(&mut self) {
        self.0.0.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drops {
    fn guard(&self) -> Dropped {
        Dropped(self.clone())
    }

    fn count(&self) -> usize {
        self.0.load(Ordering::SeqCst)
    }
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[wasio::test]
async fn gives_its_result() {
    assert_eq!(wasio::spawn(async { 6 * 7 }).await.unwrap(), 42);
    let big = wasio::spawn(async { [7u8; 5000] }).await.unwrap();
    assert!(big.iter().all(|b| *b == 7));
}

#[wasio::test]
async fn runs_on_without_its_handle() {
    let (sender, receiver) = wasio::sync::oneshot::channel();
    drop(wasio::spawn(async move {
        yield_now().await;
        sender.send(1).unwrap();
    }));
    assert_eq!(receiver.await.unwrap(), 1);
}

#[wasio::test]
async fn runs_in_the_order_of_spawning() {
    let order = Arc::new(Mutex::new(Vec::new()));
    let handles: Vec<_> = (0..100)
        .map(|i| {
            let order = order.clone();
            wasio::spawn(async move { order.lock().unwrap().push(i) })
        })
        .collect();
    for handle in handles {
        handle.await.unwrap();
    }
    assert_eq!(*order.lock().unwrap(), (0..100).collect::<Vec<_>>());
}

#[wasio::test]
async fn is_woken_once_however_often_it_wakes_itself() {
    let polls = Arc::new(AtomicUsize::new(0));
    let counter = polls.clone();
    let task = wasio::spawn(poll_fn(move |cx| {
        if counter.fetch_add(1, Ordering::SeqCst) == 0 {
            for _ in 0..5 {
                cx.waker().wake_by_ref();
                let waker = cx.waker().clone();
                waker.wake();
            }
            return Poll::Pending;
        }
        Poll::Ready(())
    }));
    task.await.unwrap();
    yield_now().await;
    assert_eq!(polls.load(Ordering::SeqCst), 2);
}

#[wasio::test]
async fn an_abort_before_the_first_turn_drops_the_future_unpolled() {
    let drops = Drops::default();
    let guard = drops.guard();
    let task = wasio::spawn(async move {
        let _guard = guard;
        panic!("polled");
    });
    task.abort();
    assert_eq!(drops.count(), 0, "it is dropped at its turn, not inside of abort");
    assert!(!task.is_finished());
    let error = task.await.map(|_: ()| ()).unwrap_err();
    assert!(error.is_cancelled() && !error.is_panic());
    assert_eq!(drops.count(), 1);
}

#[wasio::test]
async fn an_abort_of_a_waiting_task_drops_its_future() {
    let drops = Drops::default();
    let guard = drops.guard();
    let task = wasio::spawn(async move {
        let _guard = guard;
        pending::<()>().await;
    });
    yield_now().await;
    let abort = task.abort_handle();
    assert_eq!(abort.id(), task.id());
    abort.abort();
    abort.abort();
    assert!(task.await.unwrap_err().is_cancelled());
    assert!(abort.is_finished());
    assert_eq!(drops.count(), 1);
    abort.abort();
}

#[wasio::test]
async fn an_abort_from_inside_takes_effect_at_the_next_wait() {
    let drops = Drops::default();
    let (guard, seen) = (drops.guard(), drops.clone());
    let (sender, receiver) = wasio::sync::oneshot::channel::<wasio::task::AbortHandle>();
    let task = wasio::spawn(async move {
        let _guard = guard;
        receiver.await.unwrap().abort();
        assert_eq!(seen.count(), 0);
        yield_now().await;
        unreachable!("it was aborted");
    });
    assert!(sender.send(task.abort_handle()).is_ok());
    assert!(task.await.map(|_: ()| ()).unwrap_err().is_cancelled());
    assert_eq!(drops.count(), 1);
}

#[wasio::test]
async fn an_abort_from_inside_of_a_task_that_completes_comes_too_late() {
    let (sender, receiver) = wasio::sync::oneshot::channel::<wasio::task::AbortHandle>();
    let task = wasio::spawn(async move {
        receiver.await.unwrap().abort();
        7
    });
    assert!(sender.send(task.abort_handle()).is_ok());
    assert_eq!(task.await.unwrap(), 7);
}

#[wasio::test]
async fn an_unwanted_result_is_dropped_in_the_task() {
    let drops = Drops::default();
    let guard = drops.guard();
    drop(wasio::spawn(async move {
        yield_now().await;
        guard
    }));
    assert_eq!(drops.count(), 0);
    while drops.count() == 0 {
        yield_now().await;
    }
    assert_eq!(drops.count(), 1);
}

#[wasio::test]
async fn a_result_that_is_not_taken_is_dropped_with_the_handle() {
    let drops = Drops::default();
    let guard = drops.guard();
    let task = wasio::spawn(async move { guard });
    while !task.is_finished() {
        yield_now().await;
    }
    assert_eq!(drops.count(), 0);
    drop(task);
    assert_eq!(drops.count(), 1);
}

#[wasio::test]
async fn the_last_waker_of_a_handle_counts() {
    let (sender, receiver) = wasio::sync::oneshot::channel::<()>();
    let mut task = pin!(wasio::spawn(async move { receiver.await.unwrap() }));
    assert!(task.as_mut().poll(&mut Context::from_waker(Waker::noop())).is_pending());
    sender.send(()).unwrap();
    // Polled again with the waker of this task, which must be the one that is woken.
    task.await.unwrap();
}

#[test]
fn the_end_of_the_runtime_drops_every_task() {
    let drops = Drops::default();
    let runtime = runtime();
    let (waiting, queued) = runtime.block_on(async {
        let guard = drops.guard();
        let waiting = wasio::spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
        wasio::time::sleep(Duration::from_millis(1)).await;
        let guard = drops.guard();
        let queued = wasio::spawn(async move { drop(guard) });
        (waiting, queued)
    });
    assert_eq!(drops.count(), 0);
    drop(runtime);
    assert_eq!(drops.count(), 2);
    for task in [waiting, queued] {
        assert!(task.is_finished());
        let mut task = pin!(task);
        match task.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(Err(error)) => assert!(error.is_cancelled()),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn a_task_that_is_spawned_while_the_runtime_ends_is_cancelled() {
    struct SpawnsWhenDropped(Drops, Arc<Mutex<Option<wasio::task::JoinHandle<()>>>>);

    impl Drop for SpawnsWhenDropped {
        fn drop(&mut self) {
            let guard = self.0.guard();
            *self.1.lock().unwrap() = Some(wasio::spawn(async move { drop(guard) }));
        }
    }

    let drops = Drops::default();
    let slot = Arc::new(Mutex::new(None));
    let runtime = runtime();
    let spawner = SpawnsWhenDropped(drops.clone(), slot.clone());
    runtime.block_on(async {
        wasio::spawn(async move {
            let _spawner = spawner;
            pending::<()>().await;
        });
        yield_now().await;
    });
    drop(runtime);
    assert_eq!(drops.count(), 1);
    let late = slot.lock().unwrap().take().expect("it was spawned");
    assert!(late.is_finished());
}

#[test]
fn a_task_that_ends_its_own_runtime_ends_at_its_next_wait() {
    let drops = Drops::default();
    let (guard, runtime) = (drops.guard(), runtime());
    let handle = runtime.handle().clone();
    let task = handle.spawn(async move {
        let _guard = guard;
        runtime.shutdown_background();
        yield_now().await;
        unreachable!("its runtime is over");
    });
    handle.block_on(async {
        let error = task.await.map(|_: ()| ()).unwrap_err();
        assert!(error.is_cancelled());
    });
    assert_eq!(drops.count(), 1);
}

#[test]
fn a_wake_after_the_end_of_the_runtime_does_nothing() {
    let kept = Arc::new(Mutex::new(None::<Waker>));
    let runtime = runtime();
    let slot = kept.clone();
    runtime.block_on(async {
        wasio::spawn(poll_fn(move |cx| {
            *slot.lock().unwrap() = Some(cx.waker().clone());
            Poll::<()>::Pending
        }));
        yield_now().await;
    });
    drop(runtime);
    let waker = kept.lock().unwrap().take().expect("the task was polled");
    waker.wake_by_ref();
    waker.wake();
}

#[test]
fn the_runtime_counts_its_tasks() {
    let runtime = runtime();
    let metrics = runtime.metrics();
    runtime.block_on(async {
        let quick = wasio::spawn(async {});
        let slow = wasio::spawn(pending::<()>());
        assert_eq!(metrics.num_alive_tasks(), 2);
        quick.await.unwrap();
        assert_eq!(metrics.num_alive_tasks(), 1);
        slow.abort();
        slow.await.unwrap_err();
        assert_eq!(metrics.num_alive_tasks(), 0);
    });
}

#[wasio::test]
async fn a_set_gives_results_as_they_come() {
    let mut set = JoinSet::new();
    for turns in [3, 1, 2] {
        set.spawn(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            turns
        });
    }
    let mut order = Vec::new();
    while let Some(turns) = set.join_next().await {
        order.push(turns.unwrap());
    }
    assert_eq!(order, [1, 2, 3]);
}

#[wasio::test]
async fn a_set_that_is_dropped_aborts_its_tasks() {
    let drops = Drops::default();
    let mut set = JoinSet::new();
    for _ in 0..10 {
        let guard = drops.guard();
        set.spawn(async move {
            let _guard = guard;
            pending::<()>().await;
        });
    }
    yield_now().await;
    drop(set);
    while drops.count() < 10 {
        yield_now().await;
    }
}

#[wasio::test]
async fn ten_thousand_tasks_wake_each_other() {
    let count = if cfg!(miri) { 50 } else { 10_000 };
    let (first, mut receiver) = wasio::sync::oneshot::channel::<u32>();
    for _ in 0..count {
        let (sender, next) = wasio::sync::oneshot::channel();
        let before = std::mem::replace(&mut receiver, next);
        wasio::spawn(async move { sender.send(before.await.unwrap() + 1).unwrap() });
    }
    first.send(0).unwrap();
    assert_eq!(receiver.await.unwrap(), count);
}

#[wasio::test]
async fn tasks_of_every_size_come_and_go() {
    async fn keep<const N: usize>(byte: u8) -> usize {
        let held = [byte; N];
        yield_now().await;
        held.iter().filter(|b| **b == byte).count()
    }
    for byte in 0..4 {
        let tasks = [
            wasio::spawn(keep::<1>(byte)),
            wasio::spawn(keep::<50>(byte)),
            wasio::spawn(keep::<500>(byte)),
            wasio::spawn(keep::<4000>(byte)),
            wasio::spawn(keep::<40_000>(byte)),
        ];
        let mut sizes = Vec::new();
        for task in tasks {
            sizes.push(task.await.unwrap());
        }
        assert_eq!(sizes, [1, 50, 500, 4000, 40_000]);
    }
}
