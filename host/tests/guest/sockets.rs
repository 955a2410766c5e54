//! Programs about single socket imports.

use crate::abi::*;

const LOOPBACK: &str = "127.0.0.1";

fn connected(port: u16) -> i32 {
    let fd = open(1, STREAM).unwrap();
    connect(fd, LOOPBACK, port).unwrap();
    fd
}

fn recv_exactly(fd: i32, want: usize) -> Vec<u8> {
    let mut got = Vec::new();
    let mut buf = [0; 4096];
    while got.len() < want {
        let n = recv(fd, &mut buf, 0).unwrap();
        assert_ne!(n, 0, "end of stream after {} of {want} bytes", got.len());
        got.extend_from_slice(&buf[..n]);
    }
    got
}

/// Blocking style: accepts `n` connections one after the other and echoes each.
pub fn echo_server(n: u16) {
    let listener = open(1, STREAM).unwrap();
    bind(listener, LOOPBACK).unwrap();
    listen(listener).unwrap();
    println!("{}", local_addr(listener).unwrap().2);
    for _ in 0..n {
        let fd = accept(listener, 0).unwrap();
        let mut buf = [0; 4096];
        loop {
            let n = read(fd, &mut buf).unwrap();
            if n == 0 {
                break;
            }
            assert_eq!(write(fd, &buf[..n]), Ok(n));
        }
        close(fd).unwrap();
    }
}

pub fn echo_client(port: u16) {
    let fd = connected(port);
    for round in 0..100u8 {
        let message = [round; 100];
        assert_eq!(send(fd, &message), Ok(100));
        assert_eq!(recv_exactly(fd, 100), message);
    }
    close(fd).unwrap();
}

pub fn connect_refused(port: u16) {
    let fd = open(1, STREAM).unwrap();
    assert_eq!(connect(fd, LOOPBACK, port), Err(CONNREFUSED));
    close(fd).unwrap();

    let fd = open(1, STREAM).unwrap();
    set_nonblocking(fd, true);
    match connect(fd, LOOPBACK, port) {
        // Over loopback the kernel may know at once.
        Err(CONNREFUSED) => {}
        Err(INPROGRESS) => {
            poll(&[writable(1, fd)]).unwrap();
            assert_eq!(so_error(fd), CONNREFUSED);
            assert_eq!(so_error(fd), 0, "an error is told once");
        }
        other => panic!("{other:?}"),
    }
}

