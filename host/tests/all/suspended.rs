//! The cases that any layer which suspends calls must survive, by their numbers.

use std::future::{pending, poll_fn};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::{Context, Poll, Waker};
use std::time::Duration;

use tokio::sync::Notify;
use wasio_host::prelude::*;
use wasio_host::wasmtime;

use crate::imports::{
    Count, GUEST, Guard, an_async_closure_is_an_import, imports, instance, library,
};
use crate::support::*;

/// Waits until it is told, or for ever; counts its calls and its drops.
fn waiting(told: &Arc<Notify>) -> (Imports, Count, Count) {
    let (calls, drops) = (Count::default(), Count::default());
    let env = (told.clone(), calls.clone(), drops.clone());
    let mut imports = imports();
    let f = async |(told, calls, drops): (Arc<Notify>, Count, Count), n: i32| {
        calls.add();
        let _guard = Guard(drops);
        told.notified().await;
        n
    };
    imports.wrap_async_with_env("env", "f", env, f).unwrap();
    (imports, calls, drops)
}

/// Polls once.
fn poll<F: Future>(future: std::pin::Pin<&mut F>) -> Poll<F::Output> {
    future.poll(&mut Context::from_waker(Waker::noop()))
}

/// Polls until the import was called `n` times: a tick of the clock may make the guest yield before.
fn poll_until<F: Future>(mut call: std::pin::Pin<&mut F>, calls: &Count, n: usize) {
    for _ in 0..1000 {
        assert!(poll(call.as_mut()).is_pending());
        if calls.get() == n {
            return;
        }
    }
    panic!("the import was called {} times", calls.get());
}

#[test]
fn case_01_a_call_is_dropped() {
    let told = Arc::new(Notify::new());
    runtime().block_on(async {
        // Before it was polled: nothing has happened.
        let (imports, calls, drops) = waiting(&told);
        let mut instance = instance(&imports, GUEST).await;
        drop(instance.call_async::<i32, i32>("run", 1));
        assert_eq!((calls.get(), drops.get()), (0, 0));
        told.notify_one();
        assert_eq!(instance.call_async::<i32, i32>("run", 1).await.unwrap(), 1);
        assert_eq!((calls.get(), drops.get()), (1, 1));
        // While it waits: the import's future is dropped, once.
        {
            let mut call = pin!(instance.call_async::<i32, i32>("run", 2));
            poll_until(call.as_mut(), &calls, 2);
            assert_eq!(drops.get(), 1);
        }
        assert_eq!((calls.get(), drops.get()), (2, 2));
    });
    runtime().block_on(async {
        // After it was woken, before it was polled again.
        let (imports, calls, drops) = waiting(&told);
        let mut instance = instance(&imports, GUEST).await;
        {
            let mut call = pin!(instance.call_async::<i32, i32>("run", 2));
            poll_until(call.as_mut(), &calls, 1);
            told.notify_one();
        }
        assert_eq!(drops.get(), 1);
    });
    // The runtime ends while it waits.
    let (imports, calls, drops) = waiting(&Arc::new(Notify::new()));
    let ended = runtime();
    let mut instance = ended.block_on(instance(&imports, GUEST));
    ended.spawn(async move { instance.call_async::<i32, i32>("run", 2).await });
    while calls.get() == 0 {
        ended.block_on(tokio::task::yield_now());
    }
    assert_eq!((calls.get(), drops.get()), (1, 0));
    drop(ended);
    assert_eq!((calls.get(), drops.get()), (1, 1));
}

#[test]
fn case_02_a_cancelled_guest_does_not_suspend_again() {
    let text = r#"(module (import "env" "f" (func $f (param i32) (result i32)))
        (func (export "run") (param i32) (result i32) (loop (drop (call $f (i32.const 1))) (br 0)) unreachable))"#;
    runtime().block_on(async {
        let (imports, calls, drops) = waiting(&Arc::new(Notify::new()));
        let mut instance = instance(&imports, text).await;
        poll_until(pin!(instance.call_async::<i32, i32>("run", 2)), &calls, 1);
        assert_eq!((calls.get(), drops.get()), (1, 1));
    });
}

