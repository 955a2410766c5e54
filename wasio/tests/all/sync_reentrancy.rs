//! No lock of `sync` is held while foreign code runs: a waker that is woken, a waker or a value that is dropped. In
//! these tests the foreign code uses the same primitive, which would deadlock otherwise.
#![forbid(unsafe_code)]

use crate::sync_support;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::Waker;

use sync_support::{OnDrop, probe, waker_that_calls};
use wasio::sync::*;

type Value = Arc<OnDrop<Box<dyn Fn() + Send + Sync>>>;

/// A value that calls `f` when its last copy is dropped.
fn value_with_destructor(f: impl Fn() + Send + Sync + 'static) -> Value {
    Arc::new(OnDrop(Box::new(f)))
}

/// A waker that calls `f` when its last copy is dropped.
fn waker_with_destructor(f: impl Fn() + Send + Sync + 'static) -> Waker {
    let guard = OnDrop(f);
    waker_that_calls(move || {
        let _ = &guard;
    })
}

#[test]
fn mpsc() {
    let (tx, mut rx) = mpsc::channel(1);
    let used = tx.clone();
    let waker = waker_that_calls(move || assert!(used.try_send(2).is_err()));
    assert!(probe(rx.recv()).poll_with(&waker).is_pending());
    tx.try_send(1).unwrap();

    let used = tx.downgrade();
    let waker = waker_with_destructor(move || drop(used.upgrade()));
    let mut send = probe(tx.send(3));
    assert!(send.poll_with(&waker).is_pending());
    drop(waker);
    assert!(send.is_pending());

    drop(send);
    let waker = waker_with_destructor({
        let used = tx.clone();
        move || assert_eq!(used.max_capacity(), 1)
    });
    assert_eq!(rx.try_recv(), Ok(1));
    assert!(probe(rx.recv()).poll_with(&waker).is_pending());
    drop(waker);
    assert!(probe(rx.recv()).is_pending());
}

#[test]
fn mpsc_values_that_hold_a_sender() {
    struct Holds(#[allow(dead_code)] mpsc::UnboundedSender<Holds>);
    let (tx, rx) = mpsc::unbounded_channel();
    for _ in 0..3 {
        tx.send(Holds(tx.clone())).unwrap_or_else(|_| unreachable!());
    }
    let weak = tx.downgrade();
    drop(tx);
    drop(rx);
    assert_eq!(weak.strong_count(), 0);
}

#[test]
fn mpsc_a_permit_after_the_receiver_has_gone() {
    let dropped = Arc::new(AtomicUsize::new(0));
    let (tx, rx) = mpsc::channel::<Value>(1);
    let permit = tx.try_reserve().unwrap();
    drop(rx);
    let (count, used) = (dropped.clone(), tx.clone());
    permit.send(value_with_destructor(move || {
        assert!(used.is_closed());
        count.fetch_add(1, Ordering::SeqCst);
    }));
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "a value nobody can receive is not kept");
}

#[test]
fn oneshot() {
    let (tx, mut rx) = oneshot::channel::<()>();
    let tx = Arc::new(std::sync::Mutex::new(Some(tx)));
    let used = tx.clone();
    let waker = waker_with_destructor(move || {
        if let Ok(mut tx) = used.try_lock() {
            drop(tx.take());
        }
    });
    assert!(probe(&mut rx).poll_with(&waker).is_pending());
    drop(waker);
    // Replaces the waker, whose destructor drops the sender.
    let _ = probe(&mut rx).poll();
    assert!(tx.lock().unwrap().is_none());
    assert!(probe(&mut rx).ready().is_err());
}

#[test]
fn broadcast() {
    let (tx, mut rx) = broadcast::channel::<Value>(1);
    let used = tx.clone();
    let waker = waker_that_calls(move || assert_eq!(used.receiver_count(), 1));
    assert!(probe(rx.recv()).poll_with(&waker).is_pending());
    let mut recv = probe(rx.recv());
    assert!(recv.poll_with(&waker).is_pending());
    let used = tx.clone();
    let value = value_with_destructor(move || assert!(used.len() <= 1));
    tx.send(value).unwrap_or_else(|_| unreachable!());
    drop(recv);
    // Overwrites the first, whose destructor uses the channel.
    let used = tx.clone();
    let value = value_with_destructor(move || assert_eq!(used.receiver_count(), 0));
    tx.send(value).unwrap_or_else(|_| unreachable!());
    drop(rx);
}

#[test]
fn broadcast_a_clone_that_subscribes() {
    struct Subscribes(broadcast::Sender<Subscribes>);
    impl Clone for Subscribes {
        fn clone(&self) -> Self {
            let _ = self.0.subscribe();
            Subscribes(self.0.clone())
        }
    }
    let (tx, mut rx) = broadcast::channel(2);
    let _other = tx.subscribe();
    tx.send(Subscribes(tx.clone())).unwrap_or_else(|_| unreachable!());
    assert!(rx.try_recv().is_ok());
}

#[test]
fn watch() {
    let (tx, mut rx) = watch::channel(0);
    let tx = Arc::new(tx);
    let used = tx.clone();
    let waker = waker_that_calls(move || assert_eq!(*used.borrow(), 1));
    let mut changed = probe(rx.changed());
    assert!(changed.poll_with(&waker).is_pending());
    tx.send(1).unwrap();
    changed.ready().unwrap();
}

#[test]
fn semaphore_and_locks() {
    let semaphore = Arc::new(Semaphore::new(1));
    let mut waiting = probe(semaphore.acquire_many(2));
    // Twice: the second waker replaces the first, whose destructor releases a permit.
    for _ in 0..2 {
        let held = Arc::new(std::sync::Mutex::new(semaphore.clone().try_acquire_owned().ok()));
        let waker = waker_with_destructor(move || drop(held.lock().unwrap().take()));
        assert!(waiting.poll_with(&waker).is_pending());
    }

    let mutex = Arc::new(Mutex::new(()));
    let held = mutex.try_lock().unwrap();
    let used = mutex.clone();
    let waker = waker_that_calls(move || assert!(used.try_lock().is_err()));
    let mut lock = probe(mutex.lock());
    assert!(lock.poll_with(&waker).is_pending());
    drop(held);
    drop(lock.ready());
}

#[test]
fn notify() {
    let notify = Arc::new(Notify::new());
    let used = notify.clone();
    let waker = waker_that_calls(move || used.notify_one());
    let mut waiting = probe(notify.notified());
    assert!(waiting.poll_with(&waker).is_pending());
    notify.notify_waiters();
    waiting.ready();
    // The waker's notification was stored.
    probe(notify.notified()).ready();
}
