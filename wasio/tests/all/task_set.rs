//! Tasks that are not `Send`: `LocalSet` and `LocalRuntime`.

use std::cell::Cell;
use std::future::pending;
use std::rc::Rc;

use wasio::runtime::Builder;
use wasio::task::{LocalSet, spawn_local, yield_now};

/// Records when it is dropped.
struct Flag(Rc<Cell<bool>>);

impl Drop for Flag {
    fn drop(&mut self) {
        self.0.set(true);
    }
}

#[wasio::test]
async fn runs_beside_a_future() {
    let number = Rc::new(Cell::new(0));
    let shared = number.clone();
    let set = LocalSet::new();
    let result = set
        .run_until(async move {
            let task = spawn_local(async move {
                yield_now().await;
                shared.set(7);
                shared
            });
            task.await.unwrap().get()
        })
        .await;
    assert_eq!((result, number.get()), (7, 7));
}

#[wasio::test]
async fn awaiting_the_set_waits_for_all() {
    let done = Rc::new(Cell::new(0));
    let set = LocalSet::new();
    for turns in 0..10 {
        let done = done.clone();
        set.spawn_local(async move {
            for _ in 0..turns {
                yield_now().await;
            }
            done.set(done.get() + 1);
        });
    }
    set.await;
    assert_eq!(done.get(), 10);
}

#[wasio::test]
async fn dropping_the_set_drops_its_tasks() {
    let (waiting, queued) = (Rc::new(Cell::new(false)), Rc::new(Cell::new(false)));
    let set = LocalSet::new();
    let flag = Flag(waiting.clone());
    let handle = set.spawn_local(async move {
        let _flag = flag;
        pending::<()>().await;
    });
    set.run_until(yield_now()).await;
    let flag = Flag(queued.clone());
    set.spawn_local(async move { drop(flag) });
    drop(set);
    assert!(waiting.get() && queued.get());
    assert!(handle.await.unwrap_err().is_cancelled());
}

#[test]
fn a_local_runtime_takes_local_tasks() {
    let runtime = Builder::new_current_thread().build_local(Default::default()).unwrap();
    let shared = Rc::new(5);
    let task = runtime.spawn_local(async move { *shared + 1 });
    assert_eq!(runtime.block_on(task).unwrap(), 6);
}

#[cfg(unix)]
#[test]
fn another_thread_does_not_run_the_tasks_of_a_local_runtime() {
    let runtime = Builder::new_current_thread().build_local(Default::default()).unwrap();
    let here = std::thread::current().id();
    let ran = Rc::new(Cell::new(false));
    let (told, (sender, receiver)) = (ran.clone(), wasio::sync::oneshot::channel());
    runtime.spawn_local(async move {
        assert_eq!(std::thread::current().id(), here);
        told.set(true);
        sender.send(()).unwrap();
    });
    let handle = runtime.handle().clone();
    let other = std::thread::spawn(move || handle.block_on(receiver));
    std::thread::sleep(std::time::Duration::from_millis(50));
    assert!(!ran.get());
    runtime.block_on(yield_now());
    other.join().unwrap().unwrap();
    assert!(ran.get());
}