#[test]
fn case_03_a_cancelled_instance_is_poisoned() {
    runtime().block_on(async {
        let told = Arc::new(Notify::new());
        let (imports, calls, _) = waiting(&told);
        let mut cancelled = instance(&imports, GUEST).await;
        let mut other = instance(&imports, GUEST).await;
        poll_until(pin!(cancelled.call_async::<i32, i32>("run", 2)), &calls, 1);
        // It was unwound in the middle: no way leads into it again.
        for _ in 0..2 {
            let error = cancelled.call_async::<i32, i32>("run", 2).await.unwrap_err();
            assert!(matches!(error, Error::Poisoned), "{error}");
            let error = cancelled.call::<i32, i32>("twice", 2).unwrap_err();
            assert!(matches!(error, Error::Poisoned), "{error}");
        }
        assert_eq!(calls.get(), 1);
        // Nobody else is touched.
        told.notify_one();
        assert_eq!(other.call_async::<i32, i32>("run", 5).await.unwrap(), 5);
        assert_eq!(other.call::<i32, i32>("twice", 5).unwrap(), 10);
    });
}

#[test]
fn case_04_it_ends_badly_after_a_resume() {
    async fn after_resume(f: fn(i32) -> wasmtime::Result<i32>) -> Instance {
        let mut own = imports();
        let f = move |n: i32| async move {
            tokio::task::yield_now().await;
            f(n)
        };
        own.wrap_async("env", "f", f).unwrap();
        instance(&own, GUEST).await
    }
    runtime().block_on(async {
        let mut trapped = after_resume(Ok).await;
        let error = trapped.call_async::<i32, ()>("run_and_trap", 1).await.unwrap_err();
        assert!(error.to_string().contains("unreachable"), "{error}");
        assert!(matches!(trapped.call::<i32, i32>("twice", 1), Err(Error::Poisoned)));

        let mut failed = after_resume(|_| Err(wasmtime::Error::msg("out of luck"))).await;
        let error = failed.call_async::<i32, i32>("run", 1).await.unwrap_err();
        assert!(error.to_string().contains("out of luck"), "{error}");
    });
    let panicked = catch_unwind(|| {
        runtime().block_on(async {
            let mut instance = after_resume(|_| panic!("the host's own fault")).await;
            instance.call_async::<i32, i32>("run", 1).await
        })
    });
    let panicked = panicked.unwrap_err();
    assert_eq!(*panicked.downcast_ref::<&str>().unwrap(), "the host's own fault");
    // The engine is as good as before.
    an_async_closure_is_an_import();
}

#[test]
fn case_05_a_panic_when_the_import_is_dropped() {
    struct Loud;
    impl Drop for Loud {
        fn drop(&mut self) {
            panic!("while it was dropped");
        }
    }
    runtime().block_on(async {
        let mut own = imports();
        let calls = Count::default();
        let f = async |calls: Count, _: i32| {
            let _loud = Loud;
            calls.add();
            pending::<i32>().await
        };
        own.wrap_async_with_env("env", "f", calls.clone(), f).unwrap();
        let mut instance = instance(&own, GUEST).await;
        let dropped = catch_unwind(AssertUnwindSafe(|| {
            poll_until(pin!(instance.call_async::<i32, i32>("run", 1)), &calls, 1);
        }));
        assert!(dropped.is_err());
        assert!(matches!(instance.call::<i32, i32>("twice", 1), Err(Error::Poisoned)));
    });
    an_async_closure_is_an_import();
}

#[test]
fn case_06_the_stack_overflows() {
    runtime().block_on(async {
        let mut own = imports();
        own.wrap("env", "f", |n: i32| n).unwrap();
        let mut instance = instance(&own, GUEST).await;
        let error = instance.call_async::<i32, i32>("deep", 0).await.unwrap_err();
        assert!(error.to_string().contains("stack"), "{error}");
    });
}

#[test]
fn case_07_calls_within_calls() {
    runtime().block_on(async {
        let mut own = imports();
        own.wrap_async_with_caller("env", "f", |mut caller, (n,): (i32,)| {
            Box::new(async move {
                tokio::task::yield_now().await;
                match n {
                    0 => 0,
                    n => caller.call_async::<i32, i32>("run", n - 1).await.unwrap() + 1,
                }
            })
        })
        .unwrap();
        let mut one = instance(&own, GUEST).await;
        let mut other = instance(&own, GUEST).await;
        let both = tokio::join!(
            one.call_async::<i32, i32>("run", 5),
            other.call_async::<i32, i32>("run", 3)
        );
        assert_eq!((both.0.unwrap(), both.1.unwrap()), (5, 3));
    });
}

