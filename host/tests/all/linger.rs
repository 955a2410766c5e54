//! Closing sockets that linger: it holds up nobody, and nothing of what was sent is lost.

use std::io::Read as _;
use std::time::{Duration, Instant};

use socket2::SockRef;
use wasio_host::{Guest, Policy, Program};

use crate::support::*;

const PREVIEW1: &str = "wasi_snapshot_preview1";

/// Sends until the peer takes no more, has the socket linger, and closes it.
fn lingering(port: u16, seconds: u32) -> Program {
    let option = format!("\\01\\00\\00\\00\\{seconds:02x}\\00\\00\\00");
    wat(&format!(
        r#"(module
            (import "{PREVIEW1}" "sock_open" (func $open (param i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "sock_connect" (func $connect (param i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "fd_fdstat_set_flags" (func $flags (param i32 i32) (result i32)))
            (import "{PREVIEW1}" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "sock_setsockopt" (func $set (param i32 i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "sock_getsockopt" (func $get (param i32 i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "fd_close" (func $close (param i32) (result i32)))
            (import "{PREVIEW1}" "fd_write" (func $write (param i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 4)
            (data (i32.const 0) "\7f\00\00\01")
            (data (i32.const 16) "\00\00\00\00\04\00\00\00")
            (data (i32.const 32) "\00\00\01\00\00\00\01\00")
            (data (i32.const 48) "{option}")
            (data (i32.const 64) "\08\00\00\00")
            (data (i32.const 200) "\90\01\00\00\04\00\00\00")
            (func $check (param $errno i32) (param $code i32)
                (if (local.get $errno) (then (call $exit (local.get $code)))))
            (func (export "_start") (local $fd i32) (local $sent i32)
                (call $check (call $open (i32.const 1) (i32.const 2) (i32.const 8)) (i32.const 1))
                (local.set $fd (i32.load (i32.const 8)))
                (call $check (call $connect (local.get $fd) (i32.const 16) (i32.const {port})) (i32.const 2))
                (call $check (call $flags (local.get $fd) (i32.const 4)) (i32.const 3))
                (loop $more
                    (if (i32.eqz (call $send (local.get $fd) (i32.const 32) (i32.const 1) (i32.const 0) (i32.const 60)))
                        (then
                            (local.set $sent (i32.add (local.get $sent) (i32.load (i32.const 60))))
                            (br $more))))
                (call $check (call $set (local.get $fd) (i32.const 0) (i32.const 9) (i32.const 48) (i32.const 8)) (i32.const 4))
                (call $check (call $get (local.get $fd) (i32.const 0) (i32.const 9) (i32.const 72) (i32.const 64)) (i32.const 5))
                (call $check (i64.ne (i64.load (i32.const 48)) (i64.load (i32.const 72))) (i32.const 6))
                (call $check (call $close (local.get $fd)) (i32.const 7))
                ;; How much was sent.
                (i32.store (i32.const 400) (local.get $sent))
                (call $check (call $write (i32.const 1) (i32.const 200) (i32.const 1) (i32.const 60)) (i32.const 8))
                (call $exit (i32.const 0))))"#
    ))
}

/// Runs it against a peer that reads only after the guest has ended, and returns what the guest sent and the peer read.
fn linger(seconds: u32) -> (usize, std::io::Result<usize>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let program = lingering(listener.local_addr().unwrap().port(), seconds);
    let output = Output::new();
    let guest =
        Guest::builder(&program).network(Policy::all()).stdout(output.pipe()).timeout(LIMIT);
    let begun = Instant::now();
    let exit = run(guest).unwrap();
    assert_eq!(exit.code(), 0);
    assert!(begun.elapsed() < Duration::from_secs(20), "closing took {:?}", begun.elapsed());
    let sent = u32::from_le_bytes(output.pipe().contents()[..4].try_into().unwrap());
    let (mut peer, _) = listener.accept().unwrap();
    peer.set_read_timeout(Some(LIMIT)).unwrap();
    let mut read = Vec::new();
    (sent as usize, peer.read_to_end(&mut read).map(|_| read.len()))
}

/// A close that lingers for half a minute holds up nobody, and nothing of what was sent is lost.
#[test]
fn closing_does_not_wait_for_the_peer() {
    let (sent, read) = linger(30);
    assert_eq!(read.unwrap(), sent);
}

#[test]
fn lingering_for_no_time_resets() {
    let (_, read) = linger(0);
    assert_eq!(read.unwrap_err().kind(), std::io::ErrorKind::ConnectionReset);
}

/// A listener's connections inherit what lingers.
#[test]
fn connections_of_a_given_listener_do_not_wait() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    SockRef::from(&listener).set_linger(Some(Duration::from_secs(30))).unwrap();
    let program = wat(&format!(
        r#"(module
            (import "{PREVIEW1}" "sock_accept" (func $accept (param i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "sock_send" (func $send (param i32 i32 i32 i32 i32) (result i32)))
            (import "{PREVIEW1}" "fd_close" (func $close (param i32) (result i32)))
            (import "{PREVIEW1}" "proc_exit" (func $exit (param i32)))
            (memory (export "memory") 4)
            (data (i32.const 32) "\00\00\01\00\00\00\01\00")
            (func (export "_start")
                ;; A connection that does not block.
                (if (call $accept (i32.const 3) (i32.const 4) (i32.const 8)) (then (call $exit (i32.const 1))))
                (loop $more (br_if $more (i32.eqz
                    (call $send (i32.load (i32.const 8)) (i32.const 32) (i32.const 1) (i32.const 0) (i32.const 60)))))
                (call $exit (call $close (i32.load (i32.const 8))))))"#
    ));
    let peer = std::net::TcpStream::connect(address).unwrap();
    let begun = Instant::now();
    let exit = run(Guest::builder(&program).listener(listener).timeout(LIMIT)).unwrap();
    assert_eq!(exit.code(), 0);
    assert!(begun.elapsed() < Duration::from_secs(20), "closing took {:?}", begun.elapsed());
    drop(peer);
}
