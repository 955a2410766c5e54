//! `select!`: which branch wins, what happens to the others, and the syntax that it accepts.
#![forbid(unsafe_code)]

use std::cell::Cell;
use std::future::{Future, IntoFuture, pending, poll_fn, ready};
use std::pin::pin;
use std::rc::Rc;
use std::task::{Context, Poll, Waker};

use wasio::task::yield_now;

fn poll_once<F: Future>(future: F) -> Poll<F::Output> {
    pin!(future).poll(&mut Context::from_waker(Waker::noop()))
}

/// Counts the times that it is dropped.
struct OnDrop(Rc<Cell<u32>>);

impl Drop for OnDrop {
    fn drop(&mut self) {
        self.0.set(self.0.get() + 1);
    }
}

#[wasio::test]
async fn handlers_are_expressions_or_blocks_with_or_without_comma() {
    assert_eq!(wasio::select! { a = async { 1 } => a }, 1);
    assert_eq!(wasio::select! { a = async { 1 } => a, }, 1);
    assert_eq!(wasio::select! { a = async { 1 } => { a } }, 1);
    assert_eq!(wasio::select! { a = async { 1 } => { a }, }, 1);
    let two = wasio::select! {
        () = pending() => 1,
        a = async { 2 } => { a }
        () = pending(), if true => { 3 }
        () = pending(), if true => 4,
        else => 5
    };
    assert_eq!(two, 2);
}

#[wasio::test]
async fn generics_with_commas_need_no_parentheses() {
    fn pair<A: Default, B: Default>() -> (A, B) {
        Default::default()
    }
    let got = wasio::select! {
        (a, b) = async { pair::<u8, u16>() }, if pair::<bool, u8>().1 == 0 => pair::<u8, u16>() == (a, b),
        else => false,
    };
    assert!(got);
}

#[wasio::test]
async fn only_else() {
    assert_eq!(wasio::select! { else => 5 }, 5);
    assert_eq!(wasio::select! { biased; else => 6, }, 6);
}

#[wasio::test]
async fn a_pattern_that_does_not_match_disables_the_branch() {
    let got = wasio::select! {
        biased;
        Some(n) = async { None::<u32> } => n,
        Ok::<u32, ()>(n @ 1..=5) = async { yield_now().await; Ok(7) } => n,
        [first, .., last] = async { yield_now().await; yield_now().await; [1, 2, 3] } => first + last,
    };
    assert_eq!(got, 4);
    let got = wasio::select! {
        Some(()) = async { None } => 1,
        Err(()) | Ok(false) = async { Ok(true) } => 2,
        else => 3,
    };
    assert_eq!(got, 3);
}

#[wasio::test]
async fn a_disabled_branch_is_not_polled_again() {
    let polls = Cell::new(0);
    let once = poll_fn(|_| {
        polls.set(polls.get() + 1);
        Poll::Ready(None::<u32>)
    });
    let got = wasio::select! {
        Some(n) = once => n,
        n = async { for _ in 0..5 { yield_now().await } 9 } => n,
    };
    assert_eq!((got, polls.get()), (9, 1));
}

#[wasio::test]
#[should_panic(expected = "all branches are disabled and there is no else branch")]
async fn no_branch_left_and_no_else() {
    wasio::select! {
        Some(()) = async { None } => {}
        () = async {}, if false => {}
    }
}

#[wasio::test]
async fn conditions_are_evaluated_once_and_the_future_in_any_case() {
    let (conditions, futures) = (Cell::new(0), Cell::new(0));
    let make = || {
        futures.set(futures.get() + 1);
        async { panic!("a disabled branch was polled") }
    };
    wasio::select! {
        () = make(), if { conditions.set(conditions.get() + 1); false } => {}
        () = async { yield_now().await; yield_now().await } => {}
    }
    assert_eq!((conditions.get(), futures.get()), (1, 1));
}

#[wasio::test]
async fn bindings_may_be_mut_and_ref() {
    let got = wasio::select! {
        Some(mut s) = async { Some("a".to_owned()) } => { s.push('b'); s }
    };
    assert_eq!(got, "ab");
    wasio::select! { Some(ref s) = async { Some("a".to_owned()) } => assert_eq!(*s, "a") }
    wasio::select! {
        Some(ref mut s) = async { Some("a".to_owned()) } => { s.push('c'); assert_eq!(s, "ac") }
    }
    struct P {
        x: String,
        y: u8,
    }
    let got = wasio::select! {
        P { mut x, y: mut z @ 0..=9 } = async { P { x: "p".to_owned(), y: 3 } } => {
            x.push('!');
            z += 1;
            (x, z)
        }
        else => unreachable!()
    };
    assert_eq!(got, ("p!".to_owned(), 4));
}

#[wasio::test]
async fn the_losers_are_dropped_before_the_handler_runs() {
    let drops = Rc::new(Cell::new(0));
    let guard = |drops: &Rc<Cell<u32>>| OnDrop(drops.clone());
    let (a, b, c) = (guard(&drops), guard(&drops), guard(&drops));
    wasio::select! {
        biased;
        () = async { let _a = a; pending().await } => unreachable!(),
        () = async { let _b = b; } => assert_eq!(drops.get(), 3),
        () = async { let _c = c; pending().await } => unreachable!(),
    }
}

