//! Tests with several threads. Natively only, because WASI has none.
#![forbid(unsafe_code)]
#![cfg(not(target_family = "wasm"))]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use wasio::runtime::Builder;
use wasio::sync::*;

/// Fewer under miri, which is slow.
const ROUNDS: usize = if cfg!(miri) { 30 } else { 5_000 };
const THREADS: usize = 4;

/// Runs `f` in several threads, each with a runtime of its own.
fn everywhere<F: Future<Output = ()>>(f: impl Fn(usize) -> F + Send + Sync) {
    thread::scope(|scope| {
        for n in 0..THREADS {
            let f = &f;
            scope.spawn(move || {
                if cfg!(miri) {
                    // Without a reactor: miri does not support epoll with timeouts of eventfd.
                    futures_block_on(f(n));
                } else {
                    Builder::new_current_thread().build().unwrap().block_on(f(n));
                }
            });
        }
    });
}

/// The smallest executor: parks the thread.
fn futures_block_on<F: Future>(future: F) -> F::Output {
    struct Unpark(thread::Thread);
    impl std::task::Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Arc::new(Unpark(thread::current())).into();
    let mut future = std::pin::pin!(future);
    loop {
        let mut cx = std::task::Context::from_waker(&waker);
        if let std::task::Poll::Ready(output) = future.as_mut().poll(&mut cx) {
            return output;
        }
        thread::park();
    }
}

#[test]
fn a_mutex_excludes() {
    let mutex = Mutex::new((0, 0));
    everywhere(async |_| {
        for _ in 0..ROUNDS {
            let mut pair = mutex.lock().await;
            assert_eq!(pair.0, pair.1);
            pair.0 += 1;
            pair.1 += 1;
        }
    });
    assert_eq!(mutex.into_inner().0, THREADS * ROUNDS);
}

#[test]
fn a_rwlock_excludes_writers() {
    let lock = Arc::new(RwLock::with_max_readers((0, 0), 3));
    everywhere(async |n| {
        for round in 0..ROUNDS {
            if (round + n) % 3 == 0 {
                let mut pair = lock.clone().write_owned().await;
                pair.0 += 1;
                pair.1 += 1;
                let pair = OwnedRwLockWriteGuard::downgrade_map(pair, |pair| pair);
                assert_eq!(pair.0, pair.1);
            } else {
                let pair = lock.read().await;
                assert_eq!(pair.0, pair.1);
            }
        }
    });
}

#[test]
fn a_semaphore_counts() {
    let (semaphore, inside) = (Semaphore::new(2), AtomicUsize::new(0));
    everywhere(async |n| {
        for _ in 0..ROUNDS {
            let permits = 1 + n % 2;
            let _permit = semaphore.acquire_many(permits as u32).await.unwrap();
            assert!(inside.fetch_add(permits, Ordering::SeqCst) + permits <= 2);
            inside.fetch_sub(permits, Ordering::SeqCst);
        }
    });
    assert_eq!(semaphore.available_permits(), 2);
}

#[test]
fn an_mpsc_channel_loses_nothing() {
    let (tx, rx) = mpsc::channel(3);
    let (tx, rx) = (std::sync::Mutex::new(Some(tx)), Mutex::new(rx));
    let sum = AtomicUsize::new(0);
    everywhere(async |n| {
        if n == 0 {
            let mut rx = rx.lock().await;
            while let Some(value) = rx.recv().await {
                sum.fetch_add(value, Ordering::SeqCst);
            }
            return;
        }
        let tx = {
            let mut slot = tx.lock().unwrap();
            // The last one takes the original.
            let clone = slot.as_ref().unwrap().clone();
            if slot.as_ref().unwrap().strong_count() == THREADS {
                *slot = None;
            }
            clone
        };
        for value in 0..ROUNDS {
            match value % 3 {
                0 => tx.send(value).await.unwrap(),
                1 => tx.reserve().await.unwrap().send(value),
                _ => tx.reserve_many(2).await.unwrap().next().unwrap().send(value),
            }
            // Dropped half way.
            let mut dropped = std::pin::pin!(tx.reserve_many(3));
            let mut cx = std::task::Context::from_waker(std::task::Waker::noop());
            let _ = dropped.as_mut().poll(&mut cx);
        }
    });
    assert_eq!(sum.into_inner(), (THREADS - 1) * ROUNDS * (ROUNDS - 1) / 2);
}

#[test]
fn a_oneshot_channel_between_threads() {
    for n in 0..ROUNDS / 10 {
        let (tx, rx) = oneshot::channel();
        let sender = thread::spawn(move || tx.send(Box::new(n)));
        assert_eq!(futures_block_on(rx), Ok(Box::new(n)));
        sender.join().unwrap().unwrap();
    }
}

#[test]
fn notifications_are_not_lost() {
    // A token goes round, so every notification counts.
    let notify: Vec<_> = (0..THREADS).map(|_| Notify::new()).collect();
    let laps = AtomicUsize::new(0);
    notify[0].notify_one();
    everywhere(async |n| {
        for _ in 0..ROUNDS / 10 {
            notify[n].notified().await;
            laps.fetch_add(1, Ordering::SeqCst);
            notify[(n + 1) % THREADS].notify_one();
        }
    });
    assert_eq!(laps.into_inner(), THREADS * (ROUNDS / 10));
}

#[test]
fn a_watch_channel_shows_the_last_value() {
    let (tx, rx) = watch::channel(0);
    everywhere(async |n| {
        if n == 0 {
            for value in 1..=ROUNDS {
                tx.send(value).unwrap();
            }
            return;
        }
        let mut rx = rx.clone();
        let mut last = 0;
        while last < ROUNDS {
            let value = *rx.wait_for(|value| *value > last).await.unwrap();
            assert!(value > last);
            last = value;
        }
    });
}

#[test]
fn a_broadcast_channel_reaches_all() {
    let (tx, rx) = broadcast::channel(ROUNDS);
    let receivers: Vec<_> =
        (1..THREADS).map(|_| std::sync::Mutex::new(Some(tx.subscribe()))).collect();
    drop(rx);
    let tx = std::sync::Mutex::new(Some(tx));
    everywhere(async |n| {
        if n == 0 {
            let tx = tx.lock().unwrap().take().unwrap();
            for value in 0..ROUNDS {
                tx.send(value).unwrap();
            }
            return;
        }
        let mut rx = receivers[n - 1].lock().unwrap().take().unwrap();
        for value in 0..ROUNDS {
            assert_eq!(rx.recv().await, Ok(value));
        }
        assert!(rx.recv().await.is_err());
    });
}

#[test]
fn a_barrier_between_threads() {
    let (barrier, leaders) = (Barrier::new(THREADS), AtomicUsize::new(0));
    everywhere(async |_| {
        for round in 0..ROUNDS / 50 {
            if barrier.wait().await.is_leader() {
                assert_eq!(leaders.fetch_add(1, Ordering::SeqCst), round);
            }
        }
    });
}

#[test]
fn a_once_cell_computes_once() {
    for _ in 0..ROUNDS / 50 {
        let (cell, computed, set) = (OnceCell::new(), AtomicUsize::new(0), SetOnce::new());
        everywhere(async |n| {
            let value = cell
                .get_or_init(async || {
                    computed.fetch_add(1, Ordering::SeqCst);
                    Box::new(n)
                })
                .await;
            let _ = set.set(value.clone());
            assert!(**set.wait().await < THREADS);
        });
        assert_eq!(computed.into_inner(), 1);
    }
}
