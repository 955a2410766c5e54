//! Malicious guests: they call every import with arguments that are right, nearly right or absurd, many of them side by
//! side on one thread. They share a folder.
//!
//! What is checked: the host does not panic. A call writes nowhere but to the buffers it was given. A new guest's memory
//! is empty. The memory of a guest that only waits and a file beside the folder, which no guest could know, show up nowhere
//! and stay what they were. No guest has more sockets or memory than it may. Nobody holds the thread for long. All sockets are closed in the end.
//!
//! `cargo test` makes some calls, `ci/fuzz.sh CALLS` as many as one likes. The seed is printed; it fixes what each guest
//! does, not how their calls interleave.

use std::cell::{Cell, RefCell};
use std::io::ErrorKind;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tempfile::TempDir;
use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, UdpSocket};
use tokio::task::{JoinHandle, JoinSet, LocalSet};
use wasio_host::prelude::*;
use wasio_host::wasmtime::TypedFunc;

use crate::support::runtime;

mod call;
mod calls;
mod component;
mod files;

use call::Call;
use calls::{Args, IMPORTS, Known, Maker, PAGE};

/// How many guests at a time.
const GUESTS: usize = 8;
const MAX_SOCKETS: usize = 12;
const MAX_PAGES: usize = 3;
/// A call that waits longer is dropped, and the guest with it.
const PATIENCE: Duration = Duration::from_millis(2);
/// No host call may keep the thread for longer, on the slowest machine.
const LONGEST: Duration = Duration::from_secs(2);
/// More calls in vain than this, and the test is worth nothing.
const WORTH: u64 = 10;

type Func = TypedFunc<(i64, i64, i64, i64, i64, i64, i64, i64, i64), i32>;

#[test]
fn malicious_guests() {
    let number = |name: &str| std::env::var(name).ok().map(|n| n.parse::<u64>().expect(name));
    let total = number("WASIO_FUZZ_CALLS");
    let seed = number("WASIO_FUZZ_SEED").unwrap_or_else(|| fastrand::u64(..) >> 16);
    let calls = total.unwrap_or(50_000);
    println!("{calls} calls, seed {seed}");
    let begun = Instant::now();
    let runtime = runtime();
    let world = LocalSet::new().block_on(&runtime, fuzz(calls, seed, total.is_some()));
    let World { calls, good, dropped, renewed, longest, .. } = &*world;
    println!(
        "{} calls in {:.1?}: {} succeeded, {} were dropped while they waited; {} guests; nobody held the thread for \
         longer than {:.1?}",
        calls.get(),
        begun.elapsed(),
        good.get(),
        dropped.get(),
        renewed.get(),
        longest.get()
    );
    assert!(good.get() * WORTH > calls.get(), "too many calls fail for this to say anything");
    assert!(longest.get() < LONGEST, "somebody held the thread for {:?}", longest.get());
}

/// What all guests share.
struct World {
    program: Program,
    seed: u64,
    /// What the waiting guest's memory is full of.
    secret: [u8; 8],
    folder: TempDir,
    ports: RefCell<Vec<u16>>,
    calls: Cell<u64>,
    good: Cell<u64>,
    dropped: Cell<u64>,
    renewed: Cell<u64>,
    longest: Cell<Duration>,
    told: Cell<bool>,
}

impl World {
    fn new(program: Program, seed: u64, secret: [u8; 8], folder: TempDir) -> World {
        World {
            program,
            seed,
            secret,
            folder,
            ports: RefCell::default(),
            calls: Cell::default(),
            good: Cell::default(),
            dropped: Cell::default(),
            renewed: Cell::default(),
            longest: Cell::default(),
            told: Cell::default(),
        }
    }

    fn check_outside(&self) {
        let outside = self.folder.path().join("outside");
        assert_eq!(std::fs::read(outside).unwrap(), self.secret.repeat(100));
        let beside = std::fs::read_dir(self.folder.path()).unwrap().count();
        assert_eq!(beside, 2, "something was made outside of the folder");
    }
}

