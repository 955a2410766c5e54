//! `block_on` and the pools, inside a runtime and without one.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use futures_executor::{LocalPool, block_on, block_on_stream, enter};
use futures_task::LocalSpawn;
use futures_util::stream;
use wasio::runtime::{Builder, Runtime};
use wasio::sync::{mpsc, oneshot};
use wasio::time::sleep;

/// A task that waits in `block_on` for what another task of the same runtime does.
#[test]
fn tasks_go_on_while_one_blocks() {
    let runtime = Runtime::new().unwrap();
    let answer = runtime.block_on(async {
        let (send, receive) = oneshot::channel();
        wasio::spawn(async move {
            sleep(Duration::from_millis(5)).await;
            send.send(42).unwrap();
        });
        wasio::spawn(async move { block_on(receive).unwrap() }).await.unwrap()
    });
    assert_eq!(answer, 42);
}

/// So may the future that the program's own `block_on` runs, as a destructor at its end does.
#[test]
fn the_root_blocks() {
    let runtime = Runtime::new().unwrap();
    runtime.block_on(async {
        let (send, mut receive) = mpsc::channel(1);
        wasio::spawn(async move {
            for number in 0..10 {
                send.send(number).await.unwrap();
            }
        });
        let mut sum = 0;
        while let Some(number) = block_on(receive.recv()) {
            sum += number;
        }
        assert_eq!(sum, 45);
    });
}

#[test]
fn several_tasks_block_at_a_time() {
    let runtime = Runtime::new().unwrap();
    let ended = Arc::new(AtomicU32::new(0));
    runtime.block_on(async {
        let tasks: Vec<_> = (0..5)
            .map(|_| {
                let ended = ended.clone();
                wasio::spawn(async move {
                    block_on(async {
                        sleep(Duration::from_millis(2)).await;
                        ended.fetch_add(1, Ordering::Relaxed);
                    });
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
    });
    assert_eq!(ended.load(Ordering::Relaxed), 5);
}

#[test]
fn without_a_runtime() {
    let runtime = Runtime::new().unwrap();
    let (send, receive) = oneshot::channel();
    runtime.spawn(async move {
        sleep(Duration::from_millis(5)).await;
        send.send("came").unwrap();
    });
    assert_eq!(block_on(receive), Ok("came"));
    assert_eq!(block_on_stream(stream::iter([1, 2, 3])).sum::<i32>(), 6);
}

/// Nothing has to be driven for a future that is ready.
#[test]
fn in_a_current_thread_runtime() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let mut woken = false;
    let answer = runtime.block_on(async {
        block_on(std::future::poll_fn(|cx| {
            if std::mem::replace(&mut woken, true) {
                return std::task::Poll::Ready(7);
            }
            cx.waker().wake_by_ref();
            std::task::Poll::Pending
        }))
    });
    assert_eq!(answer, 7);
}

#[test]
fn executors_do_not_nest() {
    block_on(async {
        assert!(enter().is_err());
    });
    let entered = enter().unwrap();
    assert!(enter().is_err());
    drop(entered);
    assert!(enter().is_ok());
}

#[test]
fn a_local_pool() {
    let mut pool = LocalPool::new();
    let spawner = pool.spawner();
    assert!(!pool.try_run_one());
    let count = Rc::new(Cell::new(0));
    let (send, receive) = oneshot::channel::<()>();
    let add = |by| {
        let count = count.clone();
        move || count.set(count.get() + by)
    };
    let (first, second, third) = (add(1), add(10), add(100));
    let spawn_more = spawner.clone();
    let task = async move {
        first();
        spawn_more.spawn_local_obj(Box::new(async move { second() }).into()).unwrap();
    };
    spawner.spawn_local_obj(Box::new(task).into()).unwrap();
    let waits = async move {
        receive.await.unwrap();
        third();
    };
    spawner.spawn_local_obj(Box::new(waits).into()).unwrap();
    assert!(pool.try_run_one());
    pool.run_until_stalled();
    assert_eq!(count.get(), 11);
    assert!(!pool.try_run_one());
    send.send(()).unwrap();
    pool.run();
    assert_eq!(count.get(), 111);
    assert_eq!(pool.run_until(async { 3 }), 3);
    drop(pool);
    assert!(spawner.status_local().is_err());
}

#[test]
fn a_thread_pool() {
    use futures_executor::ThreadPool;
    let pool = ThreadPool::builder().pool_size(2).name_prefix("pool-").create().unwrap();
    let (send, receive) = oneshot::channel();
    pool.spawn_ok(async move {
        sleep(Duration::from_millis(1)).await;
        send.send(9).unwrap();
    });
    assert_eq!(block_on(receive), Ok(9));
}
