//! The drop-ins beside tokio and socket2: each stands in for a published package that WASI builds cannot use.
#![cfg(unix)]

mod cargo_support;

use cargo_support::{Project, finish};

const DEPENDENCIES: &str = r#"
tokio = { version = "1", features = ["macros", "net", "rt-multi-thread", "sync", "time"] }
futures = "0.3"
futures-timer = "3"
pollster = { version = "1", features = ["macro"] }
pollster4 = { package = "pollster", version = "0.4" }
pollster3 = { package = "pollster", version = "0.3" }
uname = "0.1"
socket2 = "0.6"
socket2_5 = { package = "socket2", version = "0.5" }
hostname = { version = "0.4", features = ["set"] }
hostname3 = { package = "hostname", version = "0.3" }
quinn-udp = "0.5"
certs = { package = "rustls-native-certs", version = "0.8" }
certs7 = { package = "rustls-native-certs", version = "0.7" }
certs6 = { package = "rustls-native-certs", version = "0.6" }
whoami = "2"
whoami1 = { package = "whoami", version = "1" }
"#;

const MAIN: &str = r#"
use quinn_udp::{RecvMeta, Transmit, UdpSocketState};

#[tokio::main]
async fn main() {
    println!("host {:?} {:?}", hostname::get().unwrap(), hostname3::get().unwrap());
    println!("set {:?}", hostname::set("x").unwrap_err().kind());
    println!("user {} {}", whoami::username().unwrap(), whoami1::username());
    let roots = certs::load_native_certs();
    println!("roots {} {:?}", roots.certs.len(), roots.errors);
    println!("{} {}", certs7::load_native_certs().unwrap().len(), certs6::load_native_certs().unwrap().len());
    let socket = tokio::net::UdpSocket::bind("127.0.0.1:0").await.unwrap();
    let state = UdpSocketState::new((&socket).into()).unwrap();
    let destination = socket.local_addr().unwrap();
    let contents = b"hello";
    let transmit = Transmit { destination, ecn: None, contents, segment_size: None, src_ip: None };
    state.send((&socket).into(), &transmit).unwrap();
    socket.readable().await.unwrap();
    let mut buf = [0; 16];
    let mut meta = [RecvMeta::default()];
    state.recv((&socket).into(), &mut [std::io::IoSliceMut::new(&mut buf)], &mut meta).unwrap();
    println!("datagram {:?}", std::str::from_utf8(&buf[..meta[0].len]));
    println!("socket2 {} {}", newer(), older());
    println!("futures {}", other_executor().await);
    println!("pollster {}", waits_in_task().await);
    let system = uname::uname().unwrap();
    println!("uname {} {} {}", system.sysname, system.nodename, system.machine);
    if std::env::args().nth(1).is_some() {
        tokio::spawn(async { futures::executor::block_on(std::future::pending::<()>()) }).await.unwrap();
    }
}

fn newer() -> bool {
    use socket2::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.local_addr().unwrap().as_socket_ipv4().unwrap().port() > 0
}

fn older() -> bool {
    use socket2_5::{Domain, Protocol, Socket, Type};
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP)).unwrap();
    socket.bind(&"127.0.0.1:0".parse::<std::net::SocketAddr>().unwrap().into()).unwrap();
    socket.local_addr().unwrap().as_socket_ipv4().unwrap().port() > 0
}

#[pollster::main]
async fn waits() {
    futures_timer::Delay::new(std::time::Duration::from_millis(1)).await;
}

async fn waits_in_task() -> u32 {
    let task = tokio::spawn(async {
        waits();
        let delay = || futures_timer::Delay::new(std::time::Duration::from_millis(1));
        pollster3::block_on(delay());
        pollster4::block_on(delay());
    });
    task.await.unwrap();
    4
}

async fn other_executor() -> u32 {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    tokio::spawn(async {
        tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        sender.send(3).unwrap();
    });
    let closure = tokio::task::spawn_blocking(|| futures::executor::block_on(receiver).unwrap());
    let in_task = tokio::spawn(async { futures::executor::block_on(closure).unwrap() });
    in_task.await.unwrap()
}
"#;

/// A certificate as far as anybody looks here.
const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nQUFB\n-----END CERTIFICATE-----\n";

#[test]
fn each_is_used_where_the_tree_has_a_use_for_it_and_runs() {
    let Some(runner) = option_env!("CARGO_BIN_EXE_wasio") else { return };
    let project = Project::new("drop-ins", DEPENDENCIES, MAIN);
    project.write("own.pem", CERTIFICATE);
    for wasi in ["p1", "p2"] {
        let mut command = project.command();
        command.args(["run", "--wasi", wasi]).env("WASIO_BIN", runner);
        command.env("USER", "somebody").args(["--env", "HOSTNAME=somewhere"]);
        command.args(["--env", "SSL_CERT_FILE=own.pem", "--env", "SSL_CERT_DIR="]);
        let out = finish(&mut command).ok();
        let lines: Vec<&str> = out.stdout.lines().collect();
        let expected = [
            "host \"somewhere\" \"somewhere\"",
            "set Unsupported",
            "user somebody somebody",
            "roots 1 []",
            "1 1",
            "datagram Ok(\"hello\")",
            "socket2 true true",
            "futures 3",
            "pollster 4",
            "uname wasi somewhere wasm32",
        ];
        assert_eq!(lines, expected, "on {wasi}");
        for name in [
            "hostname 0.4.999",
            "hostname 0.3.999",
            "quinn-udp 0.5.999",
            "wasite 1.999.0",
            "socket2 0.6.999",
            "socket2 0.5.999",
            "futures-executor 0.3.999",
            "futures-timer 3.999.0",
            "pollster 1.999.0",
            "pollster 0.4.999",
            "pollster 0.3.999",
            "uname 0.1.999",
        ] {
            assert!(out.stderr.contains(&format!("wasio's {name}")), "{name}: {}", out.stderr);
        }
        assert!(!out.stderr.contains("was not used in the crate graph"), "{}", out.stderr);
    }
    // What nothing can wake is said, and does not spin.
    let mut command = project.command();
    command.args(["run", "--quiet", "--", "stuck"]).env("WASIO_BIN", runner);
    let out = finish(&mut command);
    assert!(out.code != Some(0), "{:?}\n{}", out.code, out.stderr);
    out.says("deadlock: every task is waiting");
    // Without a file that is named there are Mozilla's, as a sandbox has none of the system's.
    let mut command = project.command();
    command.args(["run", "--quiet", "--sandbox", "--net", "all"]).env("WASIO_BIN", runner);
    let out = finish(&mut command).ok();
    let roots = out.stdout.lines().find_map(|line| line.strip_prefix("roots ")).unwrap();
    let (count, errors) = roots.split_once(' ').unwrap();
    assert!(count.parse::<u32>().unwrap() > 50 && errors == "[]", "{roots}");
}

#[test]
fn a_requirement_that_excludes_a_small_one_is_a_warning() {
    let project = Project::new("excluding", "hostname = \"=0.4.2\"", "fn main() {}");
    let out = project.wasio(&["doctor"]).ok();
    assert!(out.stdout.contains("warning: hostname 0.4.2"), "{}", out.stdout);
    assert!(out.stdout.contains("write the requirement as `0.4`"), "{}", out.stdout);
    // The build goes on, and fails as the package does.
    project
        .wasio(&["check"])
        .says("requires hostname `=0.4.2`")
        .fails_with(101, "Unsupported target");
}