fn count(counter: &Cell<u64>) {
    counter.set(counter.get() + 1);
}

/// Makes the calls. `alone` says that no other test runs in this process.
async fn fuzz(calls: u64, seed: u64, alone: bool) -> Rc<World> {
    let engine = Engine::builder().no_cache().pool(GUESTS as u32 + 1).build().unwrap();
    let secret = fastrand::Rng::with_seed(!seed).u64(..).to_le_bytes().map(|byte| byte | 0x81);
    let world = Rc::new(World::new(
        Program::new(&engine, &module()).unwrap(),
        seed,
        secret,
        folder(&secret),
    ));
    let peers = peers(&world, fastrand::Rng::with_seed(seed)).await;
    let watch = tokio::task::spawn_local(watch(world.clone()));
    let files = open_files();
    let waiting = waiting(&world).await;
    let mut guests = JoinSet::new();
    for number in 0..GUESTS as u64 {
        guests.spawn_local(guest(world.clone(), number, calls / GUESTS as u64));
    }
    while let Some(ended) = guests.join_next().await {
        if let Err(panicked) = ended {
            panic!("{panicked}; again with: ci/fuzz.sh {calls} {seed}");
        }
    }
    watch.abort();
    waiting.await.unwrap();
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
    world
}

/// A folder `g` for guests, and a secret beside it.
fn folder(secret: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("g")).unwrap();
    std::fs::write(folder.path().join("outside"), secret.repeat(100)).unwrap();
    folder
}

/// How many descriptors this process has, where that can be known.
fn open_files() -> Option<usize> {
    Some(std::fs::read_dir("/proc/self/fd").ok()?.count())
}