#[wasio::test]
async fn handlers_may_use_what_other_branches_borrowed() {
    async fn uses(value: &mut i32) {
        let _ = value;
        pending().await
    }
    let mut value = 1;
    wasio::select! {
        () = uses(&mut value) => {}
        () = ready(()) => value += 1,
    }
    assert_eq!(value, 2);
}

#[wasio::test]
async fn handlers_may_await_return_break_and_propagate() {
    async fn returns() -> Result<u32, String> {
        loop {
            wasio::select! {
                n = async { 1 } => {
                    yield_now().await;
                    let n: u32 = format!("{n}0").parse().map_err(|_| "no number".to_owned())?;
                    if n == 10 { break }
                }
            }
        }
        wasio::select! { () = async {} => return Err("out".to_owned()), () = pending() => {} }
        Ok(0)
    }
    assert_eq!(returns().await, Err("out".to_owned()));
}

#[wasio::test]
async fn futures_outside_go_on() {
    let steps = Cell::new(0);
    let work = async {
        for _ in 0..10 {
            steps.set(steps.get() + 1);
            yield_now().await;
        }
        "done"
    };
    wasio::pin!(work);
    let mut rounds = 0;
    let result = loop {
        wasio::select! {
            biased;
            result = &mut work => break result,
            () = yield_now() => rounds += 1,
        }
    };
    assert_eq!((result, steps.get()), ("done", 10));
    assert!(rounds > 2, "{rounds}");
}

#[wasio::test]
async fn nested() {
    let got = wasio::select! {
        x = async {
            wasio::select! { y = async { 1 } => y + 1, () = pending() => 0 }
        } => wasio::select! { z = async { 10 } => x + z },
    };
    assert_eq!(got, 12);
}

#[wasio::test]
async fn takes_what_turns_into_a_future_and_keeps_temporaries() {
    struct Later(u8);
    impl IntoFuture for Later {
        type Output = u8;
        type IntoFuture = std::future::Ready<u8>;
        fn into_future(self) -> Self::IntoFuture {
            ready(self.0)
        }
    }
    assert_eq!(wasio::select! { n = Later(4) => n }, 4);
    assert_eq!(wasio::select! { n = &mut ready(5) => n }, 5);
}

#[wasio::test]
async fn an_output_may_be_uninhabited() {
    async fn never() -> ! {
        pending().await
    }
    let got = wasio::select! {
        _ = never() => 0,
        n = async { 1 } => n,
    };
    assert_eq!(got, 1);
}

#[wasio::test]
async fn biased_goes_from_top_to_bottom() {
    for _ in 0..100 {
        let first = wasio::select! {
            biased;
            () = pending() => 0,
            () = ready(()) => 1,
            () = ready(()) => 2,
        };
        assert_eq!(first, 1);
    }
}

#[wasio::test]
async fn unbiased_begins_everywhere() {
    let mut wins = [0; 3];
    for _ in 0..600 {
        let winner = wasio::select! {
            () = ready(()) => 0,
            () = ready(()) => 1,
            () = ready(()) => 2,
        };
        wins[winner] += 1;
    }
    assert!(wins.iter().all(|&n| n > 100), "{wins:?}");
}

#[test]
fn a_spent_budget_makes_it_yield() {
    // A budget exists only inside a task.
    let runtime = wasio::runtime::Builder::new_current_thread().build().unwrap();
    runtime.block_on(async {
        for _ in 0..128 {
            wasio::task::coop::consume_budget().await;
        }
        let polled = poll_once(async {
            wasio::select! { () = ready(()) => {} }
        });
        assert!(polled.is_pending());
    });
}

#[cfg(target_pointer_width = "64")]
#[test]
fn its_future_is_as_small_as_tokios() {
    let one = async {
        let a = ready(0i32);
        wasio::select! { _ = a => {} }
    };
    let three = async {
        let (a, b, c) = (ready(0i32), ready(0i32), ready(0i32));
        wasio::select! { _ = a => {} _ = b => {} _ = c => {} }
    };
    assert!(size_of_val(&one) <= 32, "{}", size_of_val(&one));
    assert!(size_of_val(&three) <= 48, "{}", size_of_val(&three));
}

#[wasio::test]
async fn sixty_four_branches() {
    let mut seen = 0u64;
    macro_rules! all {
        ($($n:literal)*) => {
            wasio::select! { $( n = ready($n), if seen & (1 << $n) == 0 => n, )* else => 64u32 }
        };
    }
    for _ in 0..64 {
        let n = all!(0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
            32 33 34 35 36 37 38 39 40 41 42 43 44 45 46 47 48 49 50 51 52 53 54 55 56 57 58 59 60 61 62 63);
        seen |= 1 << n;
    }
    assert_eq!(seen, u64::MAX);
}
