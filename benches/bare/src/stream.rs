//! The floor for one stream of many bytes: std alone, blocking. `stream IPV4:PORT`; prints `listening` when it
//! does. Who connects says in eight bytes how many there are to be, gets them in writes of 64 KiB, sends as many,
//! and gets one byte when they are there; and all of it again, until the connection is closed.

use std::io::{Read, Result, Write};
use std::net::{SocketAddrV4, TcpListener, TcpStream};

const WRITE: usize = 64 * 1024;

fn main() -> Result<()> {
    let address = std::env::args().nth(1).expect("usage: stream IPV4:PORT");
    let listener = listen(address.parse().expect("an address is IPV4:PORT"))?;
    println!("listening");
    loop {
        serve(listener.accept()?.0);
    }
}

fn serve(mut stream: TcpStream) {
    let mut buffer = vec![b'x'; WRITE];
    let mut count = [0; 8];
    while stream.read_exact(&mut count).is_ok() {
        let count = u64::from_le_bytes(count);
        exchange(&mut stream, &mut buffer, count).expect("the client stays to the end");
    }
}

fn exchange(stream: &mut TcpStream, buffer: &mut [u8], count: u64) -> Result<()> {
    let mut left = count;
    while left > 0 {
        let n = left.min(WRITE as u64);
        stream.write_all(&buffer[..n as usize])?;
        left -= n;
    }
    let mut left = count;
    while left > 0 {
        match stream.read(buffer)? as u64 {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            n => left -= n,
        }
    }
    stream.write_all(b"!")
}

#[cfg(not(all(target_os = "wasi", target_env = "p1")))]
fn listen(address: SocketAddrV4) -> Result<TcpListener> {
    TcpListener::bind(address)
}

/// std cannot on preview 1: the socket is made with WasmEdge's imports and used through std from then on.
#[cfg(all(target_os = "wasi", target_env = "p1"))]
fn listen(address: SocketAddrV4) -> Result<TcpListener> {
    use std::io::Error;
    use std::os::fd::FromRawFd;

    #[repr(C)]
    struct Address {
        bytes: *const u8,
        len: u32,
    }

    #[link(wasm_import_module = "wasi_snapshot_preview1")]
    unsafe extern "C" {
        fn sock_open(family: u32, kind: u32, fd: *mut i32) -> i32;
        fn sock_bind(fd: i32, address: *const Address, port: u32) -> i32;
        fn sock_listen(fd: i32, backlog: u32) -> i32;
    }

    const IPV4: u32 = 1;
    const STREAM: u32 = 2;
    const BACKLOG: u32 = 128;
    let check = |errno| if errno == 0 { Ok(()) } else { Err(Error::from_raw_os_error(errno)) };
    let octets = address.ip().octets();
    let ip = Address { bytes: octets.as_ptr(), len: 4 };
    let mut fd = -1;
    // SAFETY: the pointers are to what the imports expect, and live as long as the calls. The descriptor is new,
    // and nobody else's.
    unsafe {
        check(sock_open(IPV4, STREAM, &mut fd))?;
        let listener = TcpListener::from_raw_fd(fd);
        check(sock_bind(fd, &ip, address.port().into()))?;
        check(sock_listen(fd, BACKLOG))?;
        Ok(listener)
    }
}
