//! Cancel safety: each operation of `sync` is polled once and dropped, and nothing is lost.
//!
//! That includes permits and notifications that the dropped future was given and had not seen yet.
#![forbid(unsafe_code)]

use crate::sync_support;

use std::sync::Arc;
use std::time::Duration;

use sync_support::probe;
use wasio::sync::*;

#[test]
fn mpsc_recv() {
    let (tx, mut rx) = mpsc::channel(2);
    let mut recv = probe(rx.recv());
    assert!(recv.is_pending());
    tx.try_send(1).unwrap();
    assert_eq!(recv.wakes(), 1);
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn mpsc_recv_many() {
    let (tx, mut rx) = mpsc::unbounded_channel();
    let mut buffer = Vec::new();
    let mut recv = probe(rx.recv_many(&mut buffer, 8));
    assert!(recv.is_pending());
    tx.send(1).unwrap();
    drop(recv);
    assert!(buffer.is_empty());
    assert_eq!(rx.len(), 1);
}

#[test]
fn mpsc_send() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(1).unwrap();
    let mut first = probe(tx.send(2));
    let mut second = probe(tx.send(3));
    assert!(first.is_pending() && second.is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    // The place was given to `first`, which does not take it.
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    second.ready().unwrap();
    assert_eq!(rx.try_recv(), Ok(3));
    assert_eq!(tx.capacity(), 1);
}

#[test]
fn mpsc_reserve() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(1).unwrap();
    let mut reserve = probe(tx.reserve());
    assert!(reserve.is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(tx.capacity(), 0);
    drop(reserve);
    assert_eq!(tx.capacity(), 1);
}

#[test]
fn mpsc_reserve_many_gives_back_what_it_had_collected() {
    let (tx, mut rx) = mpsc::channel(3);
    tx.try_send(1).unwrap();
    let mut all = probe(tx.reserve_many(3));
    assert!(all.is_pending());
    assert_eq!(tx.capacity(), 0, "the two free places wait for the third");
    let mut one = probe(tx.reserve());
    assert!(one.is_pending());
    drop(all);
    assert_eq!(one.wakes(), 1);
    drop(one);
    assert_eq!(tx.capacity(), 2);
    assert_eq!(rx.try_recv(), Ok(1));
    assert_eq!(tx.capacity(), 3);
}

#[test]
fn mpsc_reserve_owned() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(1).unwrap();
    let mut reserve = probe(tx.clone().reserve_owned());
    assert!(reserve.is_pending());
    assert_eq!(rx.try_recv(), Ok(1));
    drop(reserve);
    assert_eq!((tx.capacity(), tx.strong_count()), (1, 1));
}

#[wasio::test(start_paused = true)]
async fn mpsc_send_timeout() {
    let (tx, mut rx) = mpsc::channel(1);
    tx.try_send(1).unwrap();
    let late = tx.send_timeout(2, Duration::from_secs(1)).await;
    assert_eq!(late, Err(mpsc::error::SendTimeoutError::Timeout(2)));
    let mut dropped = probe(tx.send_timeout(3, Duration::from_secs(1)));
    assert!(dropped.is_pending());
    assert_eq!(rx.recv().await, Some(1));
    drop(dropped);
    assert_eq!(tx.capacity(), 1);
    tx.send_timeout(4, Duration::from_secs(1)).await.unwrap();
    assert_eq!(rx.recv().await, Some(4));
}

#[test]
fn mpsc_closed() {
    let (tx, rx) = mpsc::channel::<()>(1);
    let mut closed = probe(tx.closed());
    assert!(closed.is_pending());
    drop(rx);
    drop(closed);
    probe(tx.closed()).ready();
}

#[test]
fn mpsc_a_waiting_receiver_that_closed_hears_of_a_dropped_reservation() {
    let (tx, mut rx) = mpsc::channel::<()>(1);
    let permit = tx.try_reserve().unwrap();
    rx.close();
    let mut recv = probe(rx.recv());
    assert!(recv.is_pending());
    drop(permit);
    assert_eq!(recv.wakes(), 1);
    assert_eq!(recv.ready(), None);
}

#[test]
fn oneshot_recv_and_closed() {
    let (mut tx, mut rx) = oneshot::channel();
    let mut recv = probe(&mut rx);
    assert!(recv.is_pending());
    drop(recv);
    let mut closed = probe(tx.closed());
    assert!(closed.is_pending());
    drop(closed);
    tx.send(1).unwrap();
    assert_eq!(rx.try_recv(), Ok(1));
}

#[test]
fn broadcast_recv() {
    let (tx, mut rx) = broadcast::channel(2);
    let mut recv = probe(rx.recv());
    assert!(recv.is_pending());
    tx.send(1).unwrap();
    assert_eq!(recv.wakes(), 1);
    drop(recv);
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(tx.is_empty());
}

#[test]
fn broadcast_closed() {
    let (tx, rx) = broadcast::channel::<()>(2);
    let mut closed = probe(tx.closed());
    assert!(closed.is_pending());
    drop(rx);
    drop(closed);
    probe(tx.closed()).ready();
}

