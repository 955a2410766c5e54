//! Everything in `sync` that waits is served first come, first served.
#![forbid(unsafe_code)]

use crate::sync_support;

use std::cell::RefCell;
use std::rc::Rc;

use sync_support::probe;
use wasio::sync::*;
use wasio::task::coop::{consume_budget, has_budget_remaining};

#[test]
fn a_large_request_is_not_overtaken() {
    let semaphore = Semaphore::new(0);
    let mut large = probe(semaphore.acquire_many(3));
    let mut small = probe(semaphore.acquire());
    assert!(large.is_pending() && small.is_pending());
    semaphore.add_permits(2);
    assert!(small.is_pending() && large.is_pending());
    assert!(semaphore.try_acquire().is_err());
    semaphore.add_permits(2);
    assert_eq!(large.ready().unwrap().num_permits(), 3);
    assert!(small.ready().is_ok());
}

#[test]
fn a_writer_is_not_overtaken_by_readers() {
    let lock = RwLock::new(0);
    let reads = lock.try_read().unwrap();
    let mut writer = probe(lock.write());
    assert!(writer.is_pending());
    assert!(lock.try_read().is_err());
    let mut reader = probe(lock.read());
    assert!(reader.is_pending());
    drop(reads);
    *writer.ready() = 1;
    assert_eq!(reader.wakes(), 1);
    assert_eq!(*reader.ready(), 1);
}

#[test]
fn a_downgraded_writer_lets_the_readers_in_and_no_writer() {
    let lock = RwLock::new(1);
    let writes = lock.try_write().unwrap();
    let mut reader = probe(lock.read());
    let mut writer = probe(lock.write());
    assert!(reader.is_pending() && writer.is_pending());
    let reads = writes.downgrade();
    assert_eq!(*reader.ready() + *reads, 2);
    assert!(writer.is_pending());
    drop(reads);
    assert_eq!(writer.wakes(), 1);
}

#[test]
fn readers_up_to_the_maximum() {
    let lock = RwLock::with_max_readers((), 2);
    let one = lock.try_read().unwrap();
    let two = lock.try_read().unwrap();
    assert!(lock.try_read().is_err());
    drop(one);
    assert!(lock.try_write().is_err());
    drop(two);
    assert!(lock.try_write().is_ok());
}

#[wasio::test]
async fn senders_send_in_the_order_in_which_they_waited() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(0).unwrap();
    let tasks: Vec<_> = (1..=5)
        .map(|n| {
            let tx = tx.clone();
            wasio::spawn(async move { tx.send(n).await.unwrap() })
        })
        .collect();
    wasio::task::yield_now().await;
    // A task that comes later does not overtake, although a place is free for a moment.
    let mut received = vec![rx.recv().await.unwrap()];
    assert!(tx.try_send(99).is_err());
    for _ in 0..5 {
        received.push(rx.recv().await.unwrap());
    }
    assert_eq!(received, [0, 1, 2, 3, 4, 5]);
    for task in tasks {
        task.await.unwrap();
    }
}

#[wasio::test]
async fn a_mutex_goes_round_in_order() {
    let local = wasio::task::LocalSet::new();
    let (mutex, order) = (Rc::new(Mutex::new(())), Rc::new(RefCell::new(Vec::new())));
    for n in 0..4 {
        let (mutex, order) = (mutex.clone(), order.clone());
        local.spawn_local(async move {
            for _ in 0..3 {
                let _held = mutex.lock().await;
                order.borrow_mut().push(n);
                wasio::task::yield_now().await;
            }
        });
    }
    local.await;
    assert_eq!(*order.borrow(), [0, 1, 2, 3, 0, 1, 2, 3, 0, 1, 2, 3]);
}

#[test]
fn notifications_go_to_the_first_or_the_last() {
    let notify = Notify::new();
    let mut waiting: Vec<_> = (0..3).map(|_| probe(notify.notified())).collect();
    assert!(waiting.iter_mut().all(|w| w.is_pending()));
    notify.notify_one();
    notify.notify_last();
    let woken: Vec<_> = waiting.iter().map(|w| w.wakes()).collect();
    assert_eq!(woken, [1, 0, 1]);
}

#[wasio::test]
async fn a_task_out_of_budget_keeps_its_turn() {
    let mutex = Mutex::new(());
    let held = mutex.try_lock().unwrap();
    let mut waiting = probe(mutex.lock());
    while has_budget_remaining() {
        consume_budget().await;
    }
    // Queued although there is no budget left, before a task that comes later.
    assert!(waiting.is_pending());
    let mut later = probe(mutex.lock());
    assert!(later.is_pending());
    drop(held);
    assert!(waiting.is_pending(), "it has the lock, and must yield before it may use it");
    assert!(mutex.try_lock().is_err());
    wasio::task::yield_now().await;
    drop(waiting.ready());
    assert_eq!(later.wakes(), 1);
}

/// A task whose operations always succeed must let other tasks run.
#[wasio::test]
async fn no_operation_keeps_the_others_waiting() {
    async fn yields<F: AsyncFnMut()>(mut operation: F) -> bool {
        let ran = Rc::new(RefCell::new(false));
        let seen = ran.clone();
        let local = wasio::task::LocalSet::new();
        local
            .run_until(async move {
                wasio::task::spawn_local(async move { *seen.borrow_mut() = true });
                for _ in 0..1000 {
                    operation().await;
                }
                *ran.borrow()
            })
            .await
    }

    let (tx, mut rx) = mpsc::unbounded_channel();
    (0..1000).for_each(|n| tx.send(n).unwrap());
    assert!(yields(async || assert!(rx.recv().await.is_some())).await);

    let (tx, _rx) = mpsc::channel(1000);
    assert!(yields(async || tx.send(1).await.unwrap()).await);

    let (tx, mut rx) = broadcast::channel(1024);
    (0..1000).for_each(|n| assert_eq!(tx.send(n).unwrap(), 1));
    assert!(yields(async || assert!(rx.recv().await.is_ok())).await);

    let (tx, mut rx) = watch::channel(0);
    assert!(
        yields(async || {
            tx.send_modify(|n| *n += 1);
            rx.changed().await.unwrap();
        })
        .await
    );

    let (mutex, lock, semaphore) = (Mutex::new(()), RwLock::new(()), Semaphore::new(1));
    assert!(yields(async || drop(mutex.lock().await)).await);
    assert!(yields(async || drop(lock.read().await)).await);
    assert!(yields(async || drop(lock.write().await)).await);
    assert!(yields(async || drop(semaphore.acquire().await.unwrap())).await);

    assert!(
        yields(async || {
            let (tx, rx) = oneshot::channel();
            tx.send(1).unwrap();
            rx.await.unwrap();
        })
        .await
    );
}
