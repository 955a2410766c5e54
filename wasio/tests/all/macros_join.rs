//! `join!`, `try_join!` and `pin!`.
#![forbid(unsafe_code)]

use std::cell::{Cell, RefCell};
use std::convert::Infallible;
use std::future::{Future, pending, poll_fn, ready};
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasio::task::yield_now;

#[wasio::test]
async fn outputs_in_the_order_of_the_futures() {
    let slow = async {
        yield_now().await;
        1
    };
    assert_eq!(wasio::join!(slow, async { "two" }, ready('3')), (1, "two", '3'));
    assert_eq!(wasio::join!(biased; ready(1), ready(2),), (1, 2));
    assert_eq!(wasio::join!(ready(1)), (1,));
}

#[wasio::test]
async fn of_nothing() {
    wasio::join!();
    wasio::join!(biased;);
    assert_eq!(wasio::try_join!() as Result<(), ()>, Ok(()));
    assert_eq!(wasio::try_join!(biased;) as Result<(), ()>, Ok(()));
}

#[wasio::test]
async fn try_join_returns_all_values_or_the_first_error() {
    let good = wasio::try_join!(ready(Ok::<_, &str>(1)), async { Ok("two") });
    assert_eq!(good, Ok((1, "two")));

    let dropped = Rc::new(Cell::new(false));
    struct OnDrop(Rc<Cell<bool>>);
    impl Drop for OnDrop {
        fn drop(&mut self) {
            self.0.set(true);
        }
    }
    let guard = OnDrop(dropped.clone());
    let bad = wasio::try_join!(
        async move {
            let _guard = guard;
            pending::<Result<(), &str>>().await
        },
        async {
            yield_now().await;
            Err::<(), _>("no")
        }
    );
    assert_eq!(bad, Err("no"));
    assert!(dropped.get());
}

#[wasio::test]
async fn try_join_with_an_error_that_cannot_be() {
    let result: Result<(u8, u8), Infallible> = wasio::try_join!(ready(Ok(1)), ready(Ok(2)));
    let Ok(both) = result;
    assert_eq!(both, (1, 2));
}

#[wasio::test]
async fn a_future_is_not_polled_after_it_was_done() {
    let polls = Cell::new(0);
    let once = poll_fn(|_| {
        polls.set(polls.get() + 1);
        Poll::Ready(())
    });
    wasio::join!(once, async {
        for _ in 0..5 {
            yield_now().await;
        }
    });
    assert_eq!(polls.get(), 1);
}

/// Polls `future` three times and returns which parts were polled, in order.
fn trace(order: &RefCell<String>, mut future: Pin<&mut dyn Future<Output = ()>>) -> String {
    for _ in 0..3 {
        let polled = future.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        assert!(polled.is_pending());
        order.borrow_mut().push(' ');
    }
    order.take()
}

#[test]
fn each_poll_begins_with_the_next_future_unless_biased() {
    let order = RefCell::new(String::new());
    let part = |c: char| {
        let order = &order;
        poll_fn(move |_| {
            order.borrow_mut().push(c);
            Poll::<Result<(), ()>>::Pending
        })
    };
    macro_rules! traced {
        ($join:ident!($($args:tt)*)) => {{
            let future = async { let _ = wasio::$join!($($args)*); };
            wasio::pin!(future);
            trace(&order, future)
        }};
    }
    assert_eq!(traced!(join!(part('a'), part('b'), part('c'))), "abc bca cab ");
    assert_eq!(traced!(try_join!(part('a'), part('b'))), "ab ba ab ");
    assert_eq!(traced!(join!(biased; part('a'), part('b'))), "ab ab ab ");
    assert_eq!(traced!(try_join!(biased; part('a'), part('b'))), "ab ab ab ");
}

#[wasio::test]
async fn may_borrow_and_is_send_if_its_futures_are() {
    fn is_send<T: Send>(t: T) -> T {
        t
    }
    let mut text = String::from("a");
    let both = is_send(async { wasio::join!(async { text.push('b') }, async { 1 }) }).await;
    assert_eq!(both, ((), 1));
    assert_eq!(text, "ab");
    is_send(async {
        wasio::select! { () = pending() => {} () = yield_now() => {} }
    })
    .await;
}

#[cfg(target_pointer_width = "64")]
#[test]
fn its_future_is_as_small_as_tokios() {
    let two = async {
        let (a, b) = (ready(0i32), ready(0i32));
        wasio::join!(a, b)
    };
    let biased = async {
        let (a, b) = (ready(0i32), ready(0i32));
        wasio::join!(biased; a, b)
    };
    assert!(size_of_val(&two) <= 48, "{}", size_of_val(&two));
    assert!(size_of_val(&biased) <= 40, "{}", size_of_val(&biased));
}

#[wasio::test]
async fn pins_variables_and_new_values() {
    let a = async { 1 };
    let b = async { 2 };
    wasio::pin!(a, b);
    assert_eq!(a.as_mut().await + b.as_mut().await, 3);
    wasio::pin! {
        let c = async { 3 };
        let d = &mut ready(4);
    }
    assert_eq!((&mut c).await + (&mut d).await, 7);
}
