//! Functions of the embedder's as imports, and exports that are called one by one.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use std::task::Wake;
use std::time::Duration;

use wasio_host::prelude::*;

use crate::support::*;

pub(crate) fn library(imports: &Imports, text: &str) -> Program {
    let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Program::with_imports(engine(), &wasm, imports).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

pub(crate) async fn instance(imports: &Imports, text: &str) -> Instance {
    let guest = Guest::builder(&library(imports, text)).timeout(LIMIT).build().unwrap();
    guest.instantiate().await.unwrap()
}

pub(crate) fn imports() -> Imports {
    Imports::new(engine())
}

/// Exports what the tests call; `run` gives its argument to the import `env.f` and returns what that returns.
pub(crate) const GUEST: &str = r#"(module
    (import "env" "f" (func $f (param i32) (result i32)))
    (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    (memory (export "memory") 1 10)
    (global (export "global") i32 (i32.const 7))
    (func (export "run") (param i32) (result i32) (call $f (local.get 0)))
    (func (export "run_and_trap") (param i32) (drop (call $f (local.get 0))) unreachable)
    (func (export "exit") (call $exit (i32.const 3)))
    (func (export "grow") (result i32) (memory.grow (i32.const 1)))
    (func (export "twice") (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
    (func (export "spin") (loop (br 0)))
    (func $deep (export "deep") (param i32) (result i32)
        (i32.add (call $deep (i32.add (local.get 0) (i32.const 1))) (i32.const 1))))"#;

/// How often something was dropped, or called.
#[derive(Clone, Default)]
pub(crate) struct Count(Arc<AtomicUsize>);

pub(crate) struct Guard(pub(crate) Count);

impl Count {
    pub(crate) fn add(&self) {
        self.0.fetch_add(1, SeqCst);
    }

    pub(crate) fn get(&self) -> usize {
        self.0.load(SeqCst)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.add();
    }
}

impl Wake for Count {
    fn wake(self: Arc<Self>) {
        self.add();
    }
}

#[test]
pub(crate) fn an_async_closure_is_an_import() {
    runtime().block_on(async {
        let mut imports = imports();
        imports.wrap_async("env", "sum", async |a: i32, b: i32| a + b).unwrap();
        let text = r#"(module (import "env" "sum" (func $sum (param i32 i32) (result i32)))
            (func (export "run") (result i32) (call $sum (i32.const 20) (i32.const 22))))"#;
        let mut instance = instance(&imports, text).await;
        assert_eq!(instance.call_async::<(), i32>("run", ()).await.unwrap(), 42);
    });
}

#[test]
fn functions_have_none_to_sixteen_arguments() {
    let types = "i64 ".repeat(16);
    let args: String = (0..16).map(|n| format!("(i64.const {n})")).collect();
    let text = format!(
        r#"(module (import "env" "none" (func $none (result i32 f64)))
            (import "env" "all" (func $all (param {types}) (result i64)))
            (import "env" "plain" (func $plain (param i32) (result i32)))
            (func (export "none") (result i32 f64) (call $none))
            (func (export "all") (result i64) (call $all {args}))
            (func (export "plain") (result i32) (call $plain (i32.const 4))))"#
    );
    runtime().block_on(async {
        let mut imports = imports();
        let none = async || {
            tokio::time::sleep(Duration::from_millis(1)).await;
            (1, 0.5)
        };
        imports.wrap_async("env", "none", none).unwrap();
        #[rustfmt::skip]
        let all = async |a: i64, b: i64, c: i64, d: i64, e: i64, f: i64, g: i64, h: i64, i: i64, j: i64,
            k: i64, l: i64, m: i64, n: i64, o: i64, p: i64| {
            [a, b, c, d, e, f, g, h, i, j, k, l, m, n, o, p].iter().sum::<i64>()
        };
        imports.wrap_async("env", "all", all).unwrap();
        imports.wrap("env", "plain", |n: i32| n + 1).unwrap();
        let mut instance = instance(&imports, &text).await;
        assert_eq!(instance.call_async::<(), (i32, f64)>("none", ()).await.unwrap(), (1, 0.5));
        assert_eq!(instance.call_async::<(), i64>("all", ()).await.unwrap(), 120);
        assert_eq!(instance.call_async::<(), i32>("plain", ()).await.unwrap(), 5);
    });
}

#[test]
fn the_environment_is_the_first_argument() {
    runtime().block_on(async {
        let mut imports = imports();
        let calls = Count::default();
        let f = async |calls: Count, n: i32| {
            calls.add();
            n + calls.get() as i32
        };
        imports.wrap_async_with_env("env", "f", calls.clone(), f).unwrap();
        let mut instance = instance(&imports, GUEST).await;
        assert_eq!(instance.call_async::<i32, i32>("run", 10).await.unwrap(), 11);
        let run = instance.typed::<i32, i32>("run").unwrap();
        assert_eq!(instance.call_typed_async(&run, 10).await.unwrap(), 12);
        assert_eq!(calls.get(), 2);
    });
}

#[test]
fn types_may_be_known_late() {
    runtime().block_on(async {
        let mut own = imports();
        let f = |args: Vec<Val>| async move { Ok(vec![Val::I32(args[0].unwrap_i32() * 3)]) };
        own.new_async("env", "f", &[ValType::I32], &[ValType::I32], f).unwrap();
        let mut tripled = instance(&own, GUEST).await;
        let answer = tripled.call_dynamic_async("run", &[Val::I32(7)]).await.unwrap();
        assert_eq!(answer[0].unwrap_i32(), 21);
        let error = tripled.call_dynamic_async("run", &[Val::I64(7)]).await.unwrap_err();
        assert!(matches!(error, Error::NotExported { .. }), "{error}");

        let mut own = imports();
        let nothing = |_| async { Ok(Vec::new()) };
        own.new_async("env", "f", &[ValType::I32], &[ValType::I32], nothing).unwrap();
        let error = instance(&own, GUEST).await.call_async::<i32, i32>("run", 1).await.unwrap_err();
        assert!(error.to_string().contains("env.f returned 0 values"), "{error}");
    });
}

#[test]
fn what_does_not_fit_is_named() {
    let mut imports = imports();
    imports.wrap_async("env", "f", async |n: i32| n).unwrap();
    let error = imports.wrap("env", "f", || ()).unwrap_err();
    assert_eq!(error.to_string(), "the import `env.f` is already provided");
    runtime().block_on(async {
        let mut instance = instance(&imports, GUEST).await;
        for (name, reason) in
            [("walk", "no export"), ("global", "no function"), ("grow", "(func (result i32))")]
        {
            let error = instance.call_async::<i64, ()>(name, 1).await.unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(reason), "{error}");
        }
        // None of this was a call.
        assert_eq!(instance.call_async::<i32, i32>("run", 1).await.unwrap(), 1);

        // The import has another type than the module wants.
        let text = r#"(module (import "env" "f" (func (param i64))))"#;
        let guest = Guest::builder(&library(&imports, text)).build().unwrap();
        let error = guest.instantiate().await.unwrap_err().to_string();
        assert!(error.contains("env::f"), "{error}");
    });
}

#[test]
fn a_guest_that_exits_says_so() {
    runtime().block_on(async {
        let mut own = imports();
        own.wrap("env", "f", |n: i32| n).unwrap();
        let mut instance = instance(&own, GUEST).await;
        let error = instance.call_async::<(), ()>("exit", ()).await.unwrap_err();
        assert!(matches!(error, Error::Exited(exit) if exit.code() == 3), "{error}");
    });
}
