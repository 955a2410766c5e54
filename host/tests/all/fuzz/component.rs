//! Malicious components: `tests/component` calls every import of WASI 0.2, with handles instead of descriptors. Many run
//! side by side on one thread, share a folder, and are dropped or run out of time in the middle.
//!
//! What is checked: the host does not panic. What is outside of the folder stays what it was. Nobody holds the thread for
//! long. The process does not grow, and all sockets and files are closed in the end.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::rc::Rc;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use tokio::task::{JoinHandle, JoinSet, LocalSet};
use wasio_host::pipe::MemoryInputPipe;
use wasio_host::prelude::*;

use super::{GUESTS, LONGEST, WORTH, World, count, folder, open_files, peers, watch};
use crate::support::runtime;

/// How many calls a guest makes if nothing ends it.
const CALLS: u64 = 5000;
/// What the process may grow by after the first tenth of the calls: less than one guest's memory.
const GROWTH: u64 = 48 << 20;

#[test]
fn malicious_components() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().expect(name));
    let total = number("WASIO_FUZZ_CALLS");
    let seed = number("WASIO_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..) >> 16);
    let calls = total.unwrap_or(20_000);
    println!("{calls} calls of components, seed {seed}");
    let begun = Instant::now();
    let (world, ends) = LocalSet::new().block_on(&runtime(), fuzz(calls, seed, total.is_some()));
    let World { calls, good, dropped, renewed, longest, .. } = &*world;
    println!(
        "{} calls in {:.1?}: {} succeeded; {} guests, of which {} were dropped; nobody held the thread for longer than \
         {:.1?}",
        calls.get(),
        begun.elapsed(),
        good.get(),
        renewed.get(),
        dropped.get(),
        longest.get()
    );
    for (end, guests) in &*ends.borrow() {
        println!("{guests:>8} {end}");
    }
    assert!(good.get() * WORTH > calls.get(), "too many calls fail for this to say anything");
    assert!(longest.get() < LONGEST, "somebody held the thread for {:?}", longest.get());
}

/// Found by the above: the task that waited for a message holds the socket until the runtime has had its turn.
#[test]
fn a_udp_socket_gets_new_streams() {
    let guest =
        Guest::builder(&program("streams")).network(Policy::all()).stderr(std::io::stderr());
    let exit = runtime().block_on(guest.build().unwrap().run()).unwrap();
    assert!(exit.success());
}

/// How often guests ended in which way.
type Ends = Rc<RefCell<BTreeMap<String, u64>>>;

/// One of `tests/component`.
fn program(name: &str) -> Program {
    let source =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/component").join(format!("{name}.rs"));
    let wasm = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("component-{name}.wasm"));
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition=2024", "--target=wasm32-wasip2", "-O", "-o"])
        .arg(&wasm)
        .arg(source)
        .status()
        .expect("rustc runs");
    assert!(status.success(), "the component does not build: is the target wasm32-wasip2 there?");
    let engine = Engine::builder().no_cache().pool(GUESTS as u32).build().unwrap();
    Program::from_file(&engine, wasm).unwrap()
}

