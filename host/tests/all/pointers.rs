//! Guest pointers: out of bounds, misaligned, overlapping, and lengths near
//! 2^32, in every socket import. Each gives an error number or a trap.

use std::fmt::Write as _;

use wasio_host::{Error, Guest, Policy};

use crate::support::*;

/// Name and what each parameter is: `f` a descriptor, `p` a pointer, `n` a
/// count or length, `v` any other number.
const IMPORTS: &[(&str, &str)] = &[
    ("sock_open", "vvp"),
    ("sock_bind", "fpv"),
    ("sock_connect", "fpv"),
    ("sock_listen", "fv"),
    ("sock_accept", "fp"),
    ("sock_accept", "fvp"),
    ("sock_recv", "fpnvpp"),
    ("sock_recv_from", "fpnpvpp"),
    ("sock_recv_from", "fpnpvppp"),
    ("sock_send", "fpnvp"),
    ("sock_send_to", "fpnpvvp"),
    ("sock_shutdown", "fv"),
    ("sock_getlocaladdr", "fppp"),
    ("sock_getlocaladdr", "fpp"),
    ("sock_getpeeraddr", "fppp"),
    ("sock_getpeeraddr", "fpp"),
    ("sock_getsockopt", "fvvpp"),
    ("sock_setsockopt", "fvvpn"),
    ("sock_getaddrinfo", "pnpnppnp"),
    ("poll_oneoff", "ppnp"),
    ("fd_read", "fpnp"),
    ("fd_write", "fpnp"),
    ("fd_close", "f"),
    ("fd_fdstat_get", "fp"),
    ("fd_fdstat_set_flags", "fv"),
    ("fd_filestat_get", "fp"),
    ("fd_renumber", "ff"),
];

/// A module that imports `name` as `$call`, has a non-blocking UDP socket's
/// number in the global `$fd`, and then does `body`.
fn module(name: &str, params: &str, body: &str) -> String {
    let types = " i32".repeat(params.len());
    format!(
        r#"(module
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (import "wasi_snapshot_preview1" "{name}" (func $call (param{types}) (result i32)))
            (memory (export "memory") 1)
            (global $fd (mut i32) (i32.const 0))
            (func $setup
                (drop (call $open (i32.const 1) (i32.const 1) (i32.const 8)))
                (global.set $fd (i32.load (i32.const 8)))
                (drop (call $flags (global.get $fd) (i32.const 4))))
            {body})"#
    )
}

/// The one page of memory ends here.
const END: i64 = 0x10000;

/// Every pointer in turn is bad while the others are good.
#[test]
fn case_15_a_bad_pointer_is_an_error() {
    for (name, params) in IMPORTS {
        let pointers = params.match_indices('p').map(|(i, _)| i);
        for bad in pointers {
            let misaligned = match (*name, bad) {
                // Strings and option values have no alignment.
                ("sock_getaddrinfo", 0 | 2) | ("sock_setsockopt" | "sock_getsockopt", 3) => None,
                _ => Some(1025),
            };
            let far = [Some(-1i64), Some(-4), Some(-8), Some(END), misaligned];
            for at in far.into_iter().flatten() {
                let mut body = String::from("(func (export \"_start\") (call $setup)\n");
                // Good pointers find an address, a length or a buffer of 16 bytes.
                body += "(i32.store (i32.const 1024) (i32.const 2048))";
                body += "(i32.store (i32.const 1028) (i32.const 16))";
                body += "(call $exit (call $call";
                for (i, kind) in params.char_indices() {
                    let _ = match kind {
                        'f' => write!(body, " (global.get $fd)"),
                        'p' if i == bad => write!(body, " (i32.const {at})"),
                        'p' => write!(body, " (i32.const 1024)"),
                        'n' => write!(
                            body,
                            " (i32.const {})",
                            if *name == "sock_setsockopt" { 16 } else { 1 }
                        ),
                        _ => write!(body, " (i32.const 1)"),
                    };
                }
                body += ")))";
                let program = wat(&module(name, params, &body));
                let guest = Guest::builder(&program).network(Policy::all()).timeout(LIMIT);
                match run(guest) {
                    Ok(exit) => {
                        let code = exit.code();
                        assert!(
                            [21, 28, 58].contains(&code) || (*name == "sock_open" && code == 28),
                            "{name} with {at} for parameter {bad}: {code}"
                        );
                    }
                    Err(Error::Trap(_)) => {}
                    Err(other) => panic!("{name}: {other}"),
                }
            }
        }
    }
}

