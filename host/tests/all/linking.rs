//! Which definition an import gets, and what is said when there is none.

use wasio_host::{Error, Guest, Policy, Program};

use crate::support::*;

fn refused(text: &str) -> String {
    match Program::new(engine(), &wat::parse_str(text).unwrap()) {
        Err(error) => error.to_string(),
        Ok(_) => panic!("linked: {text}"),
    }
}

/// WasmEdge's `sock_accept` and WASI's in one module, and both versions of the
/// calls that have two: each import by its own type.
#[test]
fn one_name_with_two_types() {
    let program = wat(r#"(module
            (import "wasi_snapshot_preview1" "sock_accept" (func $two (param i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_accept" (func $three (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_recv_from" (func $r7 (param i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_recv_from" (func $r8 (param i32 i32 i32 i32 i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_getlocaladdr" (func $l4 (param i32 i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_getlocaladdr" (func $l3 (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "sock_open_v2" (func $open (param i32 i32 i32) (result i32)))
            (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 1)
            (func $expect (param $index i32) (param $want i32) (param $got i32)
                (if (i32.ne (local.get $want) (local.get $got))
                    (then (call $exit (i32.or (i32.mul (local.get $index) (i32.const 100)) (local.get $got))))))
            (func (export "_start")
                ;; The last parameter is the pointer: misaligned in one, fine in the other.
                (call $expect (i32.const 1) (i32.const 28) (call $two (i32.const 5) (i32.const 1)))
                (call $expect (i32.const 2) (i32.const 57) (call $three (i32.const 5) (i32.const 1) (i32.const 8)))
                (call $expect (i32.const 3) (i32.const 0) (call $open (i32.const 1) (i32.const 2) (i32.const 64)))
                ;; An address buffer of 128 bytes at 256 is for the version without a type.
                (i32.store (i32.const 16) (i32.const 256))
                (i32.store (i32.const 20) (i32.const 128))
                (call $expect (i32.const 4) (i32.const 28) (call $l4 (i32.load (i32.const 64)) (i32.const 16) (i32.const 32) (i32.const 36)))
                (call $expect (i32.const 5) (i32.const 0) (call $l3 (i32.load (i32.const 64)) (i32.const 16) (i32.const 32)))
                (call $expect (i32.const 6) (i32.const 1) (i32.load16_u (i32.const 256)))
                (i32.store (i32.const 20) (i32.const 16))
                (call $expect (i32.const 7) (i32.const 0) (call $l4 (i32.load (i32.const 64)) (i32.const 16) (i32.const 32) (i32.const 36)))
                (call $expect (i32.const 8) (i32.const 4) (i32.load (i32.const 32)))
                (call $expect (i32.const 9) (i32.const 28) (call $l3 (i32.load (i32.const 64)) (i32.const 16) (i32.const 32)))
                (call $expect (i32.const 10) (i32.const 53) (call $r7 (i32.load (i32.const 64)) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 0) (i32.const 32) (i32.const 36)))
                (call $expect (i32.const 11) (i32.const 53) (call $r8 (i32.load (i32.const 64)) (i32.const 0) (i32.const 0) (i32.const 16) (i32.const 0) (i32.const 40) (i32.const 32) (i32.const 36)))))"#);
    let granted = Guest::builder(&program).network(Policy::all());
    assert_eq!(run(granted).unwrap().code(), 0);
}

#[test]
fn a_missing_import_is_named() {
    let said = refused(
        r#"(module (import "env" "magic" (func (param i64) (result f32))) (func (export "_start")))"#,
    );
    assert!(said.contains("env.magic") && said.contains("i64") && said.contains("f32"), "{said}");
    let said = refused(
        r#"(module (import "wasi_snapshot_preview1" "sock_teleport" (func)) (func (export "_start")))"#,
    );
    assert!(said.contains("wasi_snapshot_preview1.sock_teleport"), "{said}");
    let said = refused(r#"(module (import "env" "memory" (memory 1)) (func (export "_start")))"#);
    assert!(said.contains("env.memory"), "{said}");
}

#[test]
fn an_import_of_another_type_is_told_which_there_are() {
    let said = refused(
        r#"(module (import "wasi_snapshot_preview1" "sock_accept" (func (param i64) (result i32))) (func (export "_start")))"#,
    );
    assert!(said.contains("(i32, i32) -> (i32) or as (i32, i32, i32) -> (i32)"), "{said}");
    let said = refused(
        r#"(module (import "wasi_snapshot_preview1" "fd_close" (func (param i32))) (func (export "_start")))"#,
    );
    assert!(said.contains("fd_close"), "{said}");
}

#[test]
fn a_library_is_no_program() {
    let guest = Guest::builder(&wat("(module)"));
    assert!(matches!(run(guest), Err(Error::NoStart)));
}

#[test]
fn an_invalid_module_is_an_error() {
    let error = Program::new(engine(), b"\0asm\x01\0\0\0\xff\xff").unwrap_err();
    assert!(matches!(error, Error::Compile(_)), "{error}");
}

#[test]
fn a_component_without_run_is_no_program() {
    let error = Program::new(engine(), &wat::parse_str("(component)").unwrap()).unwrap_err();
    assert!(error.to_string().contains("component"), "{error}");
}

#[test]
fn an_interface_that_is_missing_is_named() {
    let wat = r#"(component (import "wasi:http/outgoing-handler@0.2.0" (instance (export "handle" (func)))))"#;
    let error = Program::new(engine(), &wat::parse_str(wat).unwrap()).unwrap_err();
    let text = format!("{error}: {:?}", std::error::Error::source(&error));
    assert!(text.contains("wasi:http/outgoing-handler"), "{text}");
}
