//! The `blocking_…` methods: outside of a runtime, inside `spawn_blocking`, and where they panic.
#![forbid(unsafe_code)]

use std::sync::Arc;

use wasio::sync::*;
use wasio::task::spawn_blocking;

#[test]
fn outside_of_a_runtime_when_there_is_nothing_to_wait_for() {
    let (tx, mut rx) = mpsc::channel(2);
    tx.blocking_send(1).unwrap();
    tx.blocking_send(2).unwrap();
    assert_eq!(rx.blocking_recv(), Some(1));
    let mut buffer = Vec::new();
    assert_eq!(rx.blocking_recv_many(&mut buffer, 9), 1);
    let (tx, mut rx) = mpsc::unbounded_channel();
    tx.send(3).unwrap();
    drop(tx);
    assert_eq!(rx.blocking_recv_many(&mut buffer, 9), 1);
    assert_eq!(rx.blocking_recv(), None);
    assert_eq!(buffer, [2, 3]);

    let (tx, rx) = oneshot::channel();
    tx.send(1).unwrap();
    assert_eq!(rx.blocking_recv(), Ok(1));
    let (tx, mut rx) = broadcast::channel(1);
    tx.send(1).unwrap();
    assert_eq!(rx.blocking_recv(), Ok(1));

    let mutex = Arc::new(Mutex::new(0));
    *mutex.blocking_lock() += 1;
    *mutex.clone().blocking_lock_owned() += 1;
    let lock = RwLock::new(0);
    *lock.blocking_write() += 1;
    assert_eq!(*lock.blocking_read() + *mutex.blocking_lock(), 3);

    let semaphore = Arc::new(Semaphore::new(4));
    let one = semaphore.blocking_acquire().unwrap();
    let two = semaphore.clone().blocking_acquire_many_owned(2).unwrap();
    let rest = semaphore.clone().blocking_acquire_owned().unwrap();
    assert_eq!(semaphore.available_permits(), 0);
    drop((one, two, rest));
    assert_eq!(semaphore.blocking_acquire_many(4).unwrap().num_permits(), 4);
}

/// The tasks that the blocking code waits for must be able to run.
#[wasio::test]
async fn inside_spawn_blocking() {
    let (to, mut from_async) = mpsc::channel(1);
    let (from_blocking, mut back) = mpsc::channel(1);
    let blocking = spawn_blocking(move || {
        let mut sum = 0;
        while let Some(n) = from_async.blocking_recv() {
            sum += n;
            from_blocking.blocking_send(n).unwrap();
        }
        sum
    });
    let echo = wasio::spawn(async move {
        for n in 0..100 {
            to.send(n).await.unwrap();
            assert_eq!(back.recv().await, Some(n));
        }
    });
    echo.await.unwrap();
    assert_eq!(blocking.await.unwrap(), 4950);
}

#[wasio::test]
async fn a_lock_that_a_task_holds() {
    let mutex = Arc::new(Mutex::new(1));
    let held = mutex.clone().lock_owned().await;
    let blocking = spawn_blocking(move || *mutex.blocking_lock());
    let release = wasio::spawn(async move {
        for _ in 0..3 {
            wasio::task::yield_now().await;
        }
        let mut held = held;
        *held = 2;
    });
    assert_eq!(blocking.await.unwrap(), 2);
    release.await.unwrap();
}

#[wasio::test]
#[should_panic(expected = "Cannot block the current thread from within a runtime")]
#[cfg(not(target_family = "wasm"))]
async fn not_in_async_code() {
    let (_tx, mut rx) = mpsc::channel::<()>(1);
    rx.blocking_recv();
}