/// Every import as an export of the same nine parameters.
fn module() -> Vec<u8> {
    let mut imports = String::new();
    let mut exports = String::new();
    for (i, (name, params)) in IMPORTS.iter().enumerate() {
        let types: String = params.iter().map(|bits| format!("i{bits} ")).collect();
        let arg = |(n, bits): (usize, &u8)| match bits {
            32 => format!("(i32.wrap_i64 (local.get {n})) "),
            _ => format!("(local.get {n}) "),
        };
        let args: String = params.iter().enumerate().map(arg).collect();
        imports += &format!(
            "(import \"wasi_snapshot_preview1\" \"{name}\" (func $f{i} (param {types}) (result i32)))\n"
        );
        exports += &format!(
            "(func (export \"c{i}\") (param i64 i64 i64 i64 i64 i64 i64 i64 i64) (result i32) (call $f{i} {args}))\n"
        );
    }
    let grow = "(func (export \"grow\") (result i32) (memory.grow (i32.const 1)))";
    let text = format!("(module {imports} (memory (export \"memory\") 1) {exports} {grow})");
    wat::parse_str(&text).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// An instance and what it should look like.
struct Fuzzed {
    instance: Instance,
    funcs: Vec<Func>,
    shadow: Vec<u8>,
    known: Known,
}

impl Fuzzed {
    async fn new(world: &World) -> Fuzzed {
        let policy = "127.0.0.0/8,[::1],listen:127.0.0.0/8,listen:[::1]".parse::<Policy>().unwrap();
        let guest = Guest::builder(&world.program)
            .arg("fuzz")
            .env("A", "b")
            .dir(world.folder.path().join("g"), "g")
            .network(policy)
            .on_denied(|_| {})
            .max_sockets(MAX_SOCKETS)
            .max_memory(MAX_PAGES * PAGE);
        let mut instance = guest.build().unwrap().instantiate().await.unwrap();
        let memory = instance.memory().unwrap();
        assert!(memory.iter().all(|byte| *byte == 0), "a new guest's memory is not empty");
        let funcs = (0..IMPORTS.len()).map(|i| instance.typed(&format!("c{i}")).unwrap()).collect();
        count(&world.renewed);
        Fuzzed { instance, funcs, shadow: vec![0; PAGE], known: Known::default() }
    }

    /// Writes what goes with a call, in memory and in what is remembered of it.
    fn prepare(&mut self, call: &Call) {
        let memory = self.instance.memory().unwrap();
        for (at, bytes) in &call.written {
            for copy in [&mut *memory, &mut self.shadow] {
                if let Some(place) = copy.get_mut(*at..).and_then(|m| m.get_mut(..bytes.len())) {
                    place.copy_from_slice(bytes);
                }
            }
        }
    }

    /// Compares memory with what it was.
    fn check(&mut self, call: &Call, secret: &[u8; 8]) {
        let ranges = call.may_write(&self.shadow);
        let memory = self.instance.memory().unwrap();
        assert!(memory.len() <= MAX_PAGES * PAGE);
        let mut at = 0;
        for range in ranges {
            if range.start > at {
                same(&memory[at..range.start], &self.shadow[at..range.start], at);
            }
            let changed = &memory[range.clone()];
            if changed != &self.shadow[range.clone()] {
                assert!(!changed.windows(8).any(|bytes| bytes == secret), "the secret is out");
                self.shadow[range.clone()].copy_from_slice(changed);
            }
            at = at.max(range.end);
        }
        same(&memory[at..], &self.shadow[at..], at);
    }

    fn learn(&mut self, call: &Call, result: i32, world: &World) {
        assert!((0..128).contains(&result), "returned {result}");
        let Known { open, closed, ports, files } = &mut self.known;
        ports.clone_from(&world.ports.borrow());
        if result != 0 {
            return;
        }
        count(&world.good);
        let word = |at: i32| {
            let at = at as u32 as usize;
            i32::from_le_bytes(*self.shadow[at..].first_chunk().unwrap())
        };
        let params = call.params();
        match call.name() {
            "sock_open" | "sock_accept" => {
                let fd = word(*params.last().unwrap());
                assert!(!open.contains(&fd) && fd >= 1 << 20, "{fd} was given out");
                open.push(fd);
                assert!(open.len() <= MAX_SOCKETS, "{} sockets", open.len());
            }
            "path_open" => {
                let fd = word(*params.last().unwrap());
                assert!(!files.contains(&fd) && (0..1 << 20).contains(&fd), "{fd} was given out");
                files.push(fd);
            }
            "fd_close" => {
                files.retain(|fd| *fd != params[0]);
                open.retain(|fd| *fd != params[0]);
                closed.push(params[0]);
            }
            "fd_renumber" if params[0] != params[1] => {
                files.retain(|fd| *fd != params[0]);
                if params[1] < 1 << 20 && !files.contains(&params[1]) {
                    files.push(params[1]);
                }
                open.retain(|fd| *fd != params[0]);
                closed.push(params[0]);
            }
            "sock_getlocaladdr" => {
                let mut ports = world.ports.borrow_mut();
                let port = word(*params.last().unwrap()) as u16;
                if port != 0 && ports.len() < 64 {
                    ports.push(port);
                }
            }
            _ => {}
        }
        if closed.len() > 8 {
            closed.remove(0);
        }
    }
}

fn same(now: &[u8], before: &[u8], at: usize) {
    if now != before {
        let first = now.iter().zip(before).position(|(a, b)| a != b).unwrap_or(before.len());
        panic!("memory at {:#x} changed, which was nobody's buffer", at + first);
    }
}

/// One guest after the other, until its share of the calls is made.
async fn guest(world: Rc<World>, number: u64, calls: u64) {
    let mut random =
        fastrand::Rng::with_seed(world.seed ^ number.wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let mut guest = Fuzzed::new(&world).await;
    for i in 0..calls {
        guest.known.ports.clone_from(&world.ports.borrow());
        let call = Maker::make(&mut random, &guest.known);
        let said = Said { call: &call, number, i, told: &world.told };
        guest.prepare(&call);
        let patience = if random.u32(0..500) == 0 { Duration::ZERO } else { PATIENCE };
        let [a, b, c, d, e, f, g, h, i_]: Args = call.args;
        let func = &guest.funcs[call.import];
        let called = guest.instance.call_typed_async(func, (a, b, c, d, e, f, g, h, i_));
        let outcome = tokio::time::timeout(patience, called).await;
        count(&world.calls);
        guest.check(&call, &world.secret);
        match outcome {
            Ok(Ok(result)) => guest.learn(&call, result, &world),
            Ok(Err(Error::Trap(_))) => {
                drop(guest);
                guest = Fuzzed::new(&world).await;
            }
            Ok(Err(other)) => panic!("{other}"),
            Err(_) => {
                count(&world.dropped);
                drop(guest);
                guest = Fuzzed::new(&world).await;
            }
        }
        if random.u32(0..1000) == 0 {
            let grown: i32 = guest.instance.call("grow", ()).unwrap();
            assert!(grown == -1 || (grown as usize) < MAX_PAGES, "grew to {grown}");
            guest.shadow.resize(guest.instance.memory().unwrap().len(), 0);
        }
        // Without the folder there is not much to try.
        let lost = guest.known.closed.contains(&3);
        if lost || random.u32(0..5000) == 0 {
            drop(guest);
            guest = Fuzzed::new(&world).await;
        }
        drop(said);
    }
}

/// Says what was called when it went wrong.
struct Said<'a> {
    call: &'a Call,
    number: u64,
    i: u64,
    told: &'a Cell<bool>,
}

impl Drop for Said<'_> {
    fn drop(&mut self) {
        // The others are dropped because of the first.
        if std::thread::panicking() && !self.told.replace(true) {
            let Said { call, number, i, .. } = self;
            eprintln!("guest {number}, call {i}: {}{:?}\n{call:x?}", call.name(), call.params());
        }
    }
}

