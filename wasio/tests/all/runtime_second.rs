//! Several runtimes at a time. A `multi_thread` one runs whether or not a thread blocks on it, as under tokio. On WASI
//! every blocking call drives all of them.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::Duration;
use std::{future::pending, sync::Arc};

use wasio::io::{AsyncReadExt, AsyncWriteExt};
use wasio::net::{TcpListener, TcpStream};
use wasio::runtime::{Builder, Handle, Runtime};
use wasio::sync::{mpsc, oneshot};
use wasio::task::yield_now;
use wasio::time::{sleep, timeout};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn multi_thread() -> Runtime {
    Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap()
}

/// A runtime as libraries have it: created on first use, and never dropped.
static LIBRARY: LazyLock<Runtime> = LazyLock::new(multi_thread);

#[test]
fn a_librarys_runtime_runs_while_another_blocks() {
    let answer = current_thread().block_on(async {
        let task = LIBRARY.spawn(async {
            sleep(Duration::from_millis(5)).await;
            yield_now().await;
            42
        });
        task.await.unwrap()
    });
    assert_eq!(answer, 42);
}

#[test]
fn its_blocking_closures_run() {
    let second = multi_thread();
    let answer = current_thread().block_on(async { second.spawn_blocking(|| 42).await.unwrap() });
    assert_eq!(answer, 42);
}

#[test]
fn sockets_of_one_talk_to_sockets_of_the_other() {
    let second = multi_thread();
    for first in [current_thread(), multi_thread()] {
        first.block_on(async {
            let (tell, told) = oneshot::channel();
            let server = second.spawn(async move {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                tell.send(listener.local_addr().unwrap()).unwrap();
                let (mut stream, _) = listener.accept().await.unwrap();
                let mut buf = [0; 5];
                for _ in 0..20 {
                    stream.read_exact(&mut buf).await.unwrap();
                    stream.write_all(&buf).await.unwrap();
                }
            });
            let mut client = TcpStream::connect(told.await.unwrap()).await.unwrap();
            let mut buf = [0; 5];
            for _ in 0..20 {
                client.write_all(b"hello").await.unwrap();
                client.read_exact(&mut buf).await.unwrap();
                assert_eq!(&buf, b"hello");
            }
            server.await.unwrap();
        });
    }
}

#[test]
fn runtimes_end_in_any_order() {
    for is_first in [true, false] {
        let (first, second, third) = (multi_thread(), multi_thread(), current_thread());
        let dropped = Arc::new(());
        let kept = dropped.clone();
        let wait = second.spawn(async move {
            let _kept = kept;
            let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
            let _ = listener.accept().await;
        });
        first.block_on(async { sleep(Duration::from_millis(1)).await });
        let left = if is_first { [first, second] } else { [second, first] };
        let [now, later] = left;
        drop(now);
        third.block_on(async {
            later.spawn(async { sleep(Duration::from_millis(1)).await }).await.unwrap();
        });
        later.shutdown_background();
        assert!(third.block_on(wait).unwrap_err().is_cancelled());
        assert_eq!(Arc::strong_count(&dropped), 1);
        third.block_on(async { sleep(Duration::from_millis(1)).await });
    }
}

#[test]
fn a_source_hears_that_its_own_runtime_is_gone() {
    let (first, second) = (current_thread(), multi_thread());
    let (mine, others) = (
        first.block_on(TcpListener::bind("127.0.0.1:0")).unwrap(),
        second.block_on(TcpListener::bind("127.0.0.1:0")).unwrap(),
    );
    second.shutdown_background();
    let error = first.block_on(others.accept()).unwrap_err();
    assert!(wasio::runtime::is_rt_shutdown_err(&error), "{error}");
    let addr = mine.local_addr().unwrap();
    first.block_on(async {
        let (accepted, connected) = wasio::join!(mine.accept(), TcpStream::connect(addr));
        accepted.unwrap();
        connected.unwrap();
    });
}

#[test]
fn who_blocks_without_a_runtime_drives_it_too() {
    let second = multi_thread();
    let (sender, receiver) = oneshot::channel();
    second.spawn(async move {
        sleep(Duration::from_millis(1)).await;
        sender.send(42).unwrap();
    });
    assert_eq!(receiver.blocking_recv().unwrap(), 42);
}

#[test]
fn a_current_thread_runtime_runs_only_while_somebody_blocks_on_it() {
    let (first, second) = (current_thread(), current_thread());
    let ran = Arc::new(AtomicBool::new(false));
    let flag = ran.clone();
    let task = second.spawn(async move { flag.store(true, Ordering::Relaxed) });
    first.block_on(async { sleep(Duration::from_millis(2)).await });
    assert!(!ran.load(Ordering::Relaxed));
    second.block_on(task).unwrap();
    assert!(ran.load(Ordering::Relaxed));
}

/// The tasks of the first runtime run while one of its blocking closures blocks on the second.
#[test]
fn a_blocking_closure_blocks_on_another_runtime() {
    for first in [current_thread(), multi_thread()] {
        first.block_on(async {
            let (sender, mut receiver) = mpsc::channel(1);
            wasio::spawn(async move {
                for n in 0..3 {
                    sleep(Duration::from_millis(1)).await;
                    sender.send(n).await.unwrap();
                }
            });
            let closure = wasio::task::spawn_blocking(move || {
                current_thread().block_on(async {
                    let mut sum = 0;
                    while let Some(n) = receiver.recv().await {
                        sum += n;
                    }
                    sum
                })
            });
            assert_eq!(closure.await.unwrap(), 3);
        });
    }
}

#[test]
fn neither_starves_the_other() {
    let second = multi_thread();
    let turns = Arc::new(AtomicUsize::new(0));
    let counted = turns.clone();
    let busy = second.spawn(async move {
        loop {
            counted.fetch_add(1, Ordering::Relaxed);
            yield_now().await;
        }
    });
    current_thread().block_on(async {
        // Timers and yields of the first runtime work, although the second is never idle.
        sleep(Duration::from_millis(2)).await;
        let before = turns.load(Ordering::Relaxed);
        // A busy first runtime lets the second run.
        timeout(Duration::from_secs(10), async {
            while turns.load(Ordering::Relaxed) < before + 1_000 {
                yield_now().await;
            }
        })
        .await
        .unwrap();
    });
    busy.abort();
}

#[test]
fn tasks_are_in_their_own_runtime() {
    let (first, second) = (current_thread(), multi_thread());
    let id = second.handle().id();
    let _guard = first.enter();
    let task = second.spawn(async move {
        assert_eq!(Handle::current().id(), id);
        yield_now().await;
        assert_eq!(wasio::spawn(async { Handle::current().id() }).await.unwrap(), id);
        assert_eq!(Handle::current().id(), id);
    });
    first.block_on(async {
        task.await.unwrap();
        assert_eq!(Handle::current().id(), first.handle().id());
    });
    assert_eq!(Handle::current().id(), first.handle().id());
}

#[test]
fn a_second_runtime_that_only_waits_costs_no_turns() {
    let second = multi_thread();
    second.spawn(pending::<()>());
    let first = current_thread();
    first.block_on(async { sleep(Duration::from_millis(1)).await });
    let before = first.metrics().worker_park_count(0);
    first.block_on(async { sleep(Duration::from_millis(50)).await });
    assert!(first.metrics().worker_park_count(0) - before < 10);
}