#[test]
fn case_08_an_async_import_where_nothing_can_wait() {
    let told = Arc::new(Notify::new());
    runtime().block_on(async {
        let (own, _, drops) = waiting(&told);
        let mut instance_of_waiting = instance(&own, GUEST).await;
        told.notify_one();
        assert_eq!(instance_of_waiting.call::<i32, i32>("run", 8).unwrap(), 8);
        let error = instance_of_waiting.call::<i32, i32>("run", 8).unwrap_err();
        assert!(error.to_string().contains("use `call_async`"), "{error}");
        assert_eq!(drops.get(), 2);
        let error = instance_of_waiting.call::<i32, i32>("twice", 8).unwrap_err();
        assert!(matches!(error, Error::Poisoned), "{error}");

        // A start function may wait.
        let text = r#"(module (import "env" "f" (func $f (param i32) (result i32)))
            (global $g (mut i32) (i32.const 0))
            (func $start (global.set $g (call $f (i32.const 5)))) (start $start)
            (func (export "get") (result i32) (global.get $g)))"#;
        let mut imports = imports();
        let f = async |n: i32| {
            tokio::time::sleep(Duration::from_millis(1)).await;
            n
        };
        imports.wrap_async("env", "f", f).unwrap();
        assert_eq!(instance(&imports, text).await.call::<(), i32>("get", ()).unwrap(), 5);
    });
}

#[test]
fn case_09_resumed_on_another_thread() {
    thread_local!(static HERE: AtomicUsize = const { AtomicUsize::new(0) });
    let mut own = imports();
    let calls = Count::default();
    let f = async |calls: Count, n: i32| {
        calls.add();
        HERE.with(|here| here.fetch_add(1, SeqCst));
        let mut polls = 0;
        poll_fn(|_| {
            polls += 1;
            if polls < 3 { Poll::Pending } else { Poll::Ready(()) }
        })
        .await;
        n + HERE.with(|here| here.load(SeqCst)) as i32
    };
    own.wrap_async_with_env("env", "f", calls.clone(), f).unwrap();
    let mut instance = runtime().block_on(instance(&own, GUEST));
    let mut call = Box::pin(async move { instance.call_async::<i32, i32>("run", 10).await });
    let runtime = runtime();
    let _entered = runtime.enter();
    poll_until(call.as_mut(), &calls, 1);
    let handle = runtime.handle().clone();
    let result = std::thread::spawn(move || {
        let _entered = handle.enter();
        (0..1000).find_map(|_| match poll(call.as_mut()) {
            Poll::Ready(result) => Some(result),
            Poll::Pending => None,
        })
    });
    // The import saw its own thread's counter each time: 1 here, 0 there.
    assert!(matches!(result.join().unwrap(), Some(Ok(10))));
}

#[test]
fn case_10_a_guest_that_never_yields() {
    runtime().block_on(async {
        let mut own = imports();
        own.wrap("env", "f", |n: i32| n).unwrap();
        let limit = Duration::from_millis(100);
        let guest = Guest::builder(&library(&own, GUEST)).timeout(limit).build().unwrap();
        let mut instance = guest.instantiate().await.unwrap();
        let mut ticks = 0;
        let mut others = tokio::time::interval(Duration::from_millis(5));
        let error = {
            let mut spin = pin!(instance.call_async::<(), ()>("spin", ()));
            loop {
                tokio::select! {
                    result = &mut spin => break result.unwrap_err(),
                    _ = others.tick() => ticks += 1,
                }
            }
        };
        assert!(matches!(error, Error::TimedOut(_)), "{error}");
        assert!(ticks >= 3, "others ran {ticks} times");
        assert!(matches!(instance.call::<i32, i32>("twice", 1), Err(Error::Poisoned)));
    });
}

/// Calls the import `n` times, computing in between, and adds up what it returns.
const SUM: &str = r#"(module (import "env" "f" (func $f (param i32) (result i32)))
    (func (export "sum") (param $n i32) (result i32) (local $sum i32) (local $i i32)
        (loop $again
            (local.set $sum (i32.add (local.get $sum) (call $f (local.get $n))))
            (local.set $i (i32.and (i32.mul (local.get $n) (i32.const 37)) (i32.const 127)))
            (loop $work (br_if $work (i32.gt_s
                (local.tee $i (i32.sub (local.get $i) (i32.const 1))) (i32.const 0))))
            (local.set $n (i32.sub (local.get $n) (i32.const 1)))
            (br_if $again (local.get $n)))
        (local.get $sum)))"#;

