//! The metrics of a runtime.

use std::time::Duration;

use wasio::runtime::{Builder, worker_index};
use wasio::task::yield_now;

#[test]
fn busy_time_counts_once_somebody_asked() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = runtime.metrics();
    runtime.block_on(async {
        for _ in 0..5 {
            wasio::spawn(yield_now()).await.unwrap();
        }
    });
    let busy = metrics.worker_total_busy_duration(0);
    assert!(busy > Duration::ZERO);
    drop(runtime);
    assert_eq!(metrics.worker_total_busy_duration(0), busy);
}

#[test]
fn tasks() {
    let runtime = Builder::new_current_thread().build().unwrap();
    let metrics = runtime.metrics();
    assert_eq!((metrics.num_workers(), metrics.num_alive_tasks()), (1, 0));
    let task = runtime.spawn(yield_now());
    assert_eq!((metrics.num_alive_tasks(), metrics.global_queue_depth()), (1, 1));
    runtime.block_on(task).unwrap();
    assert_eq!((metrics.num_alive_tasks(), metrics.global_queue_depth()), (0, 0));
}

#[test]
fn parks() {
    let runtime = Builder::new_current_thread().enable_time().build().unwrap();
    let metrics = runtime.metrics();
    assert_eq!(metrics.worker_park_count(0), 0);
    runtime.block_on(async { wasio::time::sleep(Duration::from_millis(1)).await });
    assert!(metrics.worker_park_count(0) >= 1);
    assert_eq!(metrics.worker_park_unpark_count(0) % 2, 0);
}

/// The worker runs tasks. It does not run the future of `block_on`, if a runtime has workers of its own.
#[test]
fn who_is_a_worker() {
    let runtime = Builder::new_multi_thread().worker_threads(1).build().unwrap();
    assert_eq!(runtime.block_on(async { worker_index() }), None);
    let task = runtime.spawn(async { worker_index() });
    assert_eq!(runtime.block_on(task).unwrap(), Some(0));
    let closure = runtime.spawn_blocking(worker_index);
    assert_eq!(runtime.block_on(closure).unwrap(), None);
}