/// What was closed in an earlier life of a socket says nothing of a later one.
pub fn listen_after_refused(port: u16) {
    let fd = open(1, STREAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    assert_eq!(connect(fd, LOOPBACK, port), Err(CONNREFUSED));
    // Linux lets go of the attempt when it is asked once more.
    assert!(connect(fd, LOOPBACK, port).is_err());
    listen(fd).unwrap();
    let events = poll(&[readable(1, fd), timer(2, 20)]).unwrap();
    assert_eq!((events.len(), events[0].userdata()), (1, 2));
    set_option(fd, 0, 11, &[[0; 8], 20_000u64.to_le_bytes()].concat()).unwrap();
    assert_eq!(accept(fd, 0), Err(AGAIN));
    let client = connected(local_addr(fd).unwrap().2);
    assert_eq!(send(client, b"x"), Ok(1));
    assert_eq!(recv(accept(fd, 0).unwrap(), &mut [0; 8], 0), Ok(1));
}

/// Says its port and then, in blocking style, how long each message is.
pub fn messages(n: u16) {
    let fd = open(1, DGRAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    println!("{}", local_addr(fd).unwrap().2);
    for _ in 0..n {
        println!("{}", recv(fd, &mut [0; 100], 0).unwrap());
    }
}

/// It neither waits for ever nor keeps the host's thread.
pub fn shut_datagram() {
    let fd = open(1, DGRAM).unwrap();
    bind(fd, LOOPBACK).unwrap();
    connect(fd, LOOPBACK, local_addr(fd).unwrap().2).unwrap();
    shutdown(fd, 1).unwrap();
    assert_eq!(recv(fd, &mut [0; 8], 0), Ok(0));
    assert_eq!(read(fd, &mut [0; 8]), Ok(0));
}

pub fn connect_nonblocking(port: u16) {
    let fd = open(1, STREAM).unwrap();
    set_nonblocking(fd, true);
    assert_eq!(connect(fd, LOOPBACK, port), Err(INPROGRESS));
    let events = poll(&[writable(7, fd), timer(8, 5000)]).unwrap();
    assert_eq!(events.len(), 1);
    assert_eq!((events[0].userdata(), events[0].errno(), events[0].ty()), (7, 0, 2));
    assert_eq!(so_error(fd), 0);
    let (storage, peer) = peer_addr(fd).unwrap();
    assert_eq!((&storage[..6], peer), (&[1, 0, 127, 0, 0, 1][..], port));
    let mut buf = [0; 16];
    assert_eq!(recv(fd, &mut buf, 0), Err(AGAIN));
    assert_eq!(send(fd, b"ping"), Ok(4));
    poll(&[readable(1, fd)]).unwrap();
    assert_eq!(recv(fd, &mut buf, 0), Ok(4));
    assert_eq!(&buf[..4], b"ping");
}

/// The peer echoes until the end of its input, and then says "bye".
pub fn half_close(port: u16) {
    let fd = connected(port);
    assert_eq!(send(fd, b"half"), Ok(4));
    shutdown(fd, 2).unwrap();
    assert_eq!(send(fd, b"more"), Err(PIPE));
    assert_eq!(recv_exactly(fd, 7), b"halfbye");
    assert_eq!(recv(fd, &mut [0; 8], 0), Ok(0));
    assert_eq!(recv(fd, &mut [0; 8], 0), Ok(0));
    assert_eq!(shutdown(fd, 0), Err(28));
}

/// The peer resets the connection after "x" arrived.
pub fn reset(port: u16) {
    let fd = connected(port);
    assert_eq!(send(fd, b"x"), Ok(1));
    assert_eq!(recv(fd, &mut [0; 8], 0), Err(CONNRESET));
    assert_eq!(send(fd, b"y"), Err(PIPE));
    // Others are unharmed.
    let other = open(1, STREAM).unwrap();
    assert_ne!(other, fd);
}

/// The peer sends "abc", and "defgh" after a while.
pub fn peek_and_waitall(port: u16) {
    let fd = connected(port);
    let mut buf = [0; 8];
    assert_eq!(recv(fd, &mut buf, 1), Ok(3));
    assert_eq!(recv(fd, &mut buf, 1), Ok(3));
    assert_eq!(ready_now(&[readable(1, fd)]), [1]);
    assert_eq!(recv(fd, &mut buf, 2), Ok(8));
    assert_eq!(&buf, b"abcdefgh");
    assert_eq!(recv(fd, &mut buf, 4), Err(28));
}

/// The peer sends "0123456789".
pub fn scattered(port: u16) {
    let fd = connected(port);
    let mut buf = [0; 10];
    poll(&[readable(1, fd)]).unwrap();
    assert_eq!(recv_scattered(fd, &mut buf), Ok(10));
    assert_eq!(&buf, b"5678901234");
}

/// Sends 8 MiB in one blocking call; the peer is slow and counts.
pub fn bulk(port: u16) {
    let fd = connected(port);
    let data = vec![0xa5; 8 << 20];
    assert_eq!(send(fd, &data), Ok(data.len()));
    shutdown(fd, 2).unwrap();
    assert_eq!(recv_exactly(fd, 2), b"ok");
}

/// The peer stays silent.
pub fn timeouts(port: u16) {
    let fd = connected(port);
    let mut timeval = [0; 16];
    timeval[8..].copy_from_slice(&50_000u64.to_le_bytes());
    set_option(fd, 0, 11, &timeval).unwrap();
    let start = now(1);
    assert_eq!(recv(fd, &mut [0; 8], 0), Err(AGAIN));
    assert!(now(1) - start >= 50_000_000);
}

pub fn udp() {
    let a = open(1, DGRAM).unwrap();
    let b = open(1, DGRAM).unwrap();
    bind(a, LOOPBACK).unwrap();
    bind(b, LOOPBACK).unwrap();
    let (a_port, b_port) = (local_addr(a).unwrap().2, local_addr(b).unwrap().2);
    assert_eq!(send_to(a, b"datagram", LOOPBACK, b_port), Ok(8));
    let mut buf = [0; 4];
    let (n, from, port, truncated) = recv_from(b, &mut buf).unwrap();
    assert_eq!((n, &buf, truncated), (4, b"data", true));
    assert_eq!(&from[..6], [1, 0, 127, 0, 0, 1]);
    assert_eq!(port.swap_bytes(), a_port, "the sender's port is in network order");
    // Empty datagrams exist.
    assert_eq!(send_to(b, b"", LOOPBACK, a_port), Ok(0));
    assert_eq!(recv_from(a, &mut buf).unwrap().0, 0);
    set_nonblocking(a, true);
    assert_eq!(recv_from(a, &mut buf).map(drop), Err(AGAIN));
    assert_eq!(ready_now(&[readable(1, a), writable(2, a)]), [2]);
    connect(b, LOOPBACK, a_port).unwrap();
    assert_eq!(send(b, b"joined"), Ok(6));
    poll(&[readable(1, a)]).unwrap();
    assert_eq!(recv(a, &mut buf, 0), Ok(4));
}

pub fn ipv6() {
    let listener = open(2, STREAM).unwrap();
    bind(listener, "::1").unwrap();
    listen(listener).unwrap();
    let (octets, ty, port) = local_addr(listener).unwrap();
    assert_eq!((octets.last(), ty), (Some(&1), 6));
    let fd = open(2, STREAM).unwrap();
    connect(fd, "::1", port).unwrap();
    let peer = accept(listener, 4).unwrap();
    assert_eq!(fdstat(peer), Ok((6, 4)), "accepted as a non-blocking stream");
    assert_eq!(peer_addr(fd).unwrap().1, port);
    assert_eq!(send(fd, b"six"), Ok(3));
    poll(&[readable(1, peer)]).unwrap();
    assert_eq!(recv(peer, &mut [0; 8], 0), Ok(3));
}

pub fn options() {
    let fd = open(1, STREAM).unwrap();
    let on = 1i32.to_le_bytes();
    for (level, name) in [(6, 1), (0, 0), (0, 7), (0, 8)] {
        set_option(fd, level, name, &on).unwrap();
        assert_eq!(get_option(fd, level, name), Ok(1), "level {level} name {name}");
        set_option(fd, level, name, &[0; 4]).unwrap();
        assert_eq!(get_option(fd, level, name), Ok(0), "level {level} name {name}");
    }
    assert_eq!(get_option(fd, 0, 1), Ok(STREAM));
    assert_eq!(get_option(fd, 0, 13), Ok(0));
    set_option(fd, 0, 6, &65536i32.to_le_bytes()).unwrap();
    assert!(get_option(fd, 0, 6).unwrap() >= 65536);
    let linger = [1, 0, 0, 0, 5, 0, 0, 0];
    set_option(fd, 0, 9, &linger).unwrap();
    assert_eq!(get_option(fd, 0, 9), Err(28), "8 bytes do not fit in 4");
    assert_eq!(set_option(fd, 0, 0, &[1]), Err(28));
    assert_eq!(set_option(fd, 0, 14, b"eth0"), Err(50));
    assert_eq!(get_option(fd, 3, 1), Err(28));
    let udp = open(1, DGRAM).unwrap();
    assert_eq!(get_option(udp, 0, 1), Ok(DGRAM));
    set_option(udp, 0, 4, &on).unwrap();
    assert_eq!(get_option(udp, 0, 4), Ok(1));
}

pub fn numbers() {
    assert_eq!(open(3, STREAM), Err(AFNOSUPPORT));
    assert_eq!(open(0, STREAM), Err(28));
    assert_eq!(open(1, 0), Err(28));
    let a = open(1, STREAM).unwrap();
    let b = open(1, DGRAM).unwrap();
    assert!(a >= 1 << 20);
    assert_eq!(fdstat(a), Ok((6, 0)));
    assert_eq!(fdstat(b), Ok((5, 0)));
    close(a).unwrap();
    assert_eq!(close(a), Err(BADF));
    assert_eq!(recv(a, &mut [0; 8], 0), Err(BADF));
    assert_eq!(recv(0, &mut [0; 8], 0), Err(NOTSOCK));
    assert_eq!(listen(b), Err(NOTSUP));
    let c = open(1, STREAM).unwrap();
    assert_ne!(a, c, "a number is not reused at once");
    renumber(b, c).unwrap();
    assert_eq!(fdstat(c), Ok((5, 0)));
    assert_eq!(fdstat(b), Err(BADF));
    assert_eq!(renumber(c, 0), Err(NOTSUP));
    assert_eq!(renumber(0, c), Err(NOTSUP));
    let idle = open(1, STREAM).unwrap();
    assert_eq!(peer_addr(idle).map(drop), Err(53));
    assert_eq!(recv(idle, &mut [0; 8], 0), Err(53));
}

pub fn socket_limit(limit: u16) {
    let all: Vec<i32> = (0..limit).map(|_| open(1, STREAM).unwrap()).collect();
    assert_eq!(open(1, STREAM), Err(MFILE));
    close(all[0]).unwrap();
    open(1, STREAM).unwrap();
    assert_eq!(open(1, STREAM), Err(MFILE));
}

pub fn lookup() {
    let both = getaddrinfo("localhost", "80", 0).unwrap();
    assert_eq!(both.len(), 2);
    let v4 = getaddrinfo("localhost", "80", 1).unwrap();
    assert_eq!(v4.len(), 1);
    assert_eq!((v4[0].0, &v4[0].1[..6]), (1, &[0, 80, 127, 0, 0, 1][..]));
    let v6 = getaddrinfo("::1", "https", 0).unwrap();
    assert_eq!((v6[0].0, &v6[0].1[..2], v6[0].1[21]), (2, &[1, 187][..], 1));
    assert_eq!(getaddrinfo("example.invalid", "80", 0), Err(ACCES));
    assert_eq!(getaddrinfo("localhost", "no-such-service", 0), Err(85));
    assert_eq!(getaddrinfo("", "", 0), Err(84));
}

/// Nothing is granted.
pub fn denied(port: u16) {
    let fd = open(1, STREAM).unwrap();
    assert_eq!(connect(fd, LOOPBACK, port), Err(ACCES));
    assert_eq!(connect(fd, LOOPBACK, port), Err(ACCES));
    assert_eq!(bind(fd, LOOPBACK), Err(ACCES));
    assert_eq!(listen(fd), Err(ACCES));
    let udp = open(1, DGRAM).unwrap();
    assert_eq!(send_to(udp, b"x", LOOPBACK, port), Err(ACCES));
    let error = std::io::Error::from_raw_os_error(ACCES);
    assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
}

/// Nothing is granted: there are a few numbers to be refused by, and nothing is done under them.
pub fn refused() {
    let all: Vec<i32> = (0..16).map(|i| open(1, if i % 2 == 0 { STREAM } else { DGRAM }).unwrap()).collect();
    assert_eq!(open(1, STREAM), Err(ACCES));
    // SO_REUSEADDR.
    set_option(all[0], 0, 0, &[1, 0, 0, 0]).unwrap();
    assert_eq!(bind(all[0], LOOPBACK), Err(ACCES));
    assert_eq!(listen(all[0]), Err(ACCES));
    assert_eq!(local_addr(all[0]).map(drop), Err(ACCES));
    assert_eq!(accept(all[0], 0), Err(ACCES));
    assert_eq!(send(all[0], b"x"), Err(ACCES));
    assert_eq!(recv(all[1], &mut [0; 8], 0), Err(ACCES));
    assert_eq!(send_to(all[1], b"x", LOOPBACK, 9), Err(ACCES));
    assert_eq!(ready_now(&[readable(1, all[0]), readable(2, all[1])]), [1, 2]);
    renumber(all[2], all[3]).unwrap();
    open(1, STREAM).unwrap();
    close(all[0]).unwrap();
    open(1, STREAM).unwrap();
    assert_eq!(open(1, STREAM), Err(ACCES));
}

/// Two listeners are given, and the folder "/dir". Whoever connects to the first echoes.
pub fn listeners() {
    use std::io::{Read as _, Write as _};
    use std::os::fd::FromRawFd as _;

    assert_eq!(std::env::var("LISTEN_FDS").as_deref(), Ok("2"));
    // SAFETY: the descriptor is this program's, as the variable says, and nobody else has taken it.
    let first = unsafe { std::net::TcpListener::from_raw_fd(3) };
    println!("{}", local_addr(3).unwrap().2);
    assert_eq!(fdstat(3), Ok((6, 0)));
    let accepted = accept(std::os::fd::AsRawFd::as_raw_fd(&first), 0).unwrap();
    assert_eq!(send(accepted, b"ping"), Ok(4));
    let mut buf = [0; 8];
    assert_eq!(recv(accepted, &mut buf, 0), Ok(4));
    // The second is free, and says so.
    set_nonblocking(4, true);
    assert_eq!(accept(4, 0), Err(AGAIN));
    assert_eq!(ready_now(&[readable(1, 3), readable(2, 4)]), []);
    assert_ne!(local_addr(3).unwrap().2, local_addr(4).unwrap().2);

    // Files are where they always are, under numbers of their own.
    let mut file = std::fs::File::create("/dir/file").unwrap();
    assert!(std::os::fd::AsRawFd::as_raw_fd(&file) > 4);
    file.write_all(b"content").unwrap();
    assert_eq!(file.metadata().unwrap().len(), 7);
    drop(file);
    let mut text = String::new();
    std::fs::File::open("/dir/file").unwrap().read_to_string(&mut text).unwrap();
    assert_eq!(text, "content");
    assert_eq!(std::fs::read_dir("/dir").unwrap().count(), 1);
    std::fs::rename("/dir/file", "/dir/other").unwrap();

    // Closed is closed: nothing else gets the number.
    drop(first);
    assert_eq!(accept(3, 0), Err(BADF));
    assert_eq!(fdstat(3), Err(BADF));
    let other = open(1, STREAM).unwrap();
    assert!(other > 4);
    assert_eq!(close(3), Err(BADF));
    // Nothing else was granted.
    let own = open(1, STREAM).unwrap();
    assert_eq!(bind(own, "127.0.0.1"), Err(ACCES));
}
