//! How many sockets and handles a component may have.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use wasio_host::Policy;

use crate::support::*;

#[test]
fn its_sockets_are_counted() {
    succeeds(component(&["sockets", "20"]).max_sockets(20));
}

#[test]
fn a_connection_beyond_the_limit_stays_in_the_queue() {
    succeeds(component(&["accepts"]).max_sockets(4));
}

/// It gets a few, so that connecting can say what was refused.
#[test]
fn without_a_grant_it_gets_few() {
    succeeds(component(&["denied", "16"]).network(Policy::none()));
}

/// The handles of its sockets come on top of others.
#[test]
fn handles_are_no_limit_before_sockets_are() {
    succeeds(component(&["handles"]).max_sockets(300));
}

/// As many connections as fit beside other handles, some of whose peers do not read.
#[test]
fn a_server_of_many_connections_lives() {
    const COUNT: usize = 300;
    let output = Output::new();
    let guest = component(&["crowd", "300"]).max_sockets(COUNT + 1).stdout(output.pipe());
    runtime().block_on(async {
        let guest = tokio::spawn(guest.build().unwrap().run());
        let port: u16 = output.line(0).await.parse().unwrap();
        let peers = tokio::task::spawn_blocking(move || {
            let connect = |_| TcpStream::connect(("127.0.0.1", port)).unwrap();
            let mut all: Vec<_> = (0..COUNT).map(connect).collect();
            for stream in &mut all[20..] {
                stream.write_all(b"hello").unwrap();
            }
            for stream in &mut all[20..] {
                let mut buf = [0; 5];
                stream.read_exact(&mut buf).unwrap();
                assert_eq!(&buf, b"hello");
            }
        });
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
        peers.await.unwrap();
    });
}

/// A server that drops a connection does not wait for a peer that does not read. What it wrote arrives nevertheless.
#[test]
fn a_peer_that_does_not_read_holds_nobody_up() {
    let output = Output::new();
    let guest = component(&["leaves"]).stdout(output.pipe());
    runtime().block_on(async {
        let guest = tokio::spawn(guest.build().unwrap().run());
        let port: u16 = output.line(0).await.parse().unwrap();
        let peers = tokio::task::spawn_blocking(move || {
            let connect = || {
                let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
                stream.set_read_timeout(Some(LIMIT / 2)).unwrap();
                stream
            };
            let (mut mute, mut other) = (connect(), connect());
            let mut said = String::new();
            other.read_to_string(&mut said).unwrap();
            let mut all = Vec::new();
            mute.read_to_end(&mut all).unwrap();
            assert_eq!(all.len(), said.trim().parse::<usize>().unwrap());
        });
        peers.await.unwrap();
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
}
