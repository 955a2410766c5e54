//! One session in blocking style: std alone, no runtime. `blocking IPV4:PORT DELAY THINK`, times in
//! milliseconds. The program that runs it provides `bench.ready`, which returns when all may begin, and
//! `bench.record`, which takes a latency in nanoseconds.
//!
//! std cannot connect on WASI preview 1: the socket is opened and connected with WasmEdge's imports and used
//! through std from then on.

use std::io::{Read, Result, Write};
use std::thread::sleep;
use std::time::{Duration, Instant};

const MESSAGE: [u8; 64] = [b'x'; 64];

fn main() -> Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [address, delay, think] = &args[..] else {
        panic!("usage: blocking IPV4:PORT DELAY THINK, not {args:?}");
    };
    let time = |text: &String| Duration::from_millis(text.parse().expect("milliseconds"));
    let (delay, think) = (time(delay), time(think));
    let mut stream = sys::connect(address.parse().expect("an address is IPV4:PORT"))?;
    // The server has taken the connection when it answers.
    exchange(&mut stream)?;
    sys::ready();
    if !think.is_zero() {
        sleep(delay);
    }
    let mut random = delay.as_millis() as u32;
    let mut sent = Instant::now();
    loop {
        exchange(&mut stream)?;
        let now = Instant::now();
        sys::record(now - sent);
        sent = now;
        if !think.is_zero() {
            // Half of the time to one and a half, so that sessions do not fall into step.
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            sleep(think / 2 + think * (random >> 24) / 256);
            sent = Instant::now();
        }
    }
}

fn exchange(stream: &mut std::net::TcpStream) -> Result<()> {
    let mut answer = [0; MESSAGE.len()];
    stream.write_all(&MESSAGE)?;
    stream.read_exact(&mut answer)
}

#[cfg(target_os = "wasi")]
mod sys {
    use std::io::{Error, Result};
    use std::net::{SocketAddrV4, TcpStream};
    use std::os::fd::FromRawFd;
    use std::time::Duration;

    #[repr(C)]
    struct Address {
        bytes: *const u8,
        len: u32,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn sock_open(family: i32, kind: i32, fd: *mut i32) -> i32;
        fn sock_connect(fd: i32, address: *const Address, port: i32) -> i32;
    }

    #[link(wasm_import_module = "bench")]
    unsafe extern "C" {
        #[link_name = "ready"]
        fn bench_ready();
        #[link_name = "record"]
        fn bench_record(nanoseconds: i64);
    }

    pub(crate) fn connect(address: SocketAddrV4) -> Result<TcpStream> {
        const IPV4: i32 = 1;
        const STREAM: i32 = 2;
        let check = |errno| if errno == 0 { Ok(()) } else { Err(Error::from_raw_os_error(errno)) };
        let octets = address.ip().octets();
        let ip = Address { bytes: octets.as_ptr(), len: 4 };
        let mut fd = -1;
        // SAFETY: the pointers are to what the imports expect, and live as long as the calls. The
        // descriptor is new, and nobody else's.
        unsafe {
            check(sock_open(IPV4, STREAM, &mut fd))?;
            let stream = TcpStream::from_raw_fd(fd);
            check(sock_connect(fd, &ip, address.port().into()))?;
            Ok(stream)
        }
    }

    pub(crate) fn ready() {
        // SAFETY: it takes nothing and returns nothing.
        unsafe { bench_ready() }
    }

    pub(crate) fn record(latency: Duration) {
        // SAFETY: it takes a number.
        unsafe { bench_record(latency.as_nanos() as i64) }
    }
}

/// For checks of this file on other targets: nobody provides the imports there.
#[cfg(not(target_os = "wasi"))]
mod sys {
    use std::io::Result;
    use std::net::{SocketAddrV4, TcpStream};
    use std::time::Duration;

    pub(crate) fn connect(address: SocketAddrV4) -> Result<TcpStream> {
        TcpStream::connect(address)
    }

    pub(crate) fn ready() {}

    pub(crate) fn record(latency: Duration) {
        println!("{latency:?}");
    }
}
