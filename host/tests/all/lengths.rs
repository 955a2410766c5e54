//! Calls whose length the guest chooses: they take turns with others, burn fuel, and move everything.

use wasio_host::{Engine, Error, Guest, Program};

use crate::support::*;

const PREVIEW1: &str = "wasi_snapshot_preview1";

/// `code` leaves an exit code on the stack.
fn module(pages: u32, items: &str, code: &str) -> String {
    format!(
        r#"(module
            (import "{PREVIEW1}" "random_get" (func $random (param i32 i32) (result i32)))
            (import "{PREVIEW1}" "fd_read" (func $read (param i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "fd_pread" (func $pread (param i32 i32 i32 i64 i32) (result i32)))
            (import "{PREVIEW1}" "fd_pwrite" (func $pwrite (param i32 i32 i32 i64 i32) (result i32)))
            (import "{PREVIEW1}" "fd_seek" (func $seek (param i32 i64 i32 i32) (result i32)))
            (import "{PREVIEW1}" "path_open"
                (func $open (param i32 i32 i32 i32 i32 i64 i64 i32 i32) (result i32)))
            (import "{PREVIEW1}" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") {pages})
            {items}
            (func $check (param $is i32) (param $right i32) (param $code i32)
                (if (i32.ne (local.get $is) (local.get $right)) (then (call $exit (local.get $code)))))
            (func (export "_start") {code} (call $exit (i32.const 0))))"#
    )
}

const RANDOM: u32 = 16 << 20;

fn random() -> String {
    let code = format!(
        "(call $check (call $random (i32.const 0) (i32.const {RANDOM})) (i32.const 0) (i32.const 1))
         ;; The last bytes are random, too: eight are zero once in 2^64 times.
         (call $check (i64.eqz (i64.load (i32.const {last}))) (i32.const 0) (i32.const 2))
         (call $check (call $random (i32.const 1000) (i32.const -1)) (i32.const 21) (i32.const 3))
         (call $check (i64.eqz (i64.load (i32.const {RANDOM}))) (i32.const 1) (i32.const 4))",
        last = RANDOM - 8,
    );
    module(257, "", &code)
}

#[test]
fn many_random_bytes_take_turns() {
    let guest = Guest::builder(&wat(&random())).build().unwrap();
    let stats = guest.stats();
    assert_eq!(runtime().block_on(guest.run()).unwrap().code(), 0);
    let stats = stats.snapshot();
    assert!(stats.suspensions >= 100, "{stats:?}");
}

#[test]
fn random_bytes_burn_fuel() {
    let engine = Engine::builder().no_cache().meter_fuel().build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(random()).unwrap()).unwrap();
    let run = |fuel| {
        let guest = Guest::builder(&program).fuel(fuel).build().unwrap();
        let stats = guest.stats();
        (runtime().block_on(guest.run()), stats.snapshot().fuel)
    };
    let (exit, burnt) = run(u64::from(RANDOM) + 10_000);
    assert_eq!(exit.unwrap().code(), 0);
    assert!(burnt >= RANDOM.into(), "{burnt}");
    let (exit, _) = run(u64::from(RANDOM) / 2);
    assert!(matches!(exit, Err(Error::OutOfFuel)), "{exit:?}");
}

/// Asks for so many random bytes and exits with 0 if it gets them.
fn component(interface: &str, function: &str, len: u64) -> String {
    format!(
        r#"(component
            (import "wasi:random/{interface}@0.2.0" (instance $random
                (export "{function}" (func (param "len" u64) (result (list u8))))))
            (core module $libc
                (memory (export "memory") 1)
                (func (export "realloc") (param i32 i32 i32 i32) (result i32)
                    (drop (memory.grow (i32.add (i32.shr_u (local.get 3) (i32.const 16)) (i32.const 1))))
                    (i32.const 65536)))
            (core instance $libc (instantiate $libc))
            (core func $get (canon lower (func $random "{function}")
                (memory $libc "memory") (realloc (func $libc "realloc"))))
            (core module $main
                (import "libc" "memory" (memory 1))
                (import "libc" "get" (func $get (param i64 i32)))
                (func (export "run") (result i32)
                    (call $get (i64.const {len}) (i32.const 0))
                    (i32.or
                        (i64.ne (i64.extend_i32_u (i32.load (i32.const 4))) (i64.const {len}))
                        (i64.eqz (i64.load (i32.const {last}))))))
            (core instance $main (instantiate $main (with "libc" (instance
                (export "memory" (memory $libc "memory")) (export "get" (func $get))))))
            (func $run (result (result)) (canon lift (core func $main "run")))
            (instance (export "wasi:cli/run@0.2.0") (export "run" (func $run))))"#,
        last = 65536 + len.min(1 << 26) - 8,
    )
}

