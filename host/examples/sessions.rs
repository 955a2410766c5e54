//! Sessions as guests in blocking style, one guest each: all suspended on one thread, or each on a thread of
//! its own. What `cargo xtask bench suspend` measures.
//! `sessions suspended|threads GUEST.wasm ADDRESS SESSIONS THINK MEASURE`, times in milliseconds.

use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::sync::{Semaphore, mpsc, watch};
use wasio_host::prelude::*;

#[allow(missing_docs, unreachable_pub)]
#[path = "../../benches/src/phases.rs"]
mod phases;

use phases::{AT_ONCE, Latencies, Plan};

/// What the guests' imports share.
struct Shared {
    permits: Semaphore,
    connected: mpsc::UnboundedSender<()>,
    going: watch::Receiver<bool>,
}

fn main() -> Result<(), Error> {
    let args: Vec<String> = std::env::args().collect();
    let [_, way, guest, plan @ ..] = &args[..] else {
        panic!("usage: sessions suspended|threads GUEST.wasm ADDRESS SESSIONS THINK MEASURE");
    };
    let plan = Arc::new(Plan::parse(plan));
    let latencies = Arc::new(Latencies::new());
    let (connected, mut ready) = mpsc::unbounded_channel();
    let (go, going) = watch::channel(false);
    let shared = Arc::new(Shared { permits: Semaphore::new(AT_ONCE), connected, going });

    let engine = Engine::builder().pool(plan.sessions as u32).build()?;
    let mut imports = Imports::new(&engine);
    imports.wrap_async_with_env(
        "bench",
        "ready",
        shared.clone(),
        async |shared: Arc<Shared>| {
            shared.permits.add_permits(1);
            shared.connected.send(()).expect("somebody counts");
            shared.going.clone().wait_for(|going| *going).await.expect("it will go");
        },
    )?;
    let record = latencies.clone();
    imports.wrap("bench", "record", move |nanos: i64| {
        record.record(Duration::from_nanos(nanos as u64));
    })?;
    let wasm = std::fs::read(guest).expect("the guest can be read");
    let program = Program::with_imports(&engine, &wasm, &imports)?;

    runtime().block_on(async {
        let began = Instant::now();
        for n in 0..plan.sessions {
            let (program, plan, shared) = (program.clone(), plan.clone(), shared.clone());
            let session = async move {
                shared.permits.acquire().await.expect("never closed").forget();
                let guest = session(&program, &plan, n).build().expect("nothing is opened");
                panic!("a session ended: {:?}", guest.run().await);
            };
            if way == "threads" {
                thread::spawn(move || runtime().block_on(session));
            } else {
                tokio::spawn(session);
            }
        }
        for _ in 0..plan.sessions {
            ready.recv().await.expect("a sender is kept here");
        }
        latencies.measure(&plan, began, || _ = go.send_replace(true)).await;
    });
    std::process::exit(0);
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime")
}

fn session(program: &Program, plan: &Plan, n: usize) -> wasio_host::GuestBuilder {
    Guest::builder(program)
        .arg("session")
        .arg(plan.address.to_string())
        .arg(plan.delay(n).as_millis().to_string())
        .arg(plan.think.as_millis().to_string())
        .network(Policy::all())
        .on_stderr(|said| eprint!("{}", String::from_utf8_lossy(said)))
}