/// Numbers that break careless arithmetic, mixed with good ones, by the
/// thousand. Nothing is asserted but that the host survives and the guest ends.
#[test]
fn case_15_any_numbers_leave_the_host_alive() {
    for (name, params) in IMPORTS {
        // A poll may wait for ever with good reason.
        if *name == "poll_oneoff" {
            continue;
        }
        let args: String = params
            .chars()
            .map(|kind| if kind == 'f' { " (call $descriptor)" } else { " (call $number)" })
            .collect();
        let body = format!(
            r#"
            (data (i32.const 256) "\00\00\00\00\01\00\00\00\02\00\00\00\04\00\00\00\08\00\00\00\ff\ff\ff\ff\fc\ff\ff\ff\00\00\00\80\ff\ff\ff\7f\00\00\01\00\ff\ff\00\00\f8\ff\00\00\00\04\00\00\03\04\00\00\80\00\00\00\00\08\00\00")
            (global $seed (mut i32) (i32.const 12345))
            (func $random (result i32)
                (global.set $seed (i32.add (i32.mul (global.get $seed) (i32.const 1664525)) (i32.const 1013904223)))
                (i32.shr_u (global.get $seed) (i32.const 8)))
            (func $number (result i32)
                (i32.load (i32.add (i32.const 256) (i32.shl (i32.and (call $random) (i32.const 15)) (i32.const 2)))))
            (func $descriptor (result i32)
                (select (global.get $fd) (call $number) (i32.and (call $random) (i32.const 7))))
            (func (export "_start") (local $left i32)
                (call $setup)
                (local.set $left (i32.const 3000))
                (loop $again
                    ;; What pointers find there is as arbitrary.
                    (i32.store (i32.const 1024) (call $number))
                    (i32.store (i32.const 1028) (call $number))
                    (i32.store (i32.const 2048) (call $number))
                    (i32.store (i32.const 2052) (call $number))
                    (drop (call $call{args}))
                    (local.set $left (i32.sub (local.get $left) (i32.const 1)))
                    (br_if $again (local.get $left))))"#
        );
        let program = wat(&module(name, params, &body));
        // Denied: random numbers should not reach a network.
        let guest = Guest::builder(&program).max_sockets(64).timeout(LIMIT);
        match run(guest) {
            Ok(_) | Err(Error::Trap(_)) => {}
            Err(other) => panic!("{name}: {other}"),
        }
    }
}

#[test]
fn case_15_counts_near_2_32() {
    for (name, params) in IMPORTS {
        for (bad, _) in params.match_indices('n') {
            // How many answers there is room for: any number will do.
            if (*name, bad) == ("sock_getaddrinfo", 6) {
                continue;
            }
            for count in [-1i64, -8, 0x8000_0000, 0x2000_0000, 0x1555_5556, 0x0555_5556] {
                let mut body = String::from("(func (export \"_start\") (call $setup)");
                body += "(i32.store (i32.const 1024) (i32.const 2048))";
                body += "(i32.store (i32.const 1028) (i32.const 16))";
                body += "(call $exit (call $call";
                for (i, kind) in params.char_indices() {
                    let _ = match kind {
                        'f' => write!(body, " (global.get $fd)"),
                        'p' => write!(body, " (i32.const 1024)"),
                        'n' if i == bad => write!(body, " (i32.const {count})"),
                        'n' => write!(body, " (i32.const 1)"),
                        _ => write!(body, " (i32.const 1)"),
                    };
                }
                body += ")))";
                let program = wat(&module(name, params, &body));
                match run(Guest::builder(&program).network(Policy::all()).timeout(LIMIT)) {
                    Ok(exit) => assert!(
                        [21, 28].contains(&exit.code()),
                        "{name} with {count} for parameter {bad}: {}",
                        exit.code()
                    ),
                    Err(Error::Trap(_)) => {}
                    Err(other) => panic!("{name}: {other}"),
                }
            }
        }
    }
}

