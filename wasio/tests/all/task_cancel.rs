//! Cancel safety of `task`: each operation is polled once and dropped, and nothing is lost.

use crate::sync_support;

use std::cell::Cell;
use std::rc::Rc;

use sync_support::probe;
use wasio::sync::oneshot;
use wasio::task::{JoinSet, LocalSet, coop, spawn_blocking, yield_now};

#[wasio::test]
async fn waiting_for_a_task() {
    let (tx, rx) = oneshot::channel();
    let mut task = wasio::spawn(rx);
    assert!(probe(&mut task).is_pending());
    tx.send(1).unwrap();
    yield_now().await;
    assert_eq!(task.await.unwrap(), Ok(1));
}

#[wasio::test]
async fn a_dropped_handle_lets_the_task_run_on() {
    let (tx, rx) = oneshot::channel();
    let mut handle = probe(wasio::spawn(async { tx.send(2) }));
    assert!(handle.is_pending());
    drop(handle);
    assert_eq!(rx.await, Ok(2));
}

#[wasio::test]
async fn waiting_for_a_blocking_closure() {
    let (go, wait) = std::sync::mpsc::channel();
    let mut closure = spawn_blocking(move || wait.recv().unwrap());
    assert!(probe(&mut closure).is_pending());
    go.send(3).unwrap();
    assert_eq!(closure.await.unwrap(), 3);
}

#[wasio::test]
async fn a_set_of_tasks() {
    let mut set = JoinSet::new();
    let (tx, rx) = oneshot::channel();
    set.spawn(async { rx.await.unwrap() });
    assert!(probe(set.join_next()).is_pending());
    tx.send(4).unwrap();
    yield_now().await;
    let mut next = probe(set.join_next_with_id());
    // Dropped before it is polled.
    drop(next);
    next = probe(set.join_next_with_id());
    assert_eq!(next.ready().unwrap().unwrap().1, 4);
    drop(next);
    assert!(set.is_empty());
}

#[wasio::test]
async fn a_local_set_keeps_its_tasks() {
    let set = LocalSet::new();
    let seen = Rc::new(Cell::new(0));
    let counter = seen.clone();
    let (tx, rx) = oneshot::channel::<()>();
    set.spawn_local(async move {
        counter.set(1);
        rx.await.unwrap();
        counter.set(2);
    });
    let mut run = probe(set.run_until(std::future::pending::<()>()));
    assert!(run.is_pending());
    drop(run);
    assert_eq!(seen.get(), 1);
    tx.send(()).unwrap();
    set.await;
    assert_eq!(seen.get(), 2);
}

#[wasio::test]
async fn giving_the_turn_away() {
    assert!(probe(yield_now()).is_pending());
    probe(coop::consume_budget()).ready();
    // A dropped operation that did nothing returns its unit of budget.
    let (_tx, mut rx) = wasio::sync::mpsc::channel::<()>(1);
    for _ in 0..1000 {
        assert!(probe(rx.recv()).is_pending());
    }
    assert!(coop::has_budget_remaining());
}