#[test]
fn watch_changed_and_wait_for() {
    let (tx, mut rx) = watch::channel(0);
    let mut changed = probe(rx.changed());
    assert!(changed.is_pending());
    tx.send(1).unwrap();
    assert_eq!(changed.wakes(), 1);
    drop(changed);
    assert!(rx.has_changed().unwrap(), "a change that was not returned was not seen");

    let mut five = probe(rx.wait_for(|n| *n == 5));
    assert!(five.is_pending());
    tx.send(5).unwrap();
    drop(five);
    assert_eq!(*rx.borrow_and_update(), 5);
}

#[test]
fn watch_closed() {
    let (tx, rx) = watch::channel(0);
    let mut closed = probe(tx.closed());
    assert!(closed.is_pending());
    drop(rx);
    drop(closed);
    probe(tx.closed()).ready();
}

#[test]
fn mutex_lock() {
    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.try_lock().unwrap();
    let mut first = probe(mutex.lock());
    let mut second = probe(mutex.clone().lock_owned());
    assert!(first.is_pending() && second.is_pending());
    drop(held);
    assert_eq!((first.wakes(), second.wakes()), (1, 0));
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second);
    assert!(mutex.try_lock().is_ok());
}

#[test]
fn rwlock_a_dropped_writer_lets_the_readers_behind_it_in() {
    let lock = Arc::new(RwLock::new(()));
    let reads = lock.try_read().unwrap();
    let mut writer = probe(lock.clone().write_owned());
    let mut reader = probe(lock.read());
    assert!(writer.is_pending() && reader.is_pending());
    drop(writer);
    assert_eq!(reader.wakes(), 1);
    drop(reader);
    drop(reads);
    assert!(lock.try_write().is_ok());
}

#[test]
fn semaphore_acquire_many() {
    let semaphore = Arc::new(Semaphore::new(2));
    let mut three = probe(semaphore.acquire_many(3));
    assert!(three.is_pending());
    assert_eq!(semaphore.available_permits(), 0);
    let mut one = probe(semaphore.clone().acquire_owned());
    assert!(one.is_pending());
    drop(three);
    assert_eq!(one.wakes(), 1);
    assert_eq!(semaphore.available_permits(), 1);
    drop(one);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn semaphore_permits_that_were_granted_and_not_collected() {
    let semaphore = Semaphore::new(0);
    let mut acquire = probe(semaphore.acquire_many(2));
    assert!(acquire.is_pending());
    semaphore.add_permits(2);
    assert_eq!((acquire.wakes(), semaphore.available_permits()), (1, 0));
    drop(acquire);
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn notify_passes_a_single_notification_on() {
    let notify = Arc::new(Notify::new());
    let mut first = probe(notify.notified());
    let mut second = probe(notify.clone().notified_owned());
    assert!(first.is_pending() && second.is_pending());
    notify.notify_one();
    drop(first);
    assert_eq!(second.wakes(), 1);
    drop(second);
    // No waiter was left, so the notification is stored.
    probe(notify.notified()).ready();
    assert!(probe(notify.notified()).is_pending());
}

#[test]
fn notify_does_not_pass_on_what_everybody_got() {
    let notify = Notify::new();
    let mut waiting = probe(notify.notified());
    assert!(waiting.is_pending());
    notify.notify_waiters();
    drop(waiting);
    assert!(probe(notify.notified()).is_pending());
}

#[test]
fn notify_passes_on_in_the_order_it_came_in() {
    let notify = Notify::new();
    let mut waiting: Vec<_> = (0..3).map(|_| probe(notify.notified())).collect();
    assert!(waiting.iter_mut().all(|w| w.is_pending()));
    notify.notify_last();
    drop(waiting.pop());
    assert_eq!((waiting[0].wakes(), waiting[1].wakes()), (0, 1));
}

#[test]
fn once_cell_the_next_one_computes() {
    let cell = OnceCell::new();
    let mut first = probe(cell.get_or_init(std::future::pending::<i32>));
    let mut second = probe(cell.get_or_init(|| async { 2 }));
    assert!(first.is_pending() && second.is_pending());
    assert_eq!(cell.set(3), Err(SetError::InitializingError(3)));
    drop(first);
    assert_eq!(second.wakes(), 1);
    assert_eq!(second.ready(), &2);

    let failing = OnceCell::<i32>::new();
    let failed = probe(failing.get_or_try_init(|| async { Err("no") })).ready();
    assert_eq!(failed, Err("no"));
    let worked = probe(failing.get_or_try_init(|| async { Ok::<_, &str>(1) })).ready();
    assert_eq!(worked, Ok(&1));
}

#[test]
fn set_once_wait() {
    let cell = SetOnce::new();
    let mut wait = probe(cell.wait());
    assert!(wait.is_pending());
    drop(wait);
    cell.set(1).unwrap();
    assert_eq!(probe(cell.wait()).ready(), &1);
}

#[test]
fn barrier_counts_even_those_that_left() {
    // Not cancel safe, as documented.
    let barrier = Barrier::new(2);
    let mut gone = probe(barrier.wait());
    assert!(gone.is_pending());
    drop(gone);
    assert!(probe(barrier.wait()).ready().is_leader());
}
