//! What ends a guest, and what it may use up.

use std::time::{Duration, Instant};

use wasio_host::{Engine, Error, Guest, GuestBuilder, Program};

use crate::support::*;

const SPIN: &str = r#"(module (func (export "_start") (loop br 0)))"#;

#[test]
fn a_guest_that_never_yields_is_timed_out() {
    let start = Instant::now();
    let program = wat(SPIN);
    let guest = Guest::builder(&program).timeout(Duration::from_millis(100));
    match run(guest) {
        Err(Error::TimedOut(limit)) => assert_eq!(limit, Duration::from_millis(100)),
        other => panic!("{other:?}"),
    }
    assert!(start.elapsed() < Duration::from_secs(20));
}

#[test]
fn dropping_a_waiting_guest_closes_its_sockets() {
    let port = peer(|mut stream| {
        use std::io::Read as _;
        // The end, or a reset: closed either way.
        assert!(matches!(stream.read(&mut [0; 64]), Ok(0) | Err(_)));
    });
    let guest = guest(&["timeouts", &port]).timeout(Duration::from_millis(20));
    assert!(matches!(run(guest), Err(Error::TimedOut(_))));
}

#[test]
fn exit_codes_are_passed_through() {
    for code in [0, 1, 42, 126, 255, -1] {
        let program = wat(&format!(
            r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
                (memory (export "memory") 1)
                (func (export "_start") (call $exit (i32.const {code})) unreachable))"#
        ));
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), code);
    }
}

#[test]
fn a_trap_names_the_functions() {
    let program = wat(r#"(module
            (func $_ZN4core9panicking5panic17h0123456789abcdefE (drop (i32.load (i32.const -1))))
            (func $caller (call $_ZN4core9panicking5panic17h0123456789abcdefE))
            (memory 1)
            (func $_start (export "_start") (call $caller)))"#);
    let Err(Error::Trap(trap)) = run(Guest::builder(&program)) else { panic!("no trap") };
    assert_eq!(trap.frames(), ["core::panicking::panic", "caller", "_start"]);
    assert!(trap.reason().contains("out of bounds memory access"), "{trap}");
}

#[test]
fn endless_recursion_is_a_trap() {
    let program = wat(r#"(module (func $f (export "_start") (call $f) (call $f)))"#);
    let Err(Error::Trap(trap)) = run(Guest::builder(&program)) else { panic!("no trap") };
    assert!(trap.reason().contains("stack"), "{trap}");
}

#[test]
fn a_trap_while_starting_is_a_trap() {
    let program =
        wat(r#"(module (func $init unreachable) (start $init) (func (export "_start")))"#);
    assert!(matches!(run(Guest::builder(&program)), Err(Error::Trap(_))));
}

/// Burns fuel as long as it is told: `n` rounds.
const BURN: &str = r#"(module (func (export "burn") (param $n i32) (loop $again
    (local.set $n (i32.sub (local.get $n) (i32.const 1)))
    (br_if $again (local.get $n)))))"#;

#[test]
fn fuel_is_the_same_for_the_same_work() {
    let engine = Engine::builder().no_cache().meter_fuel().build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(BURN).unwrap()).unwrap();
    runtime().block_on(async {
        let burn = async |n: i32, guest: GuestBuilder| {
            let mut instance = guest.build().unwrap().instantiate().await.unwrap();
            let result = instance.call_async::<i32, ()>("burn", n).await;
            let again = instance.call_async::<i32, ()>("burn", 1).await;
            (result, again, instance.stats().snapshot().fuel)
        };
        let (result, _, small) = burn(1000, Guest::builder(&program)).await;
        result.unwrap();
        assert!((1000..20_000).contains(&small), "{small}");
        // Yielding, being interrupted and the time of day cost nothing.
        for slice in [1, 10, 1_000_000] {
            let guest = Guest::builder(&program).yield_after_fuel(slice).timeout(LIMIT);
            assert_eq!(burn(1000, guest).await.2, small, "{slice}");
        }
        let (_, _, large) = burn(1_000_000, Guest::builder(&program)).await;
        assert!(large > 500 * small, "{large}");
        // Just enough, for all calls together; one less is too little.
        let (result, again, burnt) = burn(1000, Guest::builder(&program).fuel(small)).await;
        assert_eq!((result.is_ok(), again.is_ok(), burnt), (true, true, small));
        let (result, again, _) = burn(1000, Guest::builder(&program).fuel(small / 2)).await;
        assert!(matches!(result, Err(Error::OutOfFuel)), "{result:?}");
        assert!(matches!(again, Err(Error::Poisoned)), "{again:?}");
    });
}

#[test]
fn fuel_takes_an_engine_that_meters_it() {
    let program = wat(SPIN);
    for guest in [Guest::builder(&program).fuel(1), Guest::builder(&program).yield_after_fuel(1)] {
        assert!(matches!(guest.build(), Err(Error::NotMetered)));
    }
}
