//! Compiled code on disk.

use std::fs;

use wasio_host::{Engine, Guest, Program};

use crate::support::*;

const EXIT: &str = r#"(module (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1)
    (func (export "_start") (call $exit (i32.const 9))))"#;

#[test]
fn a_program_is_compiled_once() {
    let folder = tempfile::tempdir().unwrap();
    let entries =
        || fs::read_dir(folder.path()).unwrap().map(|e| e.unwrap().path()).collect::<Vec<_>>();
    let engine = || Engine::builder().cache_folder(folder.path()).build().unwrap();
    let wasm = wat::parse_str(EXIT).unwrap();
    let load = |expected: bool| {
        let program = Program::new(&engine(), &wasm).unwrap();
        assert_eq!(program.from_cache(), expected);
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
    };
    load(false);
    load(true);
    assert_eq!(entries().len(), 1, "no temporary file is left");
    assert!(
        !Program::new(&engine(), &wat::parse_str("(module (func (export \"_start\")))").unwrap())
            .unwrap()
            .from_cache()
    );
    assert_eq!(entries().len(), 2);
}

#[test]
fn damaged_entries_are_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let engine = Engine::builder().cache_folder(folder.path()).build().unwrap();
    let wasm = wat::parse_str(EXIT).unwrap();
    drop(Program::new(&engine, &wasm).unwrap());
    let entry = fs::read_dir(folder.path()).unwrap().next().unwrap().unwrap().path();
    let whole = fs::read(&entry).unwrap();
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&b""[..], &whole[..3], &whole[..whole.len() - 1], &flipped, b"no code at all"] {
        fs::write(&entry, damaged).unwrap();
        let program = Program::new(&engine, &wasm).unwrap();
        assert!(!program.from_cache());
        assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
        assert_eq!(fs::read(&entry).unwrap().len(), whole.len());
    }
    assert!(Program::new(&engine, &wasm).unwrap().from_cache());
}

#[test]
fn a_folder_that_cannot_be_written_is_done_without() {
    let file = tempfile::NamedTempFile::new().unwrap();
    let engine = Engine::builder().cache_folder(file.path().join("below")).build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(EXIT).unwrap()).unwrap();
    assert_eq!(run(Guest::builder(&program)).unwrap().code(), 9);
}