async fn fuzz(calls: u64, seed: u64, alone: bool) -> (Rc<World>, Ends) {
    let secret = fastrand::Rng::with_seed(!seed).u64(..).to_le_bytes();
    let world = Rc::new(World::new(program("main"), seed, secret, folder(&secret)));
    let peers = peers(&world, fastrand::Rng::with_seed(seed)).await;
    let watch = tokio::task::spawn_local(watch(world.clone()));
    let (files, ends) = (open_files(), Ends::default());
    let mut guests = JoinSet::new();
    for number in 0..GUESTS as u64 {
        guests.spawn_local(one_after_the_other(world.clone(), ends.clone(), number, calls));
    }
    let mut grown = None;
    while !guests.is_empty() {
        tokio::select! {
            Some(ended) = guests.join_next() => if let Err(panicked) = ended {
                panic!("{panicked}; again with: ci/fuzz.sh {calls} {seed}");
            },
            () = tokio::time::sleep(Duration::from_millis(50)) => {
                if world.calls.get() > calls / 10 && grown.is_none() {
                    grown = memory();
                }
            }
        }
    }
    watch.abort();
    peers.iter().for_each(JoinHandle::abort);
    for peer in peers {
        assert!(peer.await.unwrap_err().is_cancelled(), "a peer failed");
    }
    world.check_outside();
    // Connections that were accepted for the peers end with them.
    tokio::time::sleep(Duration::from_millis(50)).await;
    if let (true, Some(before)) = (alone, files) {
        let after = open_files().unwrap();
        assert!(after <= before, "{before} files were open before, {after} are now");
    }
    if let (true, Some(before), Some(after)) = (alone, grown, memory()) {
        println!(
            "memory: {} KiB after a tenth of the calls, {} KiB at the end",
            before >> 10,
            after >> 10
        );
        assert!(after < before + GROWTH, "the process grew from {before} bytes to {after}");
    }
    (world, ends)
}

/// Bytes that this process has in memory, where that can be known.
fn memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(line.split_whitespace().next()?.parse::<u64>().ok()? << 10)
}

async fn one_after_the_other(world: Rc<World>, ends: Ends, number: u64, calls: u64) {
    let mut random =
        fastrand::Rng::with_seed(world.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    while world.calls.get() < calls {
        let seed = random.u64(..);
        let said = Arc::new(Mutex::new(Vec::new()));
        let log = said.clone();
        let policy = "127.0.0.0/8,[::1],localhost:*,listen:127.0.0.0/8,listen:[::1]";
        let mut guest = Guest::builder(&world.program)
            .args(["fuzz".to_owned(), seed.to_string(), CALLS.to_string()])
            .args(world.ports.borrow().iter().map(u16::to_string))
            .dir(world.folder.path().join("g"), "g")
            .network(policy.parse::<Policy>().unwrap())
            .on_denied(|_| {})
            .stdin(MemoryInputPipe::new("what is typed"))
            .on_stdout(|_| {})
            .on_stderr(move |bytes| log.lock().unwrap().extend_from_slice(bytes))
            .max_memory(32 << 20);
        if random.u32(0..4) == 0 {
            guest = guest.timeout(Duration::from_micros(random.u64(0..50_000)));
        }
        let patience = Duration::from_micros(random.u64(0..400_000));
        let told = Told { seed, world: &world };
        let outcome = tokio::time::timeout(patience, guest.build().unwrap().run()).await;
        drop(told);
        count(&world.renewed);
        let end = match outcome {
            Err(_) => {
                count(&world.dropped);
                "dropped".to_owned()
            }
            Ok(Ok(exit)) => format!("exited with {}", exit.code()),
            Ok(Err(Error::Trap(trap))) => {
                trap.reason().chars().filter(|c| !c.is_ascii_digit()).collect()
            }
            Ok(Err(Error::TimedOut(_))) => "ran out of time".to_owned(),
            Ok(Err(other)) => panic!("{other}"),
        };
        *ends.borrow_mut().entry(end).or_default() += 1;
        let said = String::from_utf8_lossy(&said.lock().unwrap()).into_owned();
        let numbers = |line: &str| {
            let (calls, good) = line.split_once(' ')?;
            Some((calls.parse::<u64>().ok()?, good.parse::<u64>().ok()?))
        };
        if let Some((calls, good)) = said.lines().rev().find_map(numbers) {
            world.calls.set(world.calls.get() + calls);
            world.good.set(world.good.get() + good);
        }
    }
}

/// Says whose call it was when it went wrong.
struct Told<'a> {
    seed: u64,
    world: &'a World,
}

impl Drop for Told<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() && !self.world.told.replace(true) {
            eprintln!("the guest's seed is {}", self.seed);
        }
    }
}