/// A guest whose memory is full of a secret, and which waits for a message until the others are done.
async fn waiting(world: &Rc<World>) -> JoinHandle<()> {
    let mut guest = Fuzzed::new(world).await;
    let find = |name: &str| IMPORTS.iter().position(|(n, _)| *n == name).unwrap();
    let (open, poll) = (&guest.funcs[find("sock_open")], &guest.funcs[find("poll_oneoff")]);
    let opened = guest.instance.call_typed_async(open, (1, 1, 0, 0, 0, 0, 0, 0, 0)).await.unwrap();
    assert_eq!(opened, 0);
    let memory = guest.instance.memory().unwrap();
    let fd: [u8; 4] = memory[..4].try_into().unwrap();
    let secret = world.secret.iter().cycle();
    memory.iter_mut().zip(secret).for_each(|(byte, secret)| *byte = *secret);
    // Readable, for ever not.
    memory[64..112].fill(0);
    memory[72] = 1;
    memory[80..84].copy_from_slice(&fd);
    let before = memory.to_vec();
    let (poll, calls) = (poll.clone(), world.clone());
    tokio::task::spawn_local(async move {
        let waited = guest.instance.call_typed_async(&poll, (64, 1024, 1, 2048, 0, 0, 0, 0, 0));
        let others_are_done = async {
            // This is the last holder beside the others', who are gone by then.
            while Rc::strong_count(&calls) > 3 {
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::select! {
            result = waited => panic!("the guest that waits was woken: {result:?}"),
            () = others_are_done => {}
        }
        assert_eq!(guest.instance.memory().unwrap(), before, "the waiting guest's memory changed");
    })
}

/// Measures how long others keep the thread.
async fn watch(world: Rc<World>) {
    loop {
        let begun = Instant::now();
        tokio::time::sleep(Duration::from_millis(1)).await;
        world.longest.set(world.longest.get().max(begun.elapsed()));
    }
}

/// Somebody to talk to: one who echoes, one who is rude, one for messages.
async fn peers(world: &World, mut random: fastrand::Rng) -> Vec<JoinHandle<()>> {
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let rude = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let messages = UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let ports = [echo.local_addr(), rude.local_addr(), messages.local_addr()];
    world.ports.borrow_mut().extend(ports.map(|addr| addr.unwrap().port()));
    let echo = tokio::task::spawn_local(async move {
        let mut talks = JoinSet::new();
        loop {
            // Too many files are open: a guest's fault, and its own problem.
            let Ok((mut stream, _)) = echo.accept().await else { continue };
            talks.spawn_local(async move {
                let (mut reader, mut writer) = stream.split();
                let _ = tokio::io::copy(&mut reader, &mut writer).await;
            });
            while talks.try_join_next().is_some() {}
        }
    });
    let rude = tokio::task::spawn_local(async move {
        loop {
            let Ok((mut stream, _)) = rude.accept().await else { continue };
            let _ = match random.u32(0..4) {
                0 => stream.set_zero_linger(),
                1 => stream.write_all(&[7; 100]).await,
                2 => stream.try_read(&mut [0; 8]).map(drop),
                _ => stream.shutdown().await,
            };
        }
    });
    let messages = tokio::task::spawn_local(async move {
        let mut buffer = [0; 1 << 16];
        loop {
            match messages.recv_from(&mut buffer).await {
                Ok((n, from)) => drop(messages.try_send_to(&buffer[..n], from)),
                Err(e) => assert_ne!(e.kind(), ErrorKind::InvalidInput),
            }
        }
    });
    vec![echo, rude, messages]
}

/// What one poll may ask for is bounded: it is looked at in one go.
#[test]
fn a_poll_of_too_much_is_refused() {
    const TEXT: &str = r#"(module
        (import "wasi_snapshot_preview1" "sock_open" (func $open (param i32 i32 i32) (result i32)))
        (import "wasi_snapshot_preview1" "poll_oneoff" (func $poll (param i32 i32 i32 i32) (result i32)))
        (memory (export "memory") 1400)
        (func (export "run") (param $n i32) (param $fd i32) (result i32)
            (local $at i32)
            (drop (call $open (i32.const 1) (i32.const 1) (i32.const 8)))
            (if (i32.eqz (local.get $fd)) (then (local.set $fd (i32.load (i32.const 8)))))
            (local.set $at (i32.const 64))
            (loop $next
                (i32.store8 offset=8 (local.get $at) (i32.const 2))
                (i32.store offset=16 (local.get $at) (local.get $fd))
                (local.set $at (i32.add (local.get $at) (i32.const 48)))
                (br_if $next (i32.lt_u (local.get $at) (i32.add (i32.const 64) (i32.mul (local.get $n) (i32.const 48))))))
            (call $poll (i32.const 64) (local.get $at) (local.get $n) (i32.const 16))))"#;
    let engine = Engine::builder().no_cache().build().unwrap();
    let program = Program::new(&engine, &wat::parse_str(TEXT).unwrap()).unwrap();
    runtime().block_on(async {
        // Sockets, and standard output.
        for (n, fd, returned) in [(1 << 17, 0, 0), (1 << 17, 1, 0), (1 << 18, 0, 28)] {
            let guest = Guest::builder(&program).network(Policy::all()).max_sockets(1 << 16);
            let mut guest = guest.build().unwrap().instantiate().await.unwrap();
            let call = async move { guest.call_async::<(i32, i32), i32>("run", (n, fd)).await };
            let call = tokio::spawn(call);
            let mut longest = Duration::ZERO;
            while !call.is_finished() {
                let begun = Instant::now();
                tokio::time::sleep(Duration::from_millis(1)).await;
                longest = longest.max(begun.elapsed());
            }
            assert_eq!(call.await.unwrap().unwrap(), returned);
            println!("{n} subscriptions about {fd}: others waited for up to {longest:.1?}");
            assert!(longest < LONGEST);
        }
    });
}
