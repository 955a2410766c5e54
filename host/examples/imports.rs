//! What calls between a guest and its host cost. What `cargo xtask bench imports` measures: prints a name and
//! a number per line, times in nanoseconds, memory in bytes.

use std::future::{pending, poll_fn};
use std::pin::Pin;
use std::task::{Context, Poll, Waker};

use wasio_host::Instance;
use wasio_host::prelude::*;

const CALLS: i32 = 2_000_000;
const SUSPENSIONS: i32 = 500_000;
const CROWD: usize = 10_000;

/// Exports a loop of calls for each import, and a page of memory of which one word is written.
const GUEST: &str = r#"(module
    (import "env" "plain" (func $plain (param i32) (result i32)))
    (import "env" "ready" (func $ready (param i32) (result i32)))
    (import "env" "once" (func $once (param i32) (result i32)))
    (import "env" "never" (func $never))
    (memory (export "memory") 1)
    (func (export "none") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.xor (local.get $n) (local.get $sum)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "plain") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.xor (call $plain (local.get $n)) (local.get $sum)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "ready") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.xor (call $ready (local.get $n)) (local.get $sum)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "once") (param $n i32) (result i32) (local $sum i32)
        (loop $again
            (local.set $sum (i32.xor (call $once (local.get $n)) (local.get $sum)))
            (br_if $again (local.tee $n (i32.sub (local.get $n) (i32.const 1)))))
        (local.get $sum))
    (func (export "never") (i32.store (i32.const 0) (i32.const 1)) (call $never))
    (func (export "nothing") (i32.store (i32.const 0) (i32.const 1))))"#;

type Waiting = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

fn main() -> Result<(), Error> {
    let engine = Engine::builder().no_cache().pool(CROWD as u32).build()?;
    let mut imports = Imports::new(&engine);
    imports.wrap("env", "plain", |n: i32| n)?;
    imports.wrap_async("env", "ready", async |n: i32| n)?;
    imports.wrap_async("env", "once", async |n: i32| {
        suspend().await;
        n
    })?;
    imports.wrap_async("env", "never", async || pending::<()>().await)?;
    let wasm = wat::parse_str(GUEST).expect("the guest is right");
    let program = Program::with_imports(&engine, &wasm, &imports)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    // A task, as guests are: what `block_on` itself runs asks the system for events whenever it is pending.
    let measured = async move {
        let mut instance = instance(&program).await?;
        let empty = per_call(&mut instance, "none", CALLS).await?;
        for (name, export, calls) in [
            ("plain_import", "plain", CALLS),
            ("ready_async_import", "ready", CALLS),
            ("suspension", "once", SUSPENSIONS),
        ] {
            let each = per_call(&mut instance, export, calls).await? - empty;
            println!("{name} {each:.1}");
        }
        drop(instance);
        crowds(&program).await
    };
    runtime.expect("a runtime").block_on(async { tokio::spawn(measured).await }).expect("no panic")
}

/// Nanoseconds that this thread has executed: other programs do not count, and nothing here waits.
#[cfg(unix)]
fn now() -> f64 {
    let time = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    time.tv_sec as f64 * 1e9 + time.tv_nsec as f64
}

#[cfg(not(unix))]
fn now() -> f64 {
    std::time::UNIX_EPOCH.elapsed().map_or(0.0, |time| time.as_nanos() as f64)
}

/// Is pending once. It wakes its task at once: what is measured is the way out of the guest and back.
async fn suspend() {
    let mut suspended = false;
    poll_fn(|cx| {
        if std::mem::replace(&mut suspended, true) {
            return Poll::Ready(());
        }
        cx.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

async fn instance(program: &Program) -> Result<Instance, Error> {
    Guest::builder(program).build()?.instantiate().await
}

async fn per_call(instance: &mut Instance, export: &str, calls: i32) -> Result<f64, Error> {
    instance.call_async::<i32, i32>(export, calls / 10).await?;
    let began = now();
    instance.call_async::<i32, i32>(export, calls).await?;
    Ok((now() - began) / f64::from(calls))
}

/// Starts a guest and lets it wait in an import.
async fn wait(program: &Program) -> Result<Waiting, Error> {
    let mut instance = instance(program).await?;
    let mut call: Waiting =
        Box::pin(async move { instance.call_async::<(), ()>("never", ()).await });
    match call.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(_) => unreachable!("it waits for ever"),
        Poll::Pending => Ok(call),
    }
}

async fn crowds(program: &Program) -> Result<(), Error> {
    drop(wait(program).await?);
    let before = resident();
    let mut crowd = Vec::with_capacity(CROWD);
    for _ in 0..CROWD {
        crowd.push(wait(program).await?);
    }
    if let (Some(before), Some(now)) = (before, resident()) {
        println!("suspended_memory {}", now.saturating_sub(before) / CROWD as u64);
    }
    crowd.clear();
    // The pool is warm now.
    let began = now();
    for _ in 0..CROWD {
        crowd.push(wait(program).await?);
    }
    println!("start_among_many {:.0}", (now() - began) / CROWD as f64);
    crowd.clear();
    let began = now();
    for _ in 0..CROWD {
        instance(program).await?.call_async::<(), ()>("nothing", ()).await?;
    }
    println!("start_and_end {:.0}", (now() - began) / CROWD as f64);
    Ok(())
}

/// Bytes of memory that this process has in use; `None` where the system does not say.
fn resident() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? * 1024)
}
