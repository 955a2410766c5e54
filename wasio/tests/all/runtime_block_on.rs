//! `block_on`: which thread drives, which code counts as a worker, and what is left after a shutdown.

use std::cell::Cell;
use std::rc::Rc;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::time::Duration;

use wasio::io::AsyncWriteExt;
use wasio::runtime::{Builder, Runtime, is_rt_shutdown_err, worker_index};
use wasio::task::{JoinSet, LocalSet, block_in_place, consume_budget, yield_now};

fn current_thread() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

#[test]
fn the_future_of_a_handle_is_run_by_no_worker() {
    let runtime = current_thread();
    assert_eq!(runtime.block_on(async { worker_index() }), Some(0));
    assert_eq!(runtime.handle().block_on(async { worker_index() }), None);
    let task = runtime.spawn(async { worker_index() });
    assert_eq!(runtime.handle().block_on(task).unwrap(), Some(0));
}

#[test]
fn the_future_of_a_handle_may_block_in_place() {
    let runtime = current_thread();
    let handle = runtime.handle();
    let answer = handle.block_on(async { block_in_place(|| handle.block_on(async { 42 })) });
    assert_eq!(answer, 42);
}

#[test]
#[should_panic(expected = "can call blocking only when running on the multi-threaded runtime")]
fn the_future_of_a_current_thread_runtime_may_not() {
    current_thread().block_on(async { block_in_place(|| {}) });
}

/// A future that yields is polled again after every other task was polled.
#[test]
fn a_root_that_yields_is_not_kept_waiting() {
    let polls = Rc::new(Cell::new(0));
    let counter = polls.clone();
    let set = LocalSet::new();
    let runtime = current_thread();
    set.block_on(&runtime, async move {
        wasio::task::spawn_local(async move {
            loop {
                counter.set(counter.get() + 1);
                yield_now().await;
            }
        });
        for _ in 0..10 {
            yield_now().await;
        }
    });
    assert!(polls.get() >= 9, "{} polls", polls.get());

    let polls = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counter = polls.clone();
    runtime.block_on(async move {
        wasio::spawn(async move {
            loop {
                counter.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
                yield_now().await;
            }
        });
        // Runs out of budget ten times.
        for _ in 0..128 * 10 + 1 {
            consume_budget().await;
        }
    });
    assert_eq!(polls.load(std::sync::atomic::Ordering::Relaxed), 10);
}

#[test]
fn output_after_a_shutdown_fails() {
    let runtime = current_thread();
    let handle = runtime.handle().clone();
    let _entered = handle.enter();
    runtime.shutdown_timeout(Duration::from_secs(100));

    let error = handle.block_on(wasio::io::stdout().write_all(b"x")).unwrap_err();
    assert!(is_rt_shutdown_err(&error), "{error}");
    let error = handle.block_on(wasio::io::stderr().write_all(b"x")).unwrap_err();
    assert!(is_rt_shutdown_err(&error), "{error}");
    let error = handle.block_on(wasio::fs::read("Cargo.toml")).unwrap_err();
    assert_eq!(error.to_string(), "background task failed");
}

/// A closure of `spawn_blocking` runs although nothing waits for it, and its result is available.
#[test]
fn a_queued_closure_runs_before_the_end() {
    let runtime = current_thread();
    let handle = runtime.handle().clone();
    let (tx, rx) = wasio::sync::oneshot::channel();
    let mut rx = Some(rx);
    // Dropped at the end, before the closure would have to wait forever.
    let _task = runtime.spawn(async move {
        std::future::pending::<()>().await;
        drop(tx)
    });
    let closure = runtime.spawn_blocking(move || {
        let answer: Result<(), _> = rx.take().unwrap().blocking_recv();
        answer.is_err()
    });
    drop(runtime);
    assert!(handle.block_on(closure).unwrap());
}

/// A waker whose destructor runs the set's tasks.
#[test]
fn a_join_set_drops_the_old_waker_last() {
    struct RunOnDrop(Runtime);
    impl Wake for RunOnDrop {
        fn wake(self: Arc<Self>) {}
    }
    impl Drop for RunOnDrop {
        fn drop(&mut self) {
            self.0.block_on(yield_now());
        }
    }

    let runtime = current_thread();
    let mut set = JoinSet::new();
    set.spawn_on(async { 42 }, runtime.handle());
    let waker = Waker::from(Arc::new(RunOnDrop(runtime)));
    assert!(set.poll_join_next(&mut Context::from_waker(&waker)).is_pending());
    drop(waker);
    let mut cx = Context::from_waker(Waker::noop());
    assert!(set.poll_join_next(&mut cx).is_pending());
    assert!(matches!(set.poll_join_next(&mut cx), Poll::Ready(Some(Ok(42)))));
}
