//! Builds and runs guests.

use std::io::{BufRead as _, BufReader};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex, OnceLock};
use std::thread;
use std::time::Duration;

use wasio_host::pipe::MemoryOutputPipe;
use wasio_host::{Engine, Error, Exit, Guest, GuestBuilder, Policy, Program};

/// No test may take longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

pub(crate) fn engine() -> &'static Engine {
    static ENGINE: OnceLock<Engine> = OnceLock::new();
    ENGINE.get_or_init(|| Engine::builder().no_cache().build().unwrap())
}

/// The guest of `tests/guest`, built once.
pub(crate) fn program() -> &'static Program {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    PROGRAM.get_or_init(|| build("main.rs", "wasm32-wasip1"))
}

/// A component of `tests/guest/component.rs`, built once, that may use the whole network.
pub(crate) fn component(args: &[&str]) -> GuestBuilder {
    static PROGRAM: OnceLock<Program> = OnceLock::new();
    guest_of(PROGRAM.get_or_init(|| build("component.rs", "wasm32-wasip2")), args)
}

fn build(source: &str, target: &str) -> Program {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guest");
    let wasm = Path::new(env!("CARGO_TARGET_TMPDIR")).join(target).with_extension("wasm");
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let status = Command::new(rustc)
        .args(["--edition=2024", "--target", target, "-Copt-level=1", "-o"])
        .arg(&wasm)
        .arg(folder.join(source))
        .status()
        .expect("rustc runs");
    assert!(status.success(), "the guest does not build: is the target {target} there?");
    Program::from_file(engine(), wasm).unwrap()
}

/// A guest that may use the whole network and says on our stderr what fails.
pub(crate) fn guest(args: &[&str]) -> GuestBuilder {
    guest_of(program(), args)
}

fn guest_of(program: &Program, args: &[&str]) -> GuestBuilder {
    Guest::builder(program)
        .arg("guest")
        .args(args)
        .network(Policy::all())
        .stderr(std::io::stderr())
        .timeout(LIMIT)
}

pub(crate) fn run(guest: GuestBuilder) -> Result<Exit, Error> {
    runtime().block_on(guest.build().unwrap().run())
}

/// Runs one of the guest's programs, whose asserts are the test.
pub(crate) fn passes(args: &[&str]) {
    succeeds(guest(args));
}

pub(crate) fn succeeds(guest: GuestBuilder) {
    match run(guest) {
        Ok(exit) => assert_eq!(exit.code(), 0),
        Err(error) => panic!("{error}"),
    }
}

pub(crate) fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap()
}

/// A guest in the text format.
pub(crate) fn wat(text: &str) -> Program {
    let wasm = wat::parse_str(text).unwrap_or_else(|e| panic!("{e}\n{text}"));
    Program::new(engine(), &wasm).unwrap_or_else(|e| panic!("{e}\n{text}"))
}

/// Serves one connection on a thread of its own; returns the port.
pub(crate) fn peer(serve: impl FnOnce(TcpStream) + Send + 'static) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_nodelay(true).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        serve(stream);
    });
    port.to_string()
}

/// A port of loopback that nobody listens on. The socket keeps it reserved.
pub(crate) fn closed_port() -> (socket2::Socket, String) {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
    let port = socket.local_addr().unwrap().as_socket().unwrap().port();
    (socket, port.to_string())
}

/// The lines a guest prints, as they come.
#[derive(Clone)]
pub(crate) struct Output(MemoryOutputPipe);

impl Output {
    pub(crate) fn new() -> Output {
        Output(MemoryOutputPipe::new(1 << 16))
    }

    pub(crate) fn pipe(&self) -> MemoryOutputPipe {
        self.0.clone()
    }

    /// Waits for line `n`, counted from 0.
    pub(crate) async fn line(&self, n: usize) -> String {
        loop {
            let bytes = self.0.contents();
            if bytes.iter().filter(|b| **b == b'\n').count() > n {
                return BufReader::new(&*bytes).lines().nth(n).unwrap().unwrap();
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }
}

/// Collects what a guest was denied.
pub(crate) fn denials(guest: GuestBuilder) -> (GuestBuilder, Arc<Mutex<Vec<String>>>) {
    let log = Arc::new(Mutex::new(Vec::new()));
    let said = log.clone();
    (guest.on_denied(move |denied| said.lock().unwrap().push(denied.to_string())), log)
}