#[test]
fn components_take_turns_for_random_bytes_and_have_room_for_them() {
    for (interface, function) in
        [("random", "get-random-bytes"), ("insecure", "get-insecure-random-bytes")]
    {
        let guest =
            Guest::builder(&wat(&component(interface, function, 16 << 20))).build().unwrap();
        let stats = guest.stats();
        assert_eq!(runtime().block_on(guest.run()).unwrap().code(), 0);
        assert!(stats.snapshot().suspensions >= 100, "{function}: {:?}", stats.snapshot());
        for (len, most) in [(16 << 20, 8 << 20), (1 << 40, usize::MAX), (u64::MAX, usize::MAX)] {
            let program = wat(&component(interface, function, len));
            let error = run(Guest::builder(&program).max_memory(most)).unwrap_err();
            assert!(error.to_string().contains("random bytes at once"), "{error}");
        }
    }
}

/// Opens `/data` for everything, as descriptor at address 8; fills memory with a pattern.
const OPEN: &str = r#"
    (call $check (call $open (i32.const 3) (i32.const 1) (i32.const 100) (i32.const 4) (i32.const 9)
        (i64.const 66) (i64.const 66) (i32.const 0) (i32.const 8)) (i32.const 0) (i32.const 1))"#;

/// One call moves 128 MiB and more, and all of its buffers.
#[test]
fn one_call_moves_all_of_its_buffers() {
    const LEN: u32 = (128 << 20) + 5;
    let items = format!(
        r#"(data (i32.const 100) "data")
           ;; Three buffers: 2 bytes, none, and what is left. Then one of everything.
           (data (i32.const 200) "\00\00\01\00\02\00\00\00\00\00\00\00\00\00\00\00")
           (func $buffers
               (i32.store (i32.const 216) (i32.const 65538)) (i32.store (i32.const 220) (i32.const {rest}))
               (i32.store (i32.const 224) (i32.const 65536)) (i32.store (i32.const 228) (i32.const {LEN})))
           (func $moved (result i32) (i32.load (i32.const 16)))
           (func $fd (result i32) (i32.load (i32.const 8)))
           (func $mark (param i32)
               (i32.store8 (i32.const 65536) (local.get 0))
               (i32.store8 (i32.const {last}) (i32.add (local.get 0) (i32.const 1))))
           (func $marked (param i32) (result i32)
               (i32.and (i32.eq (i32.load8_u (i32.const 65536)) (local.get 0))
                   (i32.eq (i32.load8_u (i32.const {last})) (i32.add (local.get 0) (i32.const 1)))))"#,
        rest = LEN - 2,
        last = 65536 + LEN - 1,
    );
    let all = |call: &str, code: u32| {
        format!(
            "(call $check {call} (i32.const 0) (i32.const {code}))
             (call $check (call $moved) (i32.const {LEN}) (i32.const {}))",
            code + 1
        )
    };
    let code = [
        OPEN.to_owned(),
        "(call $buffers) (call $mark (i32.const 7))".to_owned(),
        all("(call $write (call $fd) (i32.const 200) (i32.const 3) (i32.const 16))", 10),
        "(call $mark (i32.const 0))".to_owned(),
        "(call $check (call $seek (call $fd) (i64.const 0) (i32.const 0) (i32.const 24)) (i32.const 0) (i32.const 20))".to_owned(),
        all("(call $read (call $fd) (i32.const 200) (i32.const 3) (i32.const 16))", 21),
        "(call $check (call $marked (i32.const 7)) (i32.const 1) (i32.const 25))".to_owned(),
        // At its end there is nothing to read.
        "(call $check (call $read (call $fd) (i32.const 224) (i32.const 1) (i32.const 16)) (i32.const 0) (i32.const 26))
         (call $check (call $moved) (i32.const 0) (i32.const 27)) (call $mark (i32.const 40))".to_owned(),
        all("(call $pwrite (call $fd) (i32.const 224) (i32.const 1) (i64.const 3) (i32.const 16))", 30),
        "(call $mark (i32.const 0))".to_owned(),
        all("(call $pread (call $fd) (i32.const 224) (i32.const 1) (i64.const 3) (i32.const 16))", 40),
        "(call $check (call $marked (i32.const 40)) (i32.const 1) (i32.const 50))".to_owned(),
        // The end of the file cuts it short.
        format!(
            "(call $check (call $pread (call $fd) (i32.const 224) (i32.const 1) (i64.const 100) (i32.const 16)) (i32.const 0) (i32.const 51))
             (call $check (call $moved) (i32.const {}) (i32.const 52))", LEN - 97),
    ];
    let folder = tempfile::tempdir().unwrap();
    let program = wat(&module(2051, &items, &code.join("\n")));
    let exit = run(Guest::builder(&program).dir(folder.path(), "/").timeout(LIMIT)).unwrap();
    assert_eq!(exit.code(), 0);
    assert_eq!(std::fs::metadata(folder.path().join("data")).unwrap().len(), u64::from(LEN) + 3);
}

/// As many buffers as one likes, of which the first 1,024 count; none that is not in memory.
#[test]
fn arrays_of_buffers_are_bounded() {
    let items = r#"(data (i32.const 100) "data")
        (func $fd (result i32) (i32.load (i32.const 8)))
        ;; 2,000 buffers of one byte.
        (func $buffers (local $n i32)
            (loop $more
                (i32.store (i32.add (i32.const 1000) (i32.mul (local.get $n) (i32.const 8))) (i32.const 50))
                (i32.store (i32.add (i32.const 1004) (i32.mul (local.get $n) (i32.const 8))) (i32.const 1))
                (br_if $more (i32.lt_u (local.tee $n (i32.add (local.get $n) (i32.const 1))) (i32.const 2000)))))"#;
    let code = format!(
        "{OPEN} (call $buffers)
         (call $check (call $write (call $fd) (i32.const 1000) (i32.const 2000) (i32.const 16)) (i32.const 0) (i32.const 2))
         (call $check (i32.load (i32.const 16)) (i32.const 1024) (i32.const 3))
         ;; Empty ones without end.
         (call $check (call $write (call $fd) (i32.const 32768) (i32.const 2000) (i32.const 16)) (i32.const 28) (i32.const 4))
         (call $check (call $read (call $fd) (i32.const 65532) (i32.const 1) (i32.const 16)) (i32.const 21) (i32.const 5))
         (call $check (call $read (call $fd) (i32.const 1000) (i32.const 1) (i32.const -4)) (i32.const 21) (i32.const 6))
         (call $check (call $read (i32.const 77) (i32.const 1000) (i32.const 1) (i32.const 16)) (i32.const 8) (i32.const 7))
         (call $check (call $pwrite (i32.const 1) (i32.const 1000) (i32.const 1) (i64.const 0) (i32.const 16)) (i32.const 70) (i32.const 8))"
    );
    let folder = tempfile::tempdir().unwrap();
    let program = wat(&module(1, items, &code));
    let exit = run(Guest::builder(&program).dir(folder.path(), "/").timeout(LIMIT)).unwrap();
    assert_eq!(exit.code(), 0);
}
