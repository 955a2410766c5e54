//! Programs of WASI 0.2, by name. What std does not have is called as the interface has it.

use std::io::{Read as _, Write as _};
use std::net::UdpSocket;

/// A result: whether it is an error, and the handle or, in its first byte, the error's code.
#[repr(C)]
#[derive(Default)]
struct Answer {
    is_err: u8,
    value: u32,
}

#[link(wasm_import_module = "wasi:sockets/tcp-create-socket@0.2.0")]
unsafe extern "C" {
    #[link_name = "create-tcp-socket"]
    fn create_tcp_socket(is_v6: u32, socket: *mut Answer);
}

#[link(wasm_import_module = "wasi:sockets/udp-create-socket@0.2.0")]
unsafe extern "C" {
    #[link_name = "create-udp-socket"]
    fn create_udp_socket(is_v6: u32, socket: *mut Answer);
}

#[link(wasm_import_module = "wasi:sockets/tcp@0.2.0")]
unsafe extern "C" {
    #[link_name = "[method]tcp-socket.subscribe"]
    fn subscribe(socket: u32) -> u32;
    #[link_name = "[resource-drop]tcp-socket"]
    fn drop_tcp(socket: u32);
}

#[link(wasm_import_module = "wasi:sockets/udp@0.2.0")]
unsafe extern "C" {
    #[link_name = "[resource-drop]udp-socket"]
    fn drop_udp(socket: u32);
}

#[link(wasm_import_module = "wasi:clocks/monotonic-clock@0.2.0")]
unsafe extern "C" {
    #[link_name = "subscribe-duration"]
    fn subscribe_duration(nanos: u64) -> u32;
    #[link_name = "subscribe-instant"]
    fn subscribe_instant(when: u64) -> u32;
}

#[link(wasm_import_module = "wasi:sockets/instance-network@0.2.0")]
unsafe extern "C" {
    #[link_name = "instance-network"]
    fn instance_network() -> u32;
}

#[link(wasm_import_module = "wasi:sockets/ip-name-lookup@0.2.0")]
unsafe extern "C" {
    #[link_name = "resolve-addresses"]
    fn resolve_addresses(network: u32, name: *const u8, len: usize, answer: *mut Answer);
}

#[link(wasm_import_module = "wasi:io/poll@0.2.0")]
unsafe extern "C" {
    #[link_name = "poll"]
    fn poll(pollables: *const u32, count: usize, ready: *mut [usize; 2]);
}

#[link(wasm_import_module = "wasi:cli/stdout@0.2.0")]
unsafe extern "C" {
    #[link_name = "get-stdout"]
    fn get_stdout() -> u32;
}

#[link(wasm_import_module = "wasi:io/streams@0.2.0")]
unsafe extern "C" {
    #[link_name = "[method]output-stream.write"]
    fn write(stream: u32, bytes: *const u8, len: usize, answer: *mut [u32; 3]);
    #[link_name = "[method]output-stream.blocking-write-and-flush"]
    fn blocking_write_and_flush(stream: u32, bytes: *const u8, len: usize, answer: *mut [u32; 3]);
}

const ACCESS_DENIED: u8 = 1;
const INVALID_ARGUMENT: u8 = 3;
const NEW_SOCKET_LIMIT: u8 = 10;

fn answer(ask: impl FnOnce(*mut Answer)) -> Result<u32, u8> {
    let mut answer = Answer::default();
    ask(&mut answer);
    if answer.is_err == 0 { Ok(answer.value) } else { Err(answer.value as u8) }
}

fn tcp() -> Result<u32, u8> {
    // SAFETY: the answer has the interface's layout and lives for the call.
    answer(|place| unsafe { create_tcp_socket(0, place) })
}

fn udp() -> Result<u32, u8> {
    // SAFETY: the answer has the interface's layout and lives for the call.
    answer(|place| unsafe { create_udp_socket(0, place) })
}

fn main() {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let number = || args[1].parse::<u16>().unwrap();
    match args[0].as_str() {
        "sockets" => sockets(number(), NEW_SOCKET_LIMIT),
        "denied" => sockets(number(), ACCESS_DENIED),
        "accepts" => accepts(),
        "handles" => handles(),
        "hears" => hears(number()),
        "heard-by-all" => heard_by_all(),
        "flooded" => flooded(),
        "leaves" => leaves(),
        "crowd" => crowd(number()),
        "polls" => polls(args[1].parse().unwrap()),
        "long-name" => long_name(args[1].parse().unwrap()),
        "far-clocks" => far_clocks(),
        "writes" => writes(args[1].parse().unwrap(), &args[2]),
        other => panic!("no program named {other}"),
    }
}

/// So many sockets there may be at a time, of both kinds together.
fn sockets(limit: u16, code: u8) {
    let open = |i| if i % 2 == 0 { tcp() } else { udp() };
    let all: Vec<u32> = (0..limit).map(|i| open(i).unwrap()).collect();
    assert_eq!((tcp(), udp()), (Err(code), Err(code)));
    // SAFETY: the first is of TCP, the second of UDP, and neither is used any more.
    unsafe {
        drop_tcp(all[0]);
        drop_udp(all[1]);
    }
    udp().unwrap();
    tcp().unwrap();
    assert_eq!((tcp(), udp()), (Err(code), Err(code)));
}

