//! Who is heard on a datagram socket: those that the guest may send to, and by a server everybody.

use std::net::UdpSocket;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use wasio_host::{GuestBuilder, Policy};

use crate::support::*;

/// Answers the second of a guest's messages, amid messages of a stranger.
fn peer() -> (u16, JoinHandle<()>) {
    let peer = UdpSocket::bind("127.0.0.1:0").unwrap();
    let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
    peer.set_read_timeout(Some(LIMIT)).unwrap();
    let port = peer.local_addr().unwrap().port();
    let serving = thread::spawn(move || {
        let mut buf = [0; 64];
        loop {
            let Ok((len, guest)) = peer.recv_from(&mut buf) else { return };
            // 200 are more than are thrown away in one go, and fit in the kernel's buffer.
            let (count, pause) = match &buf[..len] {
                b"first" => (200, 0),
                b"second" => (20, 0),
                _ => (40, 10),
            };
            for _ in 0..count {
                stranger.send_to(b"stranger", guest).unwrap();
                thread::sleep(Duration::from_millis(pause));
            }
            match &buf[..len] {
                b"second" => drop(peer.send_to(b"answer", guest).unwrap()),
                b"first" => {}
                _ => return,
            }
        }
    });
    (port, serving)
}

fn granted(port: u16) -> Policy {
    format!("127.0.0.1:{port}").parse().unwrap()
}

fn server(guest: GuestBuilder) {
    let output = Output::new();
    let policy: Policy = "listen:127.0.0.1:*".parse().unwrap();
    let guest = guest.network(policy).stdout(output.pipe()).build().unwrap();
    runtime().block_on(async {
        let guest = tokio::spawn(guest.run());
        let port: u16 = output.line(0).await.parse().unwrap();
        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
        stranger.send_to(b"stranger", ("127.0.0.1", port)).unwrap();
        assert_eq!(guest.await.unwrap().unwrap().code(), 0);
    });
}

#[test]
fn a_guest_that_blocks_hears_whom_it_may_send_to() {
    let (port, _serving) = peer();
    succeeds(guest(&["hears", &port.to_string(), "blocking"]).network(granted(port)));
}

#[test]
fn a_guest_that_polls_hears_whom_it_may_send_to() {
    for mode in ["nonblocking", "extended"] {
        let (port, _serving) = peer();
        let guest = guest(&["hears", &port.to_string(), mode]).network(granted(port));
        let guest = guest.build().unwrap();
        let stats = guest.stats();
        assert_eq!(runtime().block_on(guest.run()).unwrap().code(), 0, "{mode}");
        // "answer", once.
        assert_eq!(stats.snapshot().bytes_in, 6);
    }
}

#[test]
fn a_component_hears_whom_it_may_send_to() {
    let (port, _serving) = peer();
    succeeds(component(&["hears", &port.to_string()]).network(granted(port)));
}

#[test]
fn a_server_hears_everybody() {
    server(guest(&["heard-by-all"]));
    server(component(&["heard-by-all"]));
}

/// Strangers that send without end hold nobody up: neither the guest's own clock, nor others on the thread.
#[test]
fn a_flood_of_strangers_holds_nobody_up() {
    for guest in [guest(&["flooded"]), component(&["flooded"])] {
        let output = Output::new();
        // The guest may send there, and hears nobody else.
        let guest = guest.network(granted(9)).stdout(output.pipe()).build().unwrap();
        let stats = guest.stats();
        runtime().block_on(async {
            let guest = tokio::spawn(guest.run());
            let port: u16 = output.line(0).await.parse().unwrap();
            let over = Arc::new(AtomicBool::new(false));
            let floods: Vec<_> = (0..2)
                .map(|_| {
                    let over = over.clone();
                    thread::spawn(move || {
                        let stranger = UdpSocket::bind("127.0.0.1:0").unwrap();
                        while !over.load(Relaxed) {
                            let _ = stranger.send_to(b"stranger", ("127.0.0.1", port));
                        }
                    })
                })
                .collect();
            let mut turns = 0;
            while !guest.is_finished() {
                tokio::time::sleep(Duration::from_millis(1)).await;
                turns += 1;
            }
            over.store(true, Relaxed);
            assert_eq!(guest.await.unwrap().unwrap().code(), 0);
            floods.into_iter().for_each(|flood| flood.join().unwrap());
            assert!(turns >= 20, "others had {turns} turns in a second");
        });
        assert_eq!(stats.snapshot().bytes_in, 0);
    }
}