/// Another thread completes the imports, some at once, while the guest yields after every few instructions.
#[test]
fn case_10_a_fuel_yield_races_an_import() {
    const CALLS: i32 = 2000;
    let engine = Engine::builder().no_cache().meter_fuel().build().unwrap();
    type Question = (i32, tokio::sync::oneshot::Sender<i32>);
    let (ask, asked) = std::sync::mpsc::channel::<Question>();
    let other = std::thread::spawn(move || {
        for (n, answer) in asked {
            if n % 64 == 0 {
                std::thread::yield_now();
            }
            let _ = answer.send(n);
        }
    });
    let drops = Count::default();
    let mut own = Imports::new(&engine);
    let env = (ask, drops.clone());
    own.wrap_async_with_env(
        "env",
        "f",
        env,
        async |(ask, drops): (std::sync::mpsc::Sender<Question>, Count), n: i32| {
            let _guard = Guard(drops);
            if n % 3 == 0 {
                return n;
            }
            let (answer, answered) = tokio::sync::oneshot::channel();
            ask.send((n, answer)).unwrap();
            answered.await.unwrap()
        },
    )
    .unwrap();
    let program = Program::with_imports(&engine, &wat::parse_str(SUM).unwrap(), &own).unwrap();
    drop(own);
    let mut burnt = Vec::new();
    for slice in [1, 7, 100] {
        let guest = Guest::builder(&program).yield_after_fuel(slice).timeout(LIMIT);
        let sum = runtime().block_on(async {
            let mut instance = guest.build().unwrap().instantiate().await.unwrap();
            let sum = instance.call_async::<i32, i32>("sum", CALLS).await.unwrap();
            burnt.push(instance.stats().snapshot().fuel);
            sum
        });
        assert_eq!(sum, CALLS * (CALLS + 1) / 2);
    }
    assert_eq!(drops.get(), 3 * CALLS as usize);
    assert!(burnt.iter().all(|fuel| *fuel == burnt[0]), "{burnt:?}");
    // Out of fuel on the way: the import that had returned is gone, and is not called again.
    let guest = Guest::builder(&program).fuel(burnt[0] / 2).yield_after_fuel(7).build().unwrap();
    let error = runtime().block_on(async {
        guest.instantiate().await.unwrap().call_async::<i32, i32>("sum", CALLS).await.unwrap_err()
    });
    assert!(matches!(error, Error::OutOfFuel), "{error}");
    assert!((3 * CALLS as usize..4 * CALLS as usize).contains(&drops.get()));
    drop(program);
    other.join().unwrap();
}

#[test]
fn case_11_wakers_come_and_go() {
    let told = Arc::new(Notify::new());
    runtime().block_on(async {
        let (imports, calls, _) = waiting(&told);
        let mut instance = instance(&imports, GUEST).await;
        let mut call = pin!(instance.call_async::<i32, i32>("run", 6));
        poll_until(call.as_mut(), &calls, 1);
        let (first, last) = (Arc::new(Count::default()), Arc::new(Count::default()));
        // Polled though nobody woke it, and by different tasks: the last one is woken.
        for waker in [&first, &first, &last] {
            let waker = Waker::from(waker.clone());
            assert!(call.as_mut().poll(&mut Context::from_waker(&waker)).is_pending());
        }
        told.notify_one();
        assert_eq!((first.get(), last.get(), calls.get()), (0, 1, 1));
        let result = tokio::time::timeout(LIMIT, call).await;
        assert!(matches!(result, Ok(Ok(6))), "{result:?}");
        // After its end nobody is woken.
        told.notify_one();
        assert_eq!(last.get(), 1);
    });
}

#[test]
fn case_13_the_memory_grows_while_a_call_is_suspended() {
    runtime().block_on(async {
        let mut own = imports();
        own.wrap_async_with_caller("env", "f", |mut caller, (at,): (i32,)| {
            Box::new(async move {
                let before = caller.memory().unwrap().len();
                assert_eq!(caller.call_async::<(), i32>("grow", ()).await.unwrap(), 1);
                tokio::task::yield_now().await;
                let memory = caller.memory().unwrap();
                memory[before + at as usize] = 9;
                (memory.len() - before) as i32
            })
        })
        .unwrap();
        let mut instance = instance(&own, GUEST).await;
        assert_eq!(instance.call_async::<i32, i32>("run", 100).await.unwrap(), 65536);
        assert_eq!(instance.memory().unwrap()[65536 + 100], 9);
    });
}