#[test]
fn case_15_counts_just_beyond_the_memory() {
    for (name, params, args) in [
        (
            "sock_recv",
            "fpnvpp",
            "(i32.const 1024) (i32.const -1) (i32.const 0) (i32.const 64) (i32.const 72)",
        ),
        (
            "sock_send",
            "fpnvp",
            "(i32.const 1024) (i32.const 0x20000000) (i32.const 0) (i32.const 64)",
        ),
        ("fd_write", "fpnp", "(i32.const 1024) (i32.const 0x20000001) (i32.const 64)"),
        ("poll_oneoff", "ppnp", "(i32.const 1024) (i32.const -1) (i32.const 64)"),
        ("poll_oneoff", "ppnp", "(i32.const 1024) (i32.const 0x05555556) (i32.const 64)"),
    ] {
        let first = if params.starts_with('f') { "(global.get $fd)" } else { "(i32.const 1024)" };
        let body = format!(
            "(func (export \"_start\") (call $setup) (call $exit (call $call {first} {args})))"
        );
        let program = wat(&module(name, params, &body));
        let code = run(Guest::builder(&program).timeout(LIMIT)).unwrap().code();
        assert!([21, 28].contains(&code), "{name}: {code}");
    }
}

/// What a guest is told of a listener that it was given, and of signals.
#[test]
fn case_15_descriptors_that_it_did_not_open() {
    for (name, fd, good) in [
        ("fd_prestat_get", 3i64, 0),
        ("fd_fdstat_get", 3, 0),
        ("fd_filestat_get", 3, 0),
        ("fd_fdstat_get", 0xd349_4703, 0),
        ("sock_accept", 3, 6),
    ] {
        for at in [-1i64, -8, END - 4, 1024] {
            let params = if name == "sock_accept" { "fp" } else { "vp" };
            let body = format!(
                "(func (export \"_start\") (drop (call $flags (i32.const 3) (i32.const 4)))
                    (call $exit (call $call (i32.const {fd}) (i32.const {at}))))"
            );
            let program = wat(&module(name, params, &body));
            let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            let code = run(Guest::builder(&program).listener(listener)).unwrap().code();
            match at {
                1024 => assert_eq!(code, good, "{name}"),
                // Four bytes are enough for a number.
                at if at == END - 4 && name == "sock_accept" => assert_eq!(code, good),
                _ => assert!([21, 28].contains(&code), "{name} with {at}: {code}"),
            }
        }
    }
}

/// Two buffers of one call overlap, and an event array overlaps its input.
#[test]
fn case_15_overlapping_memory() {
    let body = r#"(func (export "_start") (call $setup)
        (i32.store (i32.const 1024) (i32.const 2048)) (i32.store (i32.const 1028) (i32.const 64))
        (i32.store (i32.const 1032) (i32.const 2080)) (i32.store (i32.const 1036) (i32.const 64))
        (call $exit (call $call (global.get $fd) (i32.const 1024) (i32.const 2) (i32.const 0) (i32.const 64) (i32.const 72))))"#;
    let program = wat(&module("sock_recv", "fpnvpp", body));
    assert_eq!(run(Guest::builder(&program)).unwrap().code(), 28);

    // Two clocks that are due; the first event is written over the first of them.
    let body = r#"(func (export "_start") (call $setup)
        (i64.store (i32.const 1024) (i64.const 11))
        (i64.store (i32.const 1072) (i64.const 22))
        (drop (call $call (i32.const 1024) (i32.const 1024) (i32.const 2) (i32.const 64)))
        (call $exit (i32.add
            (i32.mul (i32.load (i32.const 64)) (i32.const 100))
            (i32.add (i32.load (i32.const 1024)) (i32.load (i32.const 1056))))))"#;
    let program = wat(&module("poll_oneoff", "ppnp", body));
    assert_eq!(run(Guest::builder(&program)).unwrap().code(), 233);
}

#[test]
fn case_15_a_guest_without_memory_gets_errors() {
    let program = wat(r#"(module
            (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (func (export "_start") (call $exit (call $open (i32.const 1) (i32.const 1) (i32.const 8)))))"#);
    assert_eq!(run(Guest::builder(&program)).unwrap().code(), 21);
}
