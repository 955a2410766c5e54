//! Many guests at a time, out of a pool of stacks and memories.

use std::future::pending;
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Instant;

use wasio_host::prelude::*;

use crate::support::runtime;

type Call = Pin<Box<dyn Future<Output = Result<i32, Error>> + Send>>;

/// Waits in an import for ever if its argument is 0.
fn program(engine: &Engine) -> Program {
    let mut imports = Imports::new(engine);
    let f = async |n: i32| if n == 0 { pending().await } else { n };
    imports.wrap_async("env", "f", f).unwrap();
    let text = r#"(module (import "env" "f" (func $f (param i32) (result i32)))
        (memory (export "memory") 1)
        (func (export "run") (param i32) (result i32)
            (i32.store (i32.const 0) (local.get 0))
            (call $f (local.get 0))))"#;
    Program::with_imports(engine, &wat::parse_str(text).unwrap(), &imports).unwrap()
}

/// Starts a guest and lets it wait, if it does.
async fn start(program: &Program, argument: i32) -> Result<Call, Error> {
    let guest = Guest::builder(program).build()?;
    let mut instance = guest.instantiate().await?;
    let mut call: Call =
        Box::pin(async move { instance.call_async::<i32, i32>("run", argument).await });
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        std::task::Poll::Ready(result) => {
            result.map(|n| -> Call { Box::pin(async move { Ok(n) }) })
        }
        std::task::Poll::Pending => Ok(call),
    }
}

#[test]
fn case_12_the_pool_is_exhausted() {
    let engine = Engine::builder().no_cache().pool(3).build().unwrap();
    let program = program(&engine);
    runtime().block_on(async {
        let mut waiting = Vec::new();
        for _ in 0..3 {
            waiting.push(start(&program, 0).await.unwrap());
        }
        let error = start(&program, 1).await.err().expect("there is no room");
        assert!(matches!(error, Error::PoolExhausted(_)), "{error}");
        assert!(error.to_string().contains("limit of 3"), "{error}");
        // The others are unharmed, and what one gives back another gets.
        waiting.pop();
        let call = start(&program, 7).await.unwrap();
        assert_eq!(call.await.unwrap(), 7);
        waiting.clear();
        for _ in 0..100 {
            assert_eq!(start(&program, 8).await.unwrap().await.unwrap(), 8);
        }
    });
}

/// Runs a test in a process of its own: it counts or uses up what the whole process has.
#[cfg(target_os = "linux")]
pub(crate) fn alone(test: &str, body: fn()) {
    alone_with(test, "0", body);
}

/// The same with this in `RUST_BACKTRACE`.
#[cfg(target_os = "linux")]
pub(crate) fn alone_with(test: &str, backtrace: &str, body: fn()) {
    const ALONE: &str = "WASIO_TEST_ALONE";
    if std::env::var_os(ALONE).is_some() {
        return body();
    }
    let own = std::env::current_exe().unwrap();
    let mut command = std::process::Command::new(own);
    command.args(["--exact", test, "--nocapture"]).env(ALONE, "1").env("RUST_BACKTRACE", backtrace);
    let output = command.output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success() && text.contains("1 passed"), "{text}{said}");
}

/// Kilobytes of memory that this process has in use.
#[cfg(target_os = "linux")]
pub(crate) fn resident() -> i64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

#[cfg(target_os = "linux")]
#[test]
fn case_12_ten_thousand_suspended_guests() {
    alone("pool::case_12_ten_thousand_suspended_guests", ten_thousand_suspended_guests);
}

#[cfg(target_os = "linux")]
fn ten_thousand_suspended_guests() {
    const MANY: usize = 10_000;
    let engine = Engine::builder().no_cache().pool(MANY as u32).build().unwrap();
    let program = program(&engine);
    let before = resident();
    runtime().block_on(async {
        drop(start(&program, 0).await.unwrap());
        let begun = Instant::now();
        let mut waiting = Vec::with_capacity(MANY);
        for _ in 0..MANY {
            waiting.push(start(&program, 0).await.unwrap());
        }
        let (took, each) = (begun.elapsed() / MANY as u32, (resident() - before) / MANY as i64);
        println!("{MANY} guests suspended: {each} KiB and {took:?} each");
        // Each has touched one page of its memory.
        assert!(each <= 64 + 4, "{each} KiB each");
        waiting.clear();
        // A second crowd finds the pool warm: it needs no more memory than the first.
        let first = resident();
        for _ in 0..MANY {
            waiting.push(start(&program, 0).await.unwrap());
        }
        waiting.clear();
        let grown = (resident() - first) / MANY as i64;
        assert!(grown < 1, "{grown} KiB more for each");
    });
}

#[cfg(target_os = "linux")]
#[test]
fn case_12_more_mappings_than_the_kernel_allows() {
    alone("pool::case_12_more_mappings_than_the_kernel_allows", until_the_kernel_refuses);
}

#[cfg(target_os = "linux")]
fn until_the_kernel_refuses() {
    let engine = Engine::builder().no_cache().build().unwrap();
    let program = program(&engine);
    runtime().block_on(async {
        let mut waiting = Vec::new();
        let error = loop {
            match start(&program, 0).await {
                Ok(call) => waiting.push(call),
                Err(error) => break error,
            }
            if waiting.len() == 100_000 {
                println!("this kernel allows them all");
                return;
            }
        };
        let all = waiting.len();
        assert!(error.to_string().contains("vm.max_map_count"), "after {all}: {error}");
        // The running ones are unharmed, and one that ends makes room.
        waiting.truncate(all - 10);
        assert_eq!(start(&program, 5).await.unwrap().await.unwrap(), 5);
    });
}