/// There may be a listener, a client and two more.
fn accepts() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let connect = || std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    let client = connect();
    let server = listener.accept().unwrap();
    let other = connect();
    assert!(listener.accept().is_err());
    // The connection has waited meanwhile.
    drop(server);
    let (server, peer) = listener.accept().unwrap();
    assert_eq!(peer, other.local_addr().unwrap());
    drop((client, server));
}

/// Most of the handles that a component may have beside those of its sockets, and sockets with all of theirs.
fn handles() {
    for _ in 0..99_000 {
        // SAFETY: no pointers.
        unsafe { subscribe_duration(0) };
    }
    for _ in 0..300 {
        let socket = tcp().unwrap();
        for _ in 0..5 {
            // SAFETY: no pointers, and the socket is open.
            unsafe { subscribe(socket) };
        }
    }
    println!("fine");
}

/// One pollable, so many times.
fn polls(count: usize) {
    // SAFETY: no pointers.
    let timer = unsafe { subscribe_duration(0) };
    let pollables = vec![timer; count];
    let mut ready = [0; 2];
    // SAFETY: the list is there, and so is the place for the result.
    unsafe { poll(pollables.as_ptr(), count, &mut ready) };
    assert_eq!(ready[1], count);
}

/// A name of this length is no name.
fn long_name(len: usize) {
    let name = "x".repeat(len);
    // SAFETY: the name is there, and the answer has the interface's layout and lives for the call.
    let answer = answer(|place| unsafe {
        resolve_addresses(instance_network(), name.as_ptr(), len, place);
    });
    assert_eq!(answer, Err(INVALID_ARGUMENT));
}

/// Of many timers, the one that is near goes off.
fn far_clocks() {
    const FAR: [u64; 5] = [u64::MAX, u64::MAX - 1, 1 << 63, i64::MAX as u64, u64::MAX / 1000];
    let mut pollables = Vec::new();
    for far in FAR {
        // SAFETY: no pointers.
        unsafe { pollables.extend([subscribe_duration(far), subscribe_instant(far)]) };
    }
    // SAFETY: no pointers.
    pollables.push(unsafe { subscribe_duration(10_000_000) });
    let mut ready = [0; 2];
    // SAFETY: the list is there, and so is the place for the result.
    unsafe { poll(pollables.as_ptr(), pollables.len(), &mut ready) };
    assert_eq!(ready[1], 1);
    // SAFETY: it is a list of one, which the host has allocated.
    assert_eq!(unsafe { *(ready[0] as *const u32) }, FAR.len() as u32 * 2);
}

/// So many bytes at once, to the standard output.
fn writes(len: usize, how: &str) {
    let bytes = vec![b'x'; len];
    let mut answer = [0; 3];
    // SAFETY: the bytes are there, and so is the place for the result.
    unsafe {
        match how {
            "blocking" => blocking_write_and_flush(get_stdout(), bytes.as_ptr(), len, &mut answer),
            _ => write(get_stdout(), bytes.as_ptr(), len, &mut answer),
        }
    }
}

/// A server of so many connections beside nearly all other handles that there may be; to some of them it cannot write.
fn crowd(count: u16) {
    for _ in 0..99_000 {
        // SAFETY: no pointers.
        unsafe { subscribe_duration(60_000_000_000) };
    }
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let mut all: Vec<_> = (0..count).map(|_| listener.accept().unwrap().0).collect();
    for stream in &mut all[..20] {
        stream.set_nonblocking(true).unwrap();
        while stream.write(&[b'x'; 65536]).is_ok() {}
    }
    // The others are waited for in turn, so that each has all of its handles.
    for stream in &mut all[20..] {
        let mut buf = [0; 5];
        stream.read_exact(&mut buf).unwrap();
        stream.write_all(&buf).unwrap();
    }
    println!("fine");
}

/// Drops a connection whose peer does not read, and serves another.
fn leaves() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    println!("{}", listener.local_addr().unwrap().port());
    let mut stream = listener.accept().unwrap().0;
    stream.set_nonblocking(true).unwrap();
    let mut written = 0;
    while let Ok(n) = stream.write(&[b'x'; 65536]) {
        written += n;
    }
    drop(stream);
    let mut stream = listener.accept().unwrap().0;
    stream.write_all(format!("{written}\n").as_bytes()).unwrap();
    println!("left");
}

fn hears(port: u16) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    let peer = ("127.0.0.1", port);
    socket.send_to(b"first", peer).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    socket.send_to(b"second", peer).unwrap();
    let mut buf = [0; 64];
    let (len, from) = socket.recv_from(&mut buf).unwrap();
    assert_eq!((&buf[..len], from.port()), (&b"answer"[..], port));
}

/// Waits for a second for a message that does not come.
fn flooded() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    println!("{}", socket.local_addr().unwrap().port());
    socket.set_nonblocking(true).unwrap();
    let begun = std::time::Instant::now();
    while begun.elapsed().as_millis() < 1000 {
        assert_eq!(socket.recv_from(&mut [0; 64]).unwrap_err().kind(), std::io::ErrorKind::WouldBlock);
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
}

fn heard_by_all() {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    println!("{}", socket.local_addr().unwrap().port());
    let mut buf = [0; 64];
    let (len, _) = socket.recv_from(&mut buf).unwrap();
    assert_eq!(&buf[..len], b"stranger");
}
