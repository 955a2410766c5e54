//! What is handed to guests is what was named, or an error.

use wasio_host::pipe::MemoryOutputPipe;
use wasio_host::{Error, Guest, GuestBuilder};

use crate::support::*;

/// Writes its environment, each variable ended by a NUL.
const ENVIRONMENT: &str = r#"(module
    (import "wasi_snapshot_preview1" "environ_get" (func $get (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "environ_sizes_get" (func $sizes (param i32 i32) (result i32)))
    (import "wasi_snapshot_preview1" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
    (memory (export "memory") 1)
    (func (export "_start")
        (drop (call $sizes (i32.const 0) (i32.const 4)))
        (drop (call $get (i32.const 1024) (i32.const 4096)))
        (i32.store (i32.const 16) (i32.const 4096))
        (i32.store (i32.const 20) (i32.load (i32.const 4)))
        (drop (call $write (i32.const 1) (i32.const 16) (i32.const 1) (i32.const 24)))))"#;

#[test]
fn the_last_value_of_a_variable_counts() {
    let out = MemoryOutputPipe::new(4096);
    let guest = Guest::builder(&wat(ENVIRONMENT)).env("A", "1").env("B", "2").env("A", "3");
    succeeds(guest.stdout(out.clone()));
    assert_eq!(out.contents(), "B=2\0A=3\0");
}

#[test]
fn what_a_guest_could_not_read_is_refused() {
    let program = wat(ENVIRONMENT);
    let refused = |give: &dyn Fn(GuestBuilder) -> GuestBuilder, said: &str| {
        let error = give(Guest::builder(&program)).build().unwrap_err();
        assert!(matches!(error, Error::Text { .. } | Error::Grant { .. }), "{error}");
        assert!(error.to_string().contains(said), "{error}");
    };
    refused(&|guest| guest.arg("fine").arg("a\0b"), r#""a\0b", number 1"#);
    refused(&|guest| guest.env("A", "a\0b"), r#"the variable "A""#);
    refused(&|guest| guest.env("A\0", "a"), r#"the variable "A\0""#);
    refused(&|guest| guest.env("A=B", "a"), r#"the variable "A=B""#);
    refused(&|guest| guest.env("", "a"), "the variable");
    let [one, other] = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    refused(&|guest| guest.dir(one.path(), ""), "not a valid name");
    refused(&|guest| guest.dir(one.path(), "/a\0b"), "not a valid name");
    refused(&|guest| guest.dir(one.path(), "/x").dir(other.path(), "/x"), "also granted");
    assert!(Guest::builder(&program).dir(one.path(), "/x").dir(one.path(), "/x").build().is_ok());
}
