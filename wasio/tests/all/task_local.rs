//! `task_local!`: which task sees a value, and for how long.

use std::cell::RefCell;
use std::future::{Future, pending};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasio::task::yield_now;

wasio::task_local! {
    /// Documented, and visible to others.
    pub static NUMBER: u32;
    static NAME: String
}

#[wasio::test]
async fn each_task_has_its_own_value() {
    let tasks: Vec<_> = (0..3)
        .map(|n| {
            wasio::spawn(NUMBER.scope(n, async move {
                for _ in 0..3 {
                    assert_eq!(NUMBER.get(), n);
                    yield_now().await;
                }
            }))
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    assert!(NUMBER.try_get().is_err());
}

#[wasio::test]
async fn scopes_nest_and_keys_are_independent() {
    NUMBER
        .scope(1, async {
            NUMBER.scope(2, async { assert_eq!(NUMBER.get(), 2) }).await;
            NAME.scope("n".to_owned(), async {
                assert_eq!((NUMBER.get(), NAME.get()), (1, "n".to_owned()));
            })
            .await;
            assert!(NAME.try_with(|_| ()).is_err());
            assert_eq!(NUMBER.sync_scope(3, || NUMBER.get()), 3);
            assert_eq!(NUMBER.get(), 1);
        })
        .await;
}

#[cfg(panic = "unwind")]
#[test]
fn a_panic_puts_the_outer_value_back() {
    NUMBER.sync_scope(1, || {
        let panicked = std::panic::catch_unwind(|| NUMBER.sync_scope(2, || panic!("out")));
        assert!(panicked.is_err());
        assert_eq!(NUMBER.get(), 1);
    });
}

#[test]
fn the_value_is_there_while_the_future_is_dropped() {
    struct Sees(Rc<RefCell<Vec<u32>>>);
    impl Drop for Sees {
        fn drop(&mut self) {
            self.0.borrow_mut().push(NUMBER.get());
        }
    }
    let seen = Rc::new(RefCell::new(Vec::new()));
    let (a, b, c) = (Sees(seen.clone()), Sees(seen.clone()), Sees(seen.clone()));
    drop(NUMBER.scope(1, async move {
        let _a = a;
        pending::<()>().await
    }));
    let mut cx = Context::from_waker(Waker::noop());
    {
        let done = pin!(NUMBER.scope(2, async move { drop(b) }));
        assert!(done.poll(&mut cx).is_ready());
    }
    {
        let waiting = pin!(NUMBER.scope(3, async move {
            let _c = c;
            pending::<()>().await
        }));
        assert!(waiting.poll(&mut cx).is_pending());
    }
    assert_eq!(*seen.borrow(), [1, 2, 3]);
}

#[test]
fn a_taken_value_is_gone() {
    let mut future = pin!(NUMBER.scope(5, async { NUMBER.try_get() }));
    assert!(format!("{future:?}").contains('5'));
    assert_eq!(future.as_mut().take_value(), Some(5));
    assert_eq!(future.as_mut().take_value(), None);
    assert!(format!("{future:?}").contains("<missing>"));
    let polled = future.poll(&mut Context::from_waker(Waker::noop()));
    let Poll::Ready(Err(error)) = polled else { panic!("{polled:?}") };
    assert_eq!(error.to_string(), "task-local value not set");
}

#[test]
#[should_panic(expected = "cannot access a task-local storage value without setting it first")]
fn get_outside_of_a_scope() {
    NUMBER.get();
}

#[test]
#[should_panic(
    expected = "cannot enter a task-local scope while the task-local storage is borrowed"
)]
fn scope_inside_of_with() {
    NUMBER.sync_scope(1, || NUMBER.with(|_| NUMBER.sync_scope(2, || ())));
}

#[test]
#[should_panic(expected = "`TaskLocalFuture` polled after completion")]
fn polled_after_completion() {
    let mut future = pin!(NUMBER.scope(1, async {}));
    let mut cx = Context::from_waker(Waker::noop());
    assert!(future.as_mut().poll(&mut cx).is_ready());
    let _ = future.poll(&mut cx);
}
